"""Which pretrained autoencoder should a latent-diffusion super-resolution model be built on?"""
