"""What super-resolution reaches without an autoencoder, on the same test images and by the same metrics.

`floors` interpolate; `regression` trains a network by the code of the diffusion models, in pixels or in latents;
`published` runs a network from a weight file. `scoring` measures,
`measuring` does so by name, `files` are the results.
"""
