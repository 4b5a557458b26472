"""Two or more candidates on the same images: what differs, where, by how much, and whether patients show it.

`run` does the whole: `sources` are the images compared (reconstructions, or saved super-resolution outputs,
paired by image id), `measurement` streams every metric, `analysis` is the statistics by patient,
`decomposition` splits a gap by matched candidates. `vaescreen.reports.comparison` puts it into words and pictures.
"""

from vaescreen.ranking.comparison.run import Report, compare

__all__ = ["Report", "compare"]
