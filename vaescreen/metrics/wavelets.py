"""Where in scale and direction the error lies: squared error by band of an orthonormal wavelet transform.

Bands are named and ordered as in PyWavelets (Lee et al., Journal of Open Source Software 4(36), 2019:
`wavedec2` and its coefficient layout): LL is the approximation `cA`, LH the horizontal detail `cH`
(differences down the rows, as at a horizontal edge), HL the vertical detail `cV`, HH the diagonal `cD`; the
digit is the level, 1 the finest.
"""

from collections.abc import Mapping
from functools import cache

import pywt
import torch
from torch import Tensor
from torch.nn import functional as F

from vaescreen.errors import DataError
from vaescreen.metrics.pair import checked_pair

LEVELS = 3
FINEST = ("LH1", "HL1", "HH1")
LEAST_DETAIL = 1e-10
"""Energy a pixel of detail that no image shows: some 0.65 steps of 16 bits."""
SMOOTH_WAVELET = "sym4"
"""Eight taps, nearly symmetric, four vanishing moments: smooth shading leaves its fine bands empty."""


def haar_band_errors(reference: Tensor, estimate: Tensor, levels: int = LEVELS) -> dict[str, Tensor]:
    """Squared error of each Haar band; see `band_errors`."""
    return band_errors(reference, estimate, "haar", levels)


def band_errors(
    reference: Tensor, estimate: Tensor, wavelet: str = SMOOTH_WAVELET, levels: int = LEVELS
) -> dict[str, Tensor]:
    """Squared error of each wavelet band, divided by the number of image pixels: the bands add up to the MSE.

    The transform is periodic and orthonormal (PyWavelets' mode `periodization`) and linear, so it is applied to
    the error image. Sizes that `2**levels` does not divide are filled up with zero error below and to the
    right: this adds nothing to the sum, so it stays exact, while an extension by mirrored or repeated pixels
    would count some errors twice.

    Parameters
    ----------
    reference, estimate : Tensor
        Images `[B, 1, H, W]` in [0, 1], floating point, of any size.
    wavelet : str
        An orthogonal discrete wavelet of PyWavelets, such as `haar`, `db4` or `sym4`.
    levels : int
        Number of decompositions, at least 1.

    Returns
    -------
    dict of str to Tensor
        Band name to `[B]`, float64, coarse to fine: `LL3, LH3, HL3, HH3, LH2, ..., HH1` for three levels.

    Raises
    ------
    DataError
        If the two batches cannot be compared, or the wavelet is unknown or not orthogonal.
    """
    reference, estimate = checked_pair(reference, estimate)
    pixels = reference.shape[2] * reference.shape[3]
    bands = _decompose(estimate - reference, wavelet, levels)
    return {name: values.square().sum(dim=(1, 2, 3)) / pixels for name, values in bands.items()}


def detail_kept(reference: Tensor, estimate: Tensor) -> Tensor:
    """Energy of the estimate's finest Haar bands over that of the reference, in dB: how much detail an image has.

    0 is as much as the reference, negative is blur, positive is grain. Whether the detail is in its place is not
    asked: an estimate of the mean loses energy where it does not know, a sample need not.

    Parameters
    ----------
    reference, estimate : Tensor
        Images `[B, 1, H, W]` in [0, 1], floating point, of any size.

    Returns
    -------
    Tensor
        `[B]`, float64; energies below `LEAST_DETAIL` count as that, so flat images give finite values.

    Raises
    ------
    DataError
        If the two batches cannot be compared.
    """
    energies = []
    for images in checked_pair(reference, estimate):
        bands = _decompose(images, "haar", 1)
        total = sum((bands[name].square().sum(dim=(1, 2, 3)) for name in FINEST), torch.zeros(()))
        energies.append((total / (images.shape[2] * images.shape[3])).clamp(min=LEAST_DETAIL))
    return 10 * (energies[1] / energies[0]).log10()


def band_shares(errors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Share of each band in the squared error of an image, from what `band_errors` gives.

    Returns
    -------
    dict of str to Tensor
        Band name to `[B]` in [0, 1], together 1; NaN for an image without error, which has no shares.
    """
    total = torch.stack(list(errors.values())).sum(dim=0)
    return {name: values / total for name, values in errors.items()}


def band_psnr(errors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """PSNR that an image would have if one band's error were all of its error, from what `band_errors` gives.

    The data range is 1.0 for every image and band, so that values compare across images, bands and wavelets.

    Returns
    -------
    dict of str to Tensor
        Band name to `[B]` in dB; infinite for a band without error.
    """
    return {name: -10.0 * values.log10() for name, values in errors.items()}


def published_band_psnr(reference: Tensor, estimate: Tensor, levels: int = LEVELS) -> dict[str, Tensor]:
    """Haar sub-band PSNR whose peak is each image's own largest reference coefficient in that band.

    This is the figure published with the question this project asks (arXiv 2604.12152). Its data range changes
    from image to image and band to band, so that a faint band scores low for being faint: compare it with
    published values, and candidates on the same images, but not one band with another (see `band_psnr`).

    Parameters
    ----------
    reference, estimate : Tensor
        Images `[B, 1, H, W]` in [0, 1], floating point, of any size.
    levels : int
        Number of decompositions, at least 1.

    Returns
    -------
    dict of str to Tensor
        Band name to `[B]` in dB, float64; infinite where a band has no error, minus infinity where the
        reference has none of the band and the estimate does.

    Raises
    ------
    DataError
        If the two batches cannot be compared.
    """
    reference, estimate = checked_pair(reference, estimate)
    wanted = _decompose(reference, "haar", levels)
    errors = _decompose(estimate - reference, "haar", levels)
    result = {}
    for name, coefficients in wanted.items():
        peak = coefficients.abs().amax(dim=(1, 2, 3))
        mean_square = errors[name].square().mean(dim=(1, 2, 3))
        decibels = 20 * peak.log10() - 10 * mean_square.log10()
        result[name] = torch.where(mean_square == 0, torch.inf, decibels)
    return result


def _decompose(images: Tensor, wavelet: str, levels: int) -> dict[str, Tensor]:
    """Coefficients of each band, coarse to fine; images are filled up with zeros to a multiple of `2**levels`."""
    low, high = _filters(wavelet)
    block = 2**levels
    approximation = F.pad(images, (0, -images.shape[3] % block, 0, -images.shape[2] % block))
    bands: dict[str, Tensor] = {}
    for level in range(1, levels + 1):
        rows_low, rows_high = _analyse(approximation, low, 2), _analyse(approximation, high, 2)
        approximation = _analyse(rows_low, low, 3)
        details = {
            f"LH{level}": _analyse(rows_high, low, 3),
            f"HL{level}": _analyse(rows_low, high, 3),
            f"HH{level}": _analyse(rows_high, high, 3),
        }
        bands = details | bands
    return {f"LL{levels}": approximation} | bands


@cache
def _filters(wavelet: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    known = pywt.wavelist(kind="discrete")
    if wavelet not in known or not pywt.Wavelet(wavelet).orthogonal:
        raise DataError(
            f"metrics: {wavelet!r} is not an orthogonal discrete wavelet of PyWavelets; take haar, sym4 or db4"
        )
    filters = pywt.Wavelet(wavelet)
    return tuple(filters.dec_lo), tuple(filters.dec_hi)


def _analyse(images: Tensor, taps: tuple[float, ...], dim: int) -> Tensor:
    """Circular convolution along one even side, every second value, aligned as PyWavelets does."""
    length, reach = images.shape[dim], len(taps) // 2 - 1
    wrap = torch.arange(-reach, length + reach, device=images.device) % length
    extended = images.index_select(dim, wrap) if reach else images
    before = (slice(None),) * dim
    total = extended[(*before, slice(0, length, 2))] * taps[-1]
    for shift in range(1, len(taps)):
        total.add_(extended[(*before, slice(shift, shift + length - 1, 2))], alpha=taps[-1 - shift])
    return total
