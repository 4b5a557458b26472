"""What of a score card a predictor may use, by name."""

import math
from collections.abc import Mapping
from typing import Any

from vaescreen.predictor.records import field, number

_REQUIRED = {
    "ae_ceiling": "psnr",
    "ridge_probe_psnr": "ridge_probe_psnr",
    "conv_probe_psnr": "conv_probe_psnr",
    "bicubic_psnr": "bicubic_psnr",
    "ssim": "ssim",
}
_NO_FEATURES = ("psnr", "psnr_foreground", "encode_ms", "decode_ms")
_BAND = "band_"
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
        `latent_error_psnr`, the PSNR in dB of the convolutional probe's squared error less the autoencoder's;
        `log2_factor` and `log2_channels` of the geometry, and `log2_compression`, the logarithm of pixels per
        latent value, f * f / C; `log10_finest_share`, the logarithm of the finest Haar level's share of the
        squared error. Further every finite number of the card's summary under its own name, except times,
        bands and the foreground PSNR.

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
    return further | required | _derived(card, where, required)


def _derived(card: Mapping[str, Any], where: str, measured: Mapping[str, float]) -> dict[str, float]:
    bands = [name for name in field(card, where, "summary") if name.startswith(_BAND)]
    error = {name: number(card, where, "summary", name) for name in {*bands, *_FINEST_BANDS}}
    finest = sum(error[name] for name in _FINEST_BANDS)
    channels = number(card, where, "geometry", "channels")
    factor = number(card, where, "geometry", "factor")
    excess = _squared(measured["conv_probe_psnr"]) - _squared(measured["ae_ceiling"])
    return {
        "latent_error_psnr": -10 * math.log10(max(excess, _NO_ERROR)),
        "log2_factor": math.log2(factor),
        "log2_channels": math.log2(channels),
        "log2_compression": math.log2(factor**2 / channels),
        "log10_finest_share": math.log10((finest + _NO_ERROR) / (sum(error.values()) + _NO_ERROR)),
    }


def _squared(psnr: float) -> float:
    """Mean squared error on [0, 1] of a PSNR in dB."""
    return float(10 ** (-psnr / 10))


def _finite(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
