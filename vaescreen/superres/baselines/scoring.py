"""An upscaler on the test split against the true HR images."""

from collections.abc import Callable

import pandas as pd
from torch import Tensor

from vaescreen.errors import CandidateError
from vaescreen.images.dataset import DataSet
from vaescreen.images.degradation import Degradation
from vaescreen.metrics.fidelity import foreground_psnr, psnr
from vaescreen.metrics.structure import ssim

BATCH = 16

Upscaler = Callable[[Tensor, tuple[int, int]], Tensor]
"""From LR images `[B, 1, h, w]` in [0, 1] and a size to images `[B, 1, *size]` in [0, 1]."""


def score_upscaler(upscale: Upscaler, data: DataSet, degradation: Degradation, name: str) -> pd.DataFrame:
    """Per-image results of the test split.

    Returns
    -------
    pandas.DataFrame
        `image_id`, `patient_id`, `sr_psnr`, `sr_psnr_foreground`, `bicubic_psnr` in dB, `sr_ssim`.

    Raises
    ------
    CandidateError
        If the upscaler gives images of another size, or values that are not finite.
    """
    tables = []
    for batch in data.batches("test", BATCH):
        images, size = batch.images, (batch.images.shape[-2], batch.images.shape[-1])
        lr = degradation.apply(images, batch.ids)
        sr = upscale(lr, size)
        if sr.shape != images.shape or not sr.isfinite().all():
            raise CandidateError(
                f"{name}: gives {tuple(sr.shape)} where finite {tuple(images.shape)} is due for {tuple(lr.shape)}"
            )
        columns = {
            "sr_psnr": psnr(images, sr),
            "sr_psnr_foreground": foreground_psnr(images, sr),
            "sr_ssim": ssim(images, sr),
            "bicubic_psnr": psnr(images, degradation.upsample(lr, size)),
        }
        ids = {"image_id": batch.ids, "patient_id": batch.patients}
        tables.append(pd.DataFrame(ids | {key: values.cpu().numpy() for key, values in columns.items()}))
    return pd.concat(tables, ignore_index=True)
