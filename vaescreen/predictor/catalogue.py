"""The predictors that are compared: the published rule, single features, and ours with the forms it chooses among."""

from itertools import combinations

from vaescreen.predictor.linear import Form
from vaescreen.predictor.model import Predictor

_AE, _BICUBIC, _RIDGE, _CONV = "ae_ceiling", "bicubic_psnr", "ridge_probe_psnr", "conv_probe_psnr"

CORE = (_AE, _BICUBIC, _CONV)
"""Features that tell, whatever the chosen form, whether a card is unlike the reference points."""

BASES = (_CONV, "denoise_mean_psnr", "denoise_sample_psnr")
"""Probes in dB that carry the level of the data: SR PSNR moves with them one to one, and so does the form."""

CORRECTIONS = (
    *("latent_gap", "linear_gap", "nonlinear_gap", "denoising_gap", "sampling_gap"),
    *("noise_gap", "neighbour_gap", "encoding_gap", "log10_finest_share", "log2_factor", "log2_channels"),
    *("ae_share", "denoise_r2_25", "conv_r2", "pixel_r2", "spectral_slope", "roughness"),
)
"""What may correct a base. None is a level in dB: how hard the data are shall enter through the base alone, since
a slope on a level cannot be told apart from the few data sets that it was fitted to."""

_MOST_CORRECTIONS = 2


def forms(most: int = _MOST_CORRECTIONS) -> tuple[Form, ...]:
    """Every base with up to `most` corrections, the simplest first."""
    return tuple(
        Form(corrections, offset=base)
        for count in range(most + 1)
        for corrections in combinations(CORRECTIONS, count)
        for base in BASES
    )


PREDICTORS: dict[str, Predictor] = {
    "published": Predictor((Form((_AE,)),)),
    "bicubic": Predictor((Form((_BICUBIC,)),)),
    "ae-plus-bicubic": Predictor((Form((_AE, _BICUBIC)),)),
    "ridge-probe": Predictor((Form((_RIDGE, _BICUBIC)),)),
    "conv-probe": Predictor((Form((_CONV,)),)),
    "conv-probe-gap": Predictor((Form((), offset=_CONV),)),
    "ours": Predictor(forms()),
}
