"""The same picture twice, even if it was resized, compressed or brightened in between."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vaescreen.images.pixels import FloatImage

Hash = NDArray[np.uint8]
"""uint8 [32]: 256 bits, the first of them always 0."""

SIDE = 16
"""Cosine frequencies in each direction."""
NEAR = 24
"""Largest number of differing bits of near-duplicates: copies differ in about 8, different chests in 60."""

_THUMBNAIL = 4 * SIDE
_PAIRS_AT_ONCE = 250_000
_BITS = np.array([bin(byte).count("1") for byte in range(256)], np.uint8)


class Pair(NamedTuple):
    """Two places that hold nearly the same."""

    first: int
    second: int
    distance: int


def perceptual_hash(image: FloatImage) -> Hash:
    """Say of each of the lowest 16x16 cosine frequencies of an image whether it is stronger than their median.

    The image is averaged to 64x64 before (the pHash of Zauner, Implementation and Benchmarking of Perceptual Image
    Hash Functions, 2010, at a finer grid, which tells chests of different patients apart). The mean of the image
    takes no part, and a linear change of contrast moves no bit.

    Parameters
    ----------
    image
        float32 [H, W] in [0, 1].
    """
    from scipy import fft

    small = np.asarray(Image.fromarray(image).resize((_THUMBNAIL, _THUMBNAIL), Image.Resampling.BOX))
    strengths = fft.dctn(small.astype(np.float64), norm="ortho")[:SIDE, :SIDE].ravel()
    bits = strengths > np.median(strengths[1:])
    bits[0] = False
    return np.packbits(bits)


def near_pairs(first: Sequence[Hash], second: Sequence[Hash], near: int = NEAR) -> list[Pair]:
    """Pairs of hashes, one from each side, that differ in at most `near` bits; in order of their places.

    Memory does not grow with the number of pairs that are looked at.
    """
    if not len(first) or not len(second):
        return []
    left, right = np.stack(list(first)), np.stack(list(second))
    pairs = []
    rows = max(_PAIRS_AT_ONCE // len(right), 1)
    for start in range(0, len(left), rows):
        differing = left[start : start + rows, None] ^ right[None]
        distances = _BITS[differing].sum(axis=2, dtype=np.int64)
        for one, other in zip(*np.nonzero(distances <= near), strict=True):
            pairs.append(Pair(start + int(one), int(other), int(distances[one, other])))
    return pairs
