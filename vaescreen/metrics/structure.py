"""Structural similarity: SSIM and its multi-scale form, for data range 1.0.

References
----------
Wang, Bovik, Sheikh, Simoncelli: Image quality assessment: from error visibility to structural similarity.
IEEE Transactions on Image Processing 13(4), 2004.

Wang, Simoncelli, Bovik: Multiscale structural similarity for image quality assessment. Asilomar Conference on
Signals, Systems and Computers, 2003.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from vaescreen.errors import DataError
from vaescreen.metrics.pair import checked_pair

WINDOW = 11
SIGMA = 1.5
C1 = 0.01**2
C2 = 0.03**2
MS_SSIM_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


def ssim(reference: Tensor, estimate: Tensor) -> Tensor:
    """Structural similarity of each image (Wang et al. 2004).

    Gaussian window of 11x11 pixels with sigma 1.5, population covariance, mean over the positions at which
    the window lies inside the image. Equal to scikit-image's `structural_similarity` with
    `gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1`.

    Parameters
    ----------
    reference, estimate : Tensor
        Images `[B, 1, H, W]` in [0, 1], floating point, at least 11x11 pixels.

    Returns
    -------
    Tensor
        `[B]` in [-1, 1], float64.

    Raises
    ------
    DataError
        If the two batches cannot be compared, or a side is under 11 pixels.
    """
    reference, estimate = checked_pair(reference, estimate)
    _require_window(*reference.shape[2:])
    similarity, _ = _ssim_and_contrast(reference, estimate)
    return similarity


def ms_ssim_scales(height: int, width: int) -> int:
    """Count the scales that MS-SSIM uses for an image of this size.

    Five from 176 pixels (11 times 16) of the smaller side on; below, as many as leave at least the window's
    11 pixels at the coarsest scale: four from 88, three from 44, two from 22, one from 11.

    Raises
    ------
    DataError
        If a side is under 11 pixels.
    """
    _require_window(height, width)
    return min(len(MS_SSIM_WEIGHTS), (min(height, width) // WINDOW).bit_length())


def ms_ssim(reference: Tensor, estimate: Tensor) -> Tensor:
    """Multi-scale structural similarity of each image (Wang et al. 2003).

    The product over scales of the mean contrast-structure term, at the coarsest scale of the mean SSIM,
    each to the power of its published weight. From scale to scale the images are averaged over 2x2 blocks;
    an odd last row or column is dropped. Images whose smaller side is under 176 pixels have fewer than five
    scales (see `ms_ssim_scales`), and the weights of the finest ones, divided by their sum: compare such
    values only among images of one size. A negative mean at any scale has no real power and counts as 0.

    Parameters
    ----------
    reference, estimate : Tensor
        Images `[B, 1, H, W]` in [0, 1], floating point, at least 11x11 pixels.

    Returns
    -------
    Tensor
        `[B]` in [0, 1], float64.

    Raises
    ------
    DataError
        If the two batches cannot be compared, or a side is under 11 pixels.
    """
    return ssim_and_ms_ssim(reference, estimate)[1]


def ssim_and_ms_ssim(reference: Tensor, estimate: Tensor) -> tuple[Tensor, Tensor]:
    """Give `ssim` and `ms_ssim` in one pass, since the finest scale of one is the other.

    Raises
    ------
    DataError
        If the two batches cannot be compared, or a side is under 11 pixels.
    """
    reference, estimate = checked_pair(reference, estimate)
    weights = _scale_weights(ms_ssim_scales(*reference.shape[2:]))
    finest, contrast = _ssim_and_contrast(reference, estimate)
    similarity, product = finest, torch.ones_like(finest)
    for weight in weights[:-1]:
        product = product * contrast.relu() ** weight
        reference, estimate = F.avg_pool2d(reference, 2), F.avg_pool2d(estimate, 2)
        similarity, contrast = _ssim_and_contrast(reference, estimate)
    return finest, product * similarity.relu() ** weights[-1]


def _scale_weights(scales: int) -> tuple[float, ...]:
    # All five are used as published, although they add up to 1.0001.
    if scales == len(MS_SSIM_WEIGHTS):
        return MS_SSIM_WEIGHTS
    used = MS_SSIM_WEIGHTS[:scales]
    return tuple(weight / sum(used) for weight in used)


def _ssim_and_contrast(reference: Tensor, estimate: Tensor) -> tuple[Tensor, Tensor]:
    """Means over the valid region of SSIM and of its contrast-structure factor, each `[B]`."""
    mean_r, mean_e = _windowed_mean(reference), _windowed_mean(estimate)
    squares = _windowed_mean(reference.square().add_(estimate.square()))
    products = 2 * _windowed_mean(reference * estimate)
    mean_squares, mean_products = mean_r.square().add_(mean_e.square()), 2 * mean_r * mean_e
    contrast = (products - mean_products + C2) / (squares - mean_squares + C2)
    luminance = (mean_products + C1) / (mean_squares + C1)
    return (luminance * contrast).mean(dim=(1, 2, 3)), contrast.mean(dim=(1, 2, 3))


def _windowed_mean(images: Tensor) -> Tensor:
    """Gaussian mean at every position where the window fits: `[N, 1, H, W]` to `[N, 1, H - 10, W - 10]`.

    Shifted images are added up one image at a time, which stays in the processor's cache: several times
    faster than a float64 convolution.
    """
    offsets = torch.arange(WINDOW, dtype=torch.float64) - WINDOW // 2
    window = torch.exp(-0.5 * (offsets / SIGMA).square())
    weights: list[float] = (window / window.sum()).tolist()
    return torch.cat([_shifted_sum(_shifted_sum(image, weights, 2), weights, 3) for image in images.split(1)])


def _shifted_sum(images: Tensor, weights: list[float], dim: int) -> Tensor:
    length = images.shape[dim] - len(weights) + 1
    total = images.narrow(dim, 0, length) * weights[0]
    for shift, weight in enumerate(weights[1:], start=1):
        total.add_(images.narrow(dim, shift, length), alpha=weight)
    return total


def _require_window(height: int, width: int) -> None:
    if min(height, width) < WINDOW:
        raise DataError(
            f"metrics: SSIM needs images of at least {WINDOW}x{WINDOW} pixels, got {height}x{width}; "
            "use larger images"
        )
