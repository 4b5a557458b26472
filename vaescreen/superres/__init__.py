"""The expensive truth: a latent-diffusion super-resolution model trained for one autoencoder on one data set.

recipes (every choice, frozen) -> latents (encoded once) -> diffusion (noise, network, sampler) -> training
(resumable) -> evaluation (against the true image) -> reference (one result file a candidate and data set).
"""
