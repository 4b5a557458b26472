"""What of a score card a predictor may use, by name."""

import math
from collections.abc import Mapping
from typing import Any

from vaescreen.predictor.fields import field, number

_REQUIRED = {
    "ae_ceiling": "psnr",
    "ridge_probe_psnr": "ridge_probe_psnr",
    "conv_probe_psnr": "conv_probe_psnr",
    "bicubic_psnr": "bicubic_psnr",
    "ssim": "ssim",
}
_NO_FEATURES = ("psnr", "psnr_foreground", "encode_ms", "decode_ms")
_BAND = "band_"
_GAPS = {
    "latent_gap": ("ae_ceiling", "conv_probe_psnr"),
    "linear_gap": ("conv_probe_psnr", "ridge_probe_psnr"),
    "denoising_gap": ("conv_probe_psnr", "denoise_mean_psnr"),
    "sampling_gap": ("denoise_mean_psnr", "denoise_sample_psnr"),
    "noise_gap": ("conv_probe_psnr", "simulated_psnr"),
    "upsampling_gap": ("bicubic_psnr", "upsampled_psnr"),
    "probe_gain": ("conv_probe_psnr", "bicubic_psnr"),
    "spread_gap": ("spread_psnr", "conv_probe_psnr"),
    "detail_gap": ("denoise_sample_detail", "conv_probe_detail"),
}
_FINEST_BANDS = ("band_LH1", "band_HL1", "band_HH1")
_NO_ERROR = 1e-12


def card_features(card: Mapping[str, Any], where: str = "score card") -> dict[str, float]:
    """Everything of a score card that a predictor may use.

    Parameters
    ----------
    card : mapping
        Score card as read from its JSON file.
    where : str
        What error messages call the card.

    Returns
    -------
    dict
        Always: `ae_ceiling`, `ridge_probe_psnr`, `conv_probe_psnr`, `bicubic_psnr` in dB; `ssim`;
        `ae_share`, the autoencoder's part of the convolutional probe's squared error: were the error of SR
        `a * AE + b * (probe - AE)`, the additive model, SR PSNR less the probe's would be a function of it;
        `log2_factor` and `log2_channels` of the geometry, and `log2_compression`, the logarithm of pixels per
        latent value, f * f / C; `log10_finest_share`, the logarithm of the finest Haar level's share of the
        squared error. Where the card has both, differences of two values in dB, `latent_gap` and the like,
        which know nothing of how hard the data are; and `split_psnr`, the PSNR of a sample whose squared error is
        that of the convolutional probe and, about it, the spread of the denoising probe's samples as seen through the
        decoder. Further every finite number of the card's summary under its own name, except times, bands and the
        foreground PSNR.

    Raises
    ------
    ResultError
        If a value that is always there is missing or not finite.
    """
    summary = field(card, where, "summary")
    required = {name: number(card, where, "summary", key) for name, key in _REQUIRED.items()}
    further = {
        name: float(value)
        for name, value in summary.items()
        if name not in _NO_FEATURES and not name.startswith(_BAND) and _finite(value)
    }
    features = further | required | _derived(card, where, required)
    gaps = {
        name: features[one] - features[other]
        for name, (one, other) in _GAPS.items()
        if one in features and other in features
    }
    return features | gaps | _split(features)


def _split(features: Mapping[str, float]) -> dict[str, float]:
    """A sample is the posterior mean and a draw about it; for independent errors the squares add up."""
    if "spread_psnr" not in features:
        return {}
    errors = (10 ** (-features[name] / 10) for name in ("conv_probe_psnr", "spread_psnr"))
    return {"split_psnr": -10 * math.log10(sum(errors))}


def _derived(card: Mapping[str, Any], where: str, measured: Mapping[str, float]) -> dict[str, float]:
    bands = [name for name in field(card, where, "summary") if name.startswith(_BAND)]
    error = {name: number(card, where, "summary", name) for name in sorted({*bands, *_FINEST_BANDS})}
    finest = sum(error[name] for name in _FINEST_BANDS)
    channels = number(card, where, "geometry", "channels")
    factor = number(card, where, "geometry", "factor")
    return {
        "ae_share": 10 ** ((measured["conv_probe_psnr"] - measured["ae_ceiling"]) / 10),
        "log2_factor": math.log2(factor),
        "log2_channels": math.log2(channels),
        "log2_compression": math.log2(factor**2 / channels),
        "log10_finest_share": math.log10((finest + _NO_ERROR) / (sum(error.values()) + _NO_ERROR)),
    }


def _finite(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
