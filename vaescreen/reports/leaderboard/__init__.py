"""The pages of the leaderboard: result files in, Markdown and figures out; nothing is measured here.

`source` reads results on a data set, `board` ranks what is in them, `study` holds the reference points of a recipe;
`page`, `study_page`, `index` and `figures` render; `pages` puts them together, remembering in `memo` what has not
changed; `publish` writes all of it and tells when it is stale.
"""
