"""Batched image metrics: pure functions of a reference and an estimate, one value an image.

Both are floating-point `[B, 1, H, W]` in [0, 1] on one device; the caller has clamped the estimate and
cropped it to the reference. Values are computed and returned in float64 on that device, and no value
depends on the other images of its batch. A NaN in an image gives a NaN, never a number.
"""

from torch import Tensor

from vaescreen.metrics.fidelity import foreground_psnr, psnr
from vaescreen.metrics.structure import ssim_and_ms_ssim
from vaescreen.metrics.wavelets import haar_band_errors

__all__ = ["image_metrics"]


def image_metrics(reference: Tensor, estimate: Tensor) -> dict[str, Tensor]:
    """Compute every metric of the per-image table.

    Parameters
    ----------
    reference, estimate : Tensor
        Images `[B, 1, H, W]` in [0, 1], floating point, at least 11x11 pixels.

    Returns
    -------
    dict of str to Tensor
        Column name to `[B]`, float64: `psnr` and `psnr_foreground` (dB), `ssim`, `ms_ssim`, and
        `band_LL3` to `band_HH1` (squared error by Haar band; together the mean squared error).

    Raises
    ------
    DataError
        If the two batches cannot be compared, or a side is under 11 pixels.
    """
    bands = haar_band_errors(reference, estimate)
    fine, multi_scale = ssim_and_ms_ssim(reference, estimate)
    return {
        "psnr": psnr(reference, estimate),
        "psnr_foreground": foreground_psnr(reference, estimate),
        "ssim": fine,
        "ms_ssim": multi_scale,
        **{f"band_{name}": error for name, error in bands.items()},
    }
