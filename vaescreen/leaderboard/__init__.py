"""Result files in, ranked tables, Markdown pages and figures out: pure functions, nothing is measured here.

`table` makes the rows that the terminal, JSON and the pages share, `columns` their text. `results` reads the
result files, which `schema` and `lint` refuse unless they are whole and plausible; `board` adds the
predictions; `page`, `index` and `figures` render, in the words of `sources` where a data set is known;
`publish` writes all of it and tells when it is stale. `examples` draws phantoms through autoencoders.
"""
