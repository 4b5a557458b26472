"""What was done to an image before it came here: frames, cut-off values, lost gray levels, JPEG blocks.

Every function looks at one image and at nothing else. Thresholds were set on chest radiographs, brain MR slices and
photographs of 256x256 pixels, so that each is exceeded by hardly any image as it is and by most that were spoilt.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaescreen.images.pixels import FloatImage

MISSING_LEVELS = 0.1
"""Share of empty gray levels above which a histogram is called a comb."""
WHITE, BLACK = 0.01, 0.02
"""Shares of white pixels, and of black ones inside the picture, above which values are called cut off."""
JPEG_STEP = 0.1
"""Extra step at block edges, as a part of the mean step, above which blocks are seen in an image of 256x256."""

_SAME = 2 / 255
_STEP = 16 / 255
_SOFT_EDGE = 2
_EXTREME = 1e-6
_LEVELS = 255
_MIN_LEVELS = 16
_BLOCK = 8
_TRIMMED = 0.06
_REFERENCE_PIXELS = 256 * 256


class Sides(NamedTuple):
    """Widths in pixels."""

    top: int
    bottom: int
    left: int
    right: int


class Clipped(NamedTuple):
    """Shares of all pixels."""

    white: float
    black: float


def frame_widths(image: FloatImage) -> Sides:
    """Widths of a frame of one gray with straight inner edges: padding, or burnt in by a scanner or scan converter.

    A side has one if its outer lines are all of one value (within 2/255) and then, within two lines, more than half
    of the pixels differ from it by more than 16/255. A dark background that the anatomy reaches into gradually is
    no frame.

    Parameters
    ----------
    image
        float32 [H, W] in [0, 1].

    Returns
    -------
    Sides
        0 where there is none.
    """
    return Sides(*(_frame_width(side) for side in (image, image[::-1], image.T, image.T[::-1])))


def _frame_width(lines: FloatImage) -> int:
    value = lines[0].mean()
    uniform = (np.abs(lines - value) <= _SAME).all(axis=1)
    if uniform.all() or not uniform[0]:
        return 0
    width = int(np.argmin(uniform))
    inner = np.abs(lines[width : width + _SOFT_EDGE] - value) > _STEP
    return width if inner.mean(axis=1).max() > 0.5 else 0


def clipped(image: FloatImage) -> Clipped:
    """Shares of pixels at exactly 1, and at exactly 0 in regions that do not reach the border of the image.

    Black that does reach it is background, as around a head.

    Parameters
    ----------
    image
        float32 [H, W] in [0, 1].
    """
    from scipy import ndimage

    regions, count = ndimage.label(image <= _EXTREME)
    outside = np.zeros(count + 1, bool)
    for line in (regions[0], regions[-1], regions[:, 0], regions[:, -1]):
        outside[line] = True
    outside[0] = True  # where the image is not black
    return Clipped(float((image >= 1 - _EXTREME).mean()), float((~outside[regions]).mean()))


def is_clipped(image: FloatImage) -> bool:
    """Whether more than `WHITE` or `BLACK` of the image is cut off."""
    shares = clipped(image)
    return shares.white > WHITE or shares.black > BLACK


def missing_levels(image: FloatImage) -> float:
    """Share of the 8-bit gray levels between the 2nd and the 98th percentile that no pixel has.

    A histogram with holes was stretched, or made of fewer bits.

    Parameters
    ----------
    image
        float32 [H, W] in [0, 1].

    Returns
    -------
    float
        0 for images that are not of 8 bits, or whose pixels are too few or too alike to fill the levels.
    """
    values = image * _LEVELS
    levels = np.rint(values)
    if np.abs(values - levels).max() > 1e-3:
        return 0.0
    counts = np.bincount(levels.astype(np.int64).ravel(), minlength=_LEVELS + 1)
    low, high = np.searchsorted(counts.cumsum() / counts.sum(), (0.02, 0.98))
    within = counts[low : high + 1]
    if len(within) < _MIN_LEVELS or image.size < 64 * len(within):
        return 0.0
    return float((within == 0).mean())


def block_step(image: FloatImage) -> float:
    """How much steeper the image is across the edges of 8x8 blocks, as a part of its mean step between neighbours.

    The step at each column is taken less the mean of those beside it, averaged by place in the block, and that of the
    outstanding place is compared with the other seven: so the blocks may begin anywhere. Of rows and columns the
    smaller value counts, since blocks have both. The idea of comparing steps at block edges with those inside is that
    of Wang, Bovik and Evans (Blind measurement of blocking artifacts in images, ICIP 2000).

    Parameters
    ----------
    image
        float32 [H, W] in [0, 1].

    Returns
    -------
    float
        About 0.02 for images of 256x256 without blocks; at JPEG quality 75 about 0.4 for chests, 0.2 for brains and
        0.1 for photographs, whose texture hides blocks. 0 if a side is shorter than 32 pixels.
    """
    if min(image.shape) < 4 * _BLOCK:
        return 0.0
    return min(_step_of_columns(image), _step_of_columns(image.T))


def _step_of_columns(image: FloatImage) -> float:
    steps = np.abs(np.diff(image, axis=1))
    excess = (steps[:, 1:-1] - 0.5 * (steps[:, :-2] + steps[:, 2:])).mean(axis=0)
    phases = np.array([_trimmed_mean(excess[place::_BLOCK]) for place in range(_BLOCK)])
    best = int(phases.argmax())
    return float((phases[best] - np.delete(phases, best).mean()) / max(steps.mean(), 1e-6))


def _trimmed_mean(values: NDArray[np.floating]) -> float:
    cut = round(_TRIMMED * len(values))
    return float(np.sort(values)[cut : len(values) - cut].mean())


def has_blocks(image: FloatImage) -> bool:
    """Whether JPEG blocks are seen; in smaller images chance makes larger steps, so more is asked for."""
    by_chance = max(1.0, math.sqrt(_REFERENCE_PIXELS / image.size))
    return block_step(image) > JPEG_STEP * by_chance
