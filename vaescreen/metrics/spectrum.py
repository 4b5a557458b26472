"""Which spatial frequencies are kept: radial power of image and error, and where half the power is lost."""

from typing import NamedTuple

import torch
from torch import Tensor

from vaescreen.metrics.pair import checked_pair

NYQUIST = 0.5
MOST_ANNULI = 32
_FAINTEST = 1e-15
"""Power below which there is none: keeps logarithms finite."""


class Spectrum(NamedTuple):
    """Radial power of a reference, its estimate, and their difference.

    Attributes
    ----------
    frequencies : Tensor
        `[K + 2]`, in cycles a pixel: 0 for the mean of the image, then the outer edge of each of `K` annuli of
        equal width up to Nyquist's 0.5, then the corners beyond it, up to 0.71.
    reference, estimate, error : Tensor
        Power in each, `[B, K + 2]`, float64: mean square of the image that is left when all else is filtered
        out. Powers add up to the mean square of the image, those of the error to its MSE.
    """

    frequencies: Tensor
    reference: Tensor
    estimate: Tensor
    error: Tensor


def spectrum(reference: Tensor, estimate: Tensor) -> Spectrum:
    """Power by radial frequency of each image, from the discrete Fourier transform without a window.

    Parameters
    ----------
    reference, estimate : Tensor
        Images `[B, 1, H, W]` in [0, 1], floating point, of any size. The number of annuli is 32, or half the
        smaller side if that is less (at least 1).

    Raises
    ------
    DataError
        If the two batches cannot be compared.
    """
    reference, estimate = checked_pair(reference, estimate)
    height, width = reference.shape[2:]
    count = max(min(MOST_ANNULI, min(height, width) // 2), 1)
    place = _annulus(height, width, count, reference.device)
    transformed = torch.fft.rfft2(reference), torch.fft.rfft2(estimate)
    twice = _multiplicity(width, reference.device) / (height * width) ** 2
    powers = [
        _sum_by_annulus((values.real.square() + values.imag.square()) * twice, place, count + 2)
        for values in (*transformed, transformed[1] - transformed[0])
    ]
    edges = torch.arange(count + 2, dtype=torch.float64, device=reference.device) * (NYQUIST / count)
    edges[-1] = NYQUIST * 2**0.5
    return Spectrum(edges, *powers)


def relative_error(spectra: Spectrum) -> list[tuple[float, float]]:
    """Power of the error over that of the reference by frequency, in dB, of the mean over images.

    Returns
    -------
    list of (float, float)
        Frequency in cycles a pixel and level, for each annulus up to Nyquist in which the reference has any power; the
        mean of the image and the corners beyond Nyquist are left out. At 0 dB nothing of the reference is kept.
    """
    inside = slice(1, -1)
    error, reference = (power.mean(dim=0)[inside] for power in (spectra.error, spectra.reference))
    levels = 10 * torch.log10(error.clamp(min=_FAINTEST) / reference)
    return [
        (frequency, level)
        for frequency, level, power in zip(
            spectra.frequencies[inside].tolist(), levels.tolist(), reference.tolist(), strict=True
        )
        if power > _FAINTEST
    ]


def half_power_frequency(spectra: Spectrum) -> Tensor:
    """Frequency from which on the estimate has less than half the reference's power, `[B]`, cycles a pixel.

    It is the lowest such annulus (up to Nyquist) in which the reference has any power, the crossing
    interpolated between the middles of neighbouring annuli; 0.5 if there is none. Noise counts as power: read
    it beside `half_error_frequency`.
    """
    return _crossing(spectra, spectra.estimate - 0.5 * spectra.reference)


def half_error_frequency(spectra: Spectrum) -> Tensor:
    """Frequency from which on the error has more than half the reference's power, `[B]`, cycles a pixel.

    As `half_power_frequency`, but power counts only where it is in the right place: detail that is invented
    does not help.
    """
    return _crossing(spectra, 0.5 * spectra.reference - spectra.error)


def _crossing(spectra: Spectrum, surplus: Tensor) -> Tensor:
    """Where a surplus of power first falls below zero, the powers taken as shares of the reference's."""
    power = spectra.reference[:, 1:-1]
    share = torch.where(power > 0, surplus[:, 1:-1] / power, torch.inf)
    edges = spectra.frequencies[1:-1]
    middles = edges - edges[0] / 2
    below = share < 0
    first = below.to(torch.int8).argmax(dim=1)
    before = (first - 1).clamp(min=0)
    after_share = share.gather(1, first[:, None])[:, 0]
    before_share = share.gather(1, before[:, None])[:, 0]
    step = torch.where(
        (first > 0) & before_share.isfinite(),
        after_share / (after_share - before_share),
        torch.zeros_like(after_share),
    )
    crossing = middles[first] - step * (middles[first] - middles[before])
    result = torch.where(below.any(dim=1), crossing, NYQUIST)
    spoilt = (spectra.reference + spectra.estimate).isnan().any(dim=1)
    return torch.where(spoilt, torch.nan, result)


def _annulus(height: int, width: int, count: int, device: torch.device) -> Tensor:
    rows = torch.fft.fftfreq(height, dtype=torch.float64, device=device)[:, None]
    columns = torch.fft.rfftfreq(width, dtype=torch.float64, device=device)[None]
    radius: Tensor = (rows.square() + columns.square()).sqrt()
    # Rounding must not lift a frequency on an edge into the next annulus.
    return (radius * (count / NYQUIST) - 1e-9).ceil().long().clamp(max=count + 1)


def _multiplicity(width: int, device: torch.device) -> Tensor:
    """How often each column of a half transform stands in the whole one."""
    twice = torch.full((width // 2 + 1,), 2.0, dtype=torch.float64, device=device)
    twice[0] = 1.0
    if width % 2 == 0:
        twice[-1] = 1.0
    return twice


def _sum_by_annulus(power: Tensor, place: Tensor, count: int) -> Tensor:
    sums: Tensor = power.new_zeros(len(power), count)
    sums.index_add_(1, place.flatten(), power.flatten(start_dim=1))
    return sums
