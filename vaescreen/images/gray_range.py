"""How much of the gray range a set of images uses: little of it where gray was taken from the container of the values.

Twelve bits in a 16-bit file, or a CT slice without a window, are shown at a small part of full scale. Autoencoders lose
little of an image that is nearly black, so that PSNR comes out up to 24 dB too high.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from vaescreen.images.pixels import Picture

LEAST = 0.25
"""A set that uses a smaller part of full scale is warned of."""

_SAMPLE = 1024
_OUTER = (0.5, 99.5)
"""Percentiles of an image between which its gray is taken to lie: hot pixels and burned-in text are outside."""
_MOST_IMAGES = (5, 95)
"""Percentiles of those of all images, so that a few odd images do not hide what all others are like."""


class Look(NamedTuple):
    """What was seen of one image: gray levels between which it lies, and the share of it that is no data."""

    low: float
    high: float
    no_data: float


def look_at(picture: Picture) -> Look:
    """Look at evenly spaced pixels of an image."""
    flat = picture.pixels.reshape(-1)
    sample = np.sort(flat[:: max(flat.size // _SAMPLE, 1)])
    low, high = (sample[round(share / 100 * (len(sample) - 1))] for share in _OUTER)
    return Look(round(float(low), 5), round(float(high), 5), round(picture.no_data, 5))


def used(looks: Sequence[Look]) -> tuple[float, float]:
    """Gray levels between which the images of a set lie."""
    low = np.percentile([look.low for look in looks], _MOST_IMAGES[0])
    high = np.percentile([look.high for look in looks], _MOST_IMAGES[1])
    return round(float(low), 4), round(float(high), 4)


def complaints(looks: Sequence[Look]) -> list[str]:
    """Say, a line each, that the gray range is hardly used, and that pixels without data are drawn black."""
    low, high = used(looks)
    lines = []
    if high - low < LEAST:
        lines.append(
            f"the images use {100 * (high - low):.1f} % of the gray range ({low:g} to {high:g} of 0 to 1), so that "
            "PSNR comes out too high: give --window auto, or --window LOW,HIGH in the unit of the files"
        )
    blank = [look.no_data for look in looks if look.no_data > 0]
    if blank:
        lines.append(
            f"{len(blank)} of {len(looks)} images have pixels that are no data (NaN, infinite, or padding), "
            f"{100 * sum(blank) / len(blank):.1f} % of each on average: they are drawn black"
        )
    return lines
