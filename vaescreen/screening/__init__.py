"""Everything that can be known of a candidate without training a super-resolution model on it.

`scorer` makes one score card, `campaign` those of many candidates in parallel. `measurement` streams the test
images through an autoencoder that `guarded` keeps in check, after `train_sample` has encoded the train images
and `probes` have learnt from them how HR latents follow from LR latents. `panel` looks at few images
more closely, `information` and `latent_geometry` at latents as a whole. `cards` are the files, and a
`view` says what was looked at.
"""
