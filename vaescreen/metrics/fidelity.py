"""Pixel fidelity: mean squared error and PSNR, over the whole image and over its foreground.

The project reports the mean of per-image PSNR with data range 1.0. The PSNR of a mean squared error that was
pooled over images is another metric (by Jensen's inequality never higher) with a function of its own.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from vaescreen.metrics.pair import checked_pair

HIGHEST_PSNR = 150.0
"""Results hold no higher value, in dB: images are then equal up to the rounding of float32."""
FOREGROUND_THRESHOLD = 0.05
FOREGROUND_BOX = 5


def mse(reference: Tensor, estimate: Tensor) -> Tensor:
    """Mean squared error of each image.

    Parameters
    ----------
    reference, estimate : Tensor
        Images `[B, 1, H, W]` in [0, 1], floating point.

    Returns
    -------
    Tensor
        `[B]`, float64.

    Raises
    ------
    DataError
        If the two batches cannot be compared.
    """
    reference, estimate = checked_pair(reference, estimate)
    return (reference - estimate).square().mean(dim=(1, 2, 3))


def psnr(reference: Tensor, estimate: Tensor) -> Tensor:
    """Peak signal-to-noise ratio of each image in dB, `-10 log10(MSE)`, for data range 1.0.

    Summarise a data set by the mean of these values.

    Parameters
    ----------
    reference, estimate : Tensor
        Images `[B, 1, H, W]` in [0, 1], floating point.

    Returns
    -------
    Tensor
        `[B]`, float64; infinite where the two images are identical.

    Raises
    ------
    DataError
        If the two batches cannot be compared.
    """
    return _decibels(mse(reference, estimate))


def capped_psnr(reference: Tensor, estimate: Tensor) -> Tensor:
    """`psnr`, at most `HIGHEST_PSNR`, for results that must be finite."""
    return psnr(reference, estimate).clamp(max=HIGHEST_PSNR)


def psnr_of_mean_mse(errors: Tensor) -> float:
    """PSNR in dB of the mean squared error over all images, the way some results are published.

    Bad images weigh more in it than in the mean of per-image PSNR, which is what the project reports.

    Parameters
    ----------
    errors : Tensor
        Mean squared error of each image, `[N]`, as `mse` gives it.

    Returns
    -------
    float
        Infinite if every image is identical to its reference.
    """
    return float(_decibels(errors.double().mean()))


def nrmse(reference: Tensor, estimate: Tensor) -> Tensor:
    """Root mean squared error of each image divided by the root mean square of its reference.

    Equal to scikit-image's `normalized_root_mse` with its default, Euclidean, normalisation.

    Parameters
    ----------
    reference, estimate : Tensor
        Images `[B, 1, H, W]` in [0, 1], floating point.

    Returns
    -------
    Tensor
        `[B]`, float64. Where the reference is zero throughout: 0 if the estimate is too, else infinite.

    Raises
    ------
    DataError
        If the two batches cannot be compared.
    """
    reference, estimate = checked_pair(reference, estimate)
    error = (reference - estimate).square().sum(dim=(1, 2, 3)).sqrt()
    norm = reference.square().sum(dim=(1, 2, 3)).sqrt()
    return torch.where(error == 0, error, error / norm)


def foreground_mask(reference: Tensor) -> Tensor:
    """Pixels that show something: where the local mean of the reference exceeds 0.05.

    The local mean is over a box of 5x5 pixels, cut at the border of the image. An image without any such
    pixel counts as foreground throughout.

    Parameters
    ----------
    reference : Tensor
        Images `[B, 1, H, W]` in [0, 1].

    Returns
    -------
    Tensor
        `[B, 1, H, W]`, bool.
    """
    local_mean = F.avg_pool2d(
        reference.double(), FOREGROUND_BOX, stride=1, padding=FOREGROUND_BOX // 2, count_include_pad=False
    )
    mask = local_mean > FOREGROUND_THRESHOLD
    return mask | ~mask.any(dim=(2, 3), keepdim=True)


def foreground_psnr(reference: Tensor, estimate: Tensor) -> Tensor:
    """PSNR over the foreground of the reference, so that empty background earns nothing.

    The foreground depends on the reference alone (see `foreground_mask`), and is thus the same for every
    estimate; an image without foreground is scored as a whole.

    Parameters
    ----------
    reference, estimate : Tensor
        Images `[B, 1, H, W]` in [0, 1], floating point.

    Returns
    -------
    Tensor
        `[B]` in dB, float64; infinite where the two images are identical on the foreground.

    Raises
    ------
    DataError
        If the two batches cannot be compared.
    """
    reference, estimate = checked_pair(reference, estimate)
    mask = foreground_mask(reference)
    squared = (reference - estimate).square() * mask
    return _decibels(squared.sum(dim=(1, 2, 3)) / mask.sum(dim=(1, 2, 3)))


def _decibels(mean_squared_error: Tensor) -> Tensor:
    return -10.0 * mean_squared_error.log10()
