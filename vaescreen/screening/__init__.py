"""Everything that can be known of a candidate without training a super-resolution model on it.

`scorer` makes one score card, `campaign` those of many candidates in parallel. `measurement` streams a data
set through an autoencoder that `guarded` keeps in check, `probes` estimate how well HR latents follow from
LR latents, `cards` are the files, and a `view` says what was looked at.
"""
