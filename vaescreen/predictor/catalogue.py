"""The predictors that are compared: the published rule, single features, and ours."""

from vaescreen.predictor.kernel import KernelRidge
from vaescreen.predictor.linear import Form
from vaescreen.predictor.model import Fits, Model

_AE, _BICUBIC, _RIDGE, _CONV = "ae_ceiling", "bicubic_psnr", "ridge_probe_psnr", "conv_probe_psnr"

CORE = (_AE, _BICUBIC, _CONV)
"""Features that tell, one by one, whether a card is unlike the reference points; leverage tells it of all."""

BASE = _CONV
"""The probe that SR PSNR moves with one to one."""

CORRECTIONS = (
    *("latent_gap", "linear_gap", "nonlinear_gap", "denoising_gap", "sampling_gap"),
    *("noise_gap", "neighbour_gap", "encoding_gap", "log10_finest_share", "log2_factor", "log2_channels"),
    *("ae_share", "denoise_r2_25", "conv_r2", "pixel_r2", "spectral_slope", "roughness"),
)
"""What corrects the base. None is a level in dB: how hard the data are shall enter through the base alone, since
a slope on a level cannot be told apart from the few data sets that it was fitted to."""

PREDICTOR = KernelRidge(CORRECTIONS, offset=BASE)
"""Ours, which ranks."""

PUBLISHED, OURS = "published", "ours"

PREDICTORS: dict[str, Fits[Model]] = {
    PUBLISHED: Form((_AE,)),
    "bicubic": Form((_BICUBIC,)),
    "ae-plus-bicubic": Form((_AE, _BICUBIC)),
    "ridge-probe": Form((_RIDGE, _BICUBIC)),
    "conv-probe": Form((_CONV,)),
    "conv-probe-gap": Form((), offset=_CONV),
    OURS: PREDICTOR,
}
