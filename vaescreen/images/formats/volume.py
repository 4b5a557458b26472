"""What formats of volumes share: slices of one volume, which of them are used, and how they become gray."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vaescreen.errors import DataError
from vaescreen.images.levels import black_and_white, to_gray, valid
from vaescreen.images.pixels import FloatImage, checked
from vaescreen.registry.reading import Window

MAX_BYTES = 5 * 2**28
"""Memory that an opened file may take, its percentiles included: 1.25 GiB, so that the program stays below 2 GB."""
FOREGROUND = 0.1
"""Gray above this is foreground."""
NEARLY_EMPTY = 0.1
"""A slice is nearly empty if its foreground is less than this share of that of the fullest slice of the volume."""

SLICES = (
    f"unless chosen: those with at least {NEARLY_EMPTY:.0%} of the foreground (gray above {FOREGROUND}) "
    "of the volume's fullest slice"
)
"""Rule of automatic slices in words, for the record."""


def check_room(shape: Sequence[int], dtype: np.dtype[np.generic], volumes: int = 1) -> None:
    """Refuse, before it is read, what would not fit into `MAX_BYTES`.

    Parameters
    ----------
    shape
        All dimensions of what is held.
    dtype
        Its type.
    volumes
        Percentiles are taken of one of so many equal parts.

    Raises
    ------
    DataError
        With the bare reason.
    """
    count = math.prod(shape)
    percentiles = 0 if dtype.kind in "biu" and dtype.itemsize <= 2 else 4 * count // volumes
    if count * dtype.itemsize + percentiles > MAX_BYTES:
        size = " x ".join(map(str, shape))
        raise DataError(f"{size} values of type {dtype} take too much memory; cut it into smaller files")


class Volume:
    """Slices of a volume in the type in which they are stored.

    Parameters
    ----------
    values
        [S, H, W], of an integer or floating-point type.
    window
        Values that become black and white; `file` is percentiles of the volume, and `measured` none.
    slope, intercept
        A stored value v measures slope * v + intercept.

    Raises
    ------
    DataError
        With the bare reason: no value is finite, all are the same, or the window does not fit them.
    """

    def __init__(
        self, values: NDArray[np.generic], window: Window, *, slope: float = 1.0, intercept: float = 0.0
    ) -> None:
        self._values, self._slope, self._intercept = values, slope, intercept
        self._as_measured = window.kind == "measured"
        known = Window() if self._as_measured else window
        self._black, self._white = black_and_white(values, known, slope=slope, intercept=intercept)
        if not self._white > self._black:
            raise DataError("all pixels have the same value, or nearly all")

    def gray(self, number: int) -> FloatImage:
        """Give a slice as gray, float32 [H, W] in [0, 1], or as measured; NaN where values are not finite.

        Raises
        ------
        DataError
            With the bare reason: no value is finite, or all are the same.
        """
        measured = valid(self._measured(number))
        if self._as_measured:
            return checked(measured.astype(np.float32))
        return checked(to_gray(measured, self._black, self._white))

    def filled(self) -> list[int]:
        """Numbers of the slices that are not nearly empty; values that are not finite are no foreground."""
        level = self._black + FOREGROUND * (self._white - self._black)
        counts = [np.count_nonzero(valid(self._measured(n)) > level) for n in range(len(self._values))]
        least = max(NEARLY_EMPTY * max(counts), 1)
        return [number for number, count in enumerate(counts) if count >= least]

    def _measured(self, number: int) -> NDArray[np.float64]:
        return np.asarray(self._values[number], np.float64) * self._slope + self._intercept


def part(count: int, slices: tuple[float, float]) -> list[int]:
    """Numbers of the slices in a part of a volume, given as fractions of their number; at least one."""
    first, end = (round(fraction * count) for fraction in slices)
    first = min(first, count - 1)
    return list(range(first, max(end, first + 1)))
