"""What features are called where people read of them."""

_WORDS = {
    "ae_ceiling": "reconstruction limit",
    "bicubic_psnr": "bicubic PSNR",
    "conv_probe_psnr": "convolutional probe",
    "ridge_probe_psnr": "linear probe",
    "split_psnr": "sample foreseen by the probes",
    "simulated_psnr": "noisy latent, decoded",
    "spread_psnr": "spread of samples",
    "upsampled_psnr": "upsampled image, encoded and decoded",
    "denoise_mean_psnr": "one-step output of the denoising probe",
    "denoise_sample_psnr": "sample of the denoising probe",
    "denoise_sample_detail": "detail of the denoising probe's sample",
    "conv_probe_detail": "detail of the convolutional probe",
    "ae_detail": "detail of the reconstruction",
    "latent_gap": "reconstruction limit over the convolutional probe",
    "linear_gap": "convolutional over the linear probe",
    "denoising_gap": "convolutional over the denoising probe",
    "sampling_gap": "one-step output over the sample",
    "noise_gap": "convolutional probe over the noisy latent",
    "upsampling_gap": "bicubic over the upsampled image's reconstruction",
    "probe_gain": "convolutional probe over bicubic",
    "spread_gap": "spread over the convolutional probe",
    "detail_gap": "detail of a sample over that of the probe",
    "ae_share": "reconstruction's share of the error",
    "log10_finest_share": "share of the error in the finest bands, log10",
    "log2_factor": "spatial factor, log2",
    "log2_channels": "latent channels, log2",
    "log2_compression": "pixels a latent value, log2",
    "denoise_r2_25": "latents explained by the denoising probe",
    "conv_r2": "latents explained by the convolutional probe",
    "ridge_r2": "latents explained by the linear probe",
    "spectral_slope": "spectral slope of the latents",
    "roughness": "roughness of the latents",
    "ssim": "SSIM of the reconstruction",
}


def in_words(feature: str) -> str:
    """Name of a feature for people; a measurement without one of its own keeps its key, spelled out."""
    return _WORDS.get(feature, feature.replace("_", " "))
