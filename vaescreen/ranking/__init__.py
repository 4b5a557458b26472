"""What `rank`, `score` and `compare` do, as Python functions, and the result files that they read.

`scoring` measures, `rank` foretells from that, and `table` makes the rows that the terminal, JSON and the pages
share, `columns` their text, `standings` the shared ranks. `results` reads result files, which `schema` and `lint`
refuse unless they are whole and plausible.
"""
