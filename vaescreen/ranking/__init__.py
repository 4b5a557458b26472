"""What `rank`, `score`, `compare` and `reference train` do, as Python functions, and the result files that they read.

`scoring` measures, `rank` foretells from that, `campaign` makes reference points, and `table` makes the rows that the
terminal, JSON and the pages share, `columns` their text, `standings` the shared ranks. `results` reads result files,
which `schema` and `lint` refuse unless they are whole and plausible.
"""
