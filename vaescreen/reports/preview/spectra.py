"""Power spectra, and what they tell of the resolution that an image really has."""

import numpy as np
from numpy.typing import NDArray

from vaescreen.images.pixels import FloatImage

Spectrum = NDArray[np.float64]

BINS = 64
"""Frequencies in a spectrum: equal parts of 0 to Nyquist."""
FREQUENCIES: Spectrum = (np.arange(BINS) + 0.5) / BINS
"""Middle of each part, in fractions of Nyquist."""
LACKING = 0.5
"""Decades of power that upsampled images lack above their former Nyquist frequency."""

_CUTOFFS = np.arange(0.24, 0.625, 0.02)
_FLOOR = 0.01 / 12 / 255**2
"""A hundredth of the noise of 8-bit rounding: keeps logarithms finite."""
_MIN_SIDE = 2 * BINS


def radial_power(image: FloatImage) -> Spectrum:
    """Power of an image by spatial frequency, whatever the direction.

    Parameters
    ----------
    image
        float32 [H, W] in [0, 1]; its mean is taken off, and a Hann window put on.

    Returns
    -------
    Spectrum
        float64 [BINS]: mean power per frequency in each ring; a ring that holds none, in small images, has NaN.
    """
    height, width = image.shape
    window = np.hanning(height)[:, None] * np.hanning(width)
    power = np.abs(np.fft.rfft2((image - image.mean()) * window)) ** 2 / (window**2).sum()
    radius = 2 * np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width))
    return _mean_by_bin(power, radius)


def line_power(image: FloatImage) -> Spectrum:
    """Power along the rows of an image by spatial frequency, the mean of all rows.

    Parameters
    ----------
    image
        float32 [H, W] in [0, 1], W at least 128.

    Returns
    -------
    Spectrum
        float64 [BINS].
    """
    width = image.shape[1]
    window = np.hanning(width)
    centred = image - image.mean(axis=1, keepdims=True)
    power = (np.abs(np.fft.rfft(centred * window, axis=1)) ** 2).mean(axis=0) / (window**2).sum()
    return _mean_by_bin(power, 2 * np.fft.rfftfreq(width))


def _mean_by_bin(power: NDArray[np.floating], fraction: NDArray[np.floating]) -> Spectrum:
    place = np.ceil(fraction * BINS).astype(np.int64) - 1
    inside = (place >= 0) & (place < BINS)
    counts = np.bincount(place[inside], minlength=BINS)
    sums = np.bincount(place[inside], power[inside], minlength=BINS)
    means: Spectrum = np.divide(sums, counts, out=np.full(BINS, np.nan), where=counts > 0)
    return means


def upsampling_deficit(image: FloatImage) -> float:
    """How much power is lacking beyond a sharp end of the spectrum, in decades.

    Power of images falls with frequency by about a power law. Interpolated images follow it up to the Nyquist
    frequency they had before and fall below it beyond. For every possible end between 0.24 and 0.62 of Nyquist the
    law is fitted to what lies below it (from a quarter of it on), extrapolated, and compared with what lies above.
    The larger lack counts, of rows and columns the smaller.

    Parameters
    ----------
    image
        float32 [H, W] in [0, 1].

    Returns
    -------
    float
        About 0.2 for images as they are, 0.5 to 2 for upsampled ones; 0 if a side is shorter than 128 pixels.
    """
    if min(image.shape) < _MIN_SIDE:
        return 0.0
    return min(_deficit(line_power(image)), _deficit(line_power(image.T)))


def is_upsampled(image: FloatImage) -> bool:
    """Whether the image looks enlarged: by a Lanczos filter 1.3 to 4 times, by softer ones mostly 2 or 3 times."""
    return upsampling_deficit(image) > LACKING


def _deficit(power: Spectrum) -> float:
    place, decades, octaves = FREQUENCIES, np.log10(power + _FLOOR), np.log10(FREQUENCIES)
    lacks = []
    for cutoff in _CUTOFFS:
        below = (place > 0.25 * cutoff) & (place < 0.9 * cutoff)
        above = (place > 1.1 * cutoff) & (place < 1.45 * cutoff)
        law = np.polyfit(octaves[below], decades[below], 1)
        lacks.append(float((np.polyval(law, octaves[above]) - decades[above]).mean()))
    return max(0.0, *lacks)
