"""Interpolation: what super-resolution costs nothing."""

import PIL
from torch import Tensor

from vaescreen.images.degradation import Degradation, Interpolation
from vaescreen.storage import digest
from vaescreen.superres.baselines.files import Baseline
from vaescreen.superres.baselines.scoring import Upscaler


def open_floor(by: Interpolation, degradation: Degradation) -> tuple[Baseline, Upscaler]:
    """Pillow's nearest, bicubic or Lanczos filter on float32 pixels."""
    details = {"library": "Pillow", "version": PIL.__version__}

    def upscale(lr: Tensor, size: tuple[int, int]) -> Tensor:
        return degradation.upsample(lr, size, by)

    return Baseline(by, "interpolation", digest("floor-1", by, details), details), upscale
