"""The pages of the leaderboard: result files in, Markdown and figures out; nothing is measured here.

`board` adds the predictions to what `vaescreen.ranking.results` reads; `page`, `index` and `figures` render, in the
words of `vaescreen.ranking.weak_points` where a data set is known; `publish` writes all of it and tells when it is
stale.
"""
