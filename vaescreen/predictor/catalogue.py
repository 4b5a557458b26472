"""The predictors that are compared: the published rule, a constant, single features, and ours."""

from dataclasses import dataclass

from vaescreen.predictor.kernel import KernelRidge
from vaescreen.predictor.linear import Form
from vaescreen.predictor.model import Fits, Model
from vaescreen.predictor.points import TARGETS
from vaescreen.predictor.sample import Sample

_AE, _BICUBIC, _RIDGE, _CONV = "ae_ceiling", "bicubic_psnr", "ridge_probe_psnr", "conv_probe_psnr"

CORE = (_AE, _BICUBIC, _CONV)
"""Features that tell, one by one, whether a card is unlike the reference points; leverage tells it of all."""

BASES = dict(zip(TARGETS, ("split_psnr", _CONV, "denoise_sample_detail"), strict=True))
"""By target the measurement that it moves with one to one: of a probe that is told, and does, the same."""

CORRECTIONS = (
    *("latent_gap", "linear_gap", "denoising_gap", "sampling_gap", "noise_gap"),
    *("upsampling_gap", "probe_gain", "spread_gap", "detail_gap", "ae_detail", "conv_probe_detail"),
    *("denoise_sample_detail", "log10_finest_share", "log2_factor", "log2_channels"),
    *("ae_share", "denoise_r2_25", "conv_r2", "spectral_slope", "roughness"),
)
"""What corrects the base. None is a level in dB: how hard the data are shall enter through the base alone, since
a slope on a level cannot be told apart from the few data sets that it was fitted to."""

TRENDS = {"detail": ("detail_gap",)}
"""Features that a target moves with in a straight line: the detail of a sample lies between that of the probe's samples
and that of the probe's mean."""

PREDICTOR = KernelRidge(CORRECTIONS, BASES, TRENDS)
"""Ours, which ranks."""


@dataclass(frozen=True)
class Probe:
    """The probe of the target alone: `target = intercept + slope * base`."""

    def fit(self, sample: Sample) -> Model:
        """Ordinary least squares; see `Form.fit`."""
        return Form((BASES[sample.target_name],)).fit(sample)


PUBLISHED, OURS = "published", "ours"

PREDICTORS: dict[str, Fits[Model]] = {
    PUBLISHED: Form((_AE,)),
    "constant": Form(()),
    "bicubic": Form((_BICUBIC,)),
    "ae-plus-bicubic": Form((_AE, _BICUBIC)),
    "ridge-probe": Form((_RIDGE,)),
    "conv-probe": Form((_CONV,)),
    "probe": Probe(),
    OURS: PREDICTOR,
}
