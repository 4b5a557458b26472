"""Fine-tuning an autoencoder to a data set: a new candidate with its parent named, and what that gains.

`plan` is every choice, `fitting` the training with its guard on the val split, `saving` makes a folder in
diffusers format and a registry entry of it, `gain` measures on the test split.
"""
