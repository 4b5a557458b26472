"""Black and white of measured values: full scale of a type, a level, or percentiles of a volume."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaescreen.errors import DataError
from vaescreen.images.pixels import FloatImage
from vaescreen.registry.reading import Window


def black_and_white(
    values: NDArray[np.generic], window: Window, *, slope: float = 1.0, intercept: float = 0.0
) -> tuple[float, float]:
    """Find the measured values that become black and white.

    Parameters
    ----------
    values
        Stored values of a volume, or of an image that stands alone, of an integer or floating-point type.
    window
        `file` is taken as percentiles: whoever knows better passes another.
    slope, intercept
        A stored value v measures slope * v + intercept; a `level` is in this unit.

    Returns
    -------
    tuple of float
        Black and white, black first.

    Raises
    ------
    DataError
        With the bare reason: nothing is finite, or, for the full scale of a floating-point type, which is 0 to 1,
        that values lie outside.
    """
    if window.kind == "level":
        return window.values
    if window.kind == "full":
        low, high = _full_scale(values, slope, intercept)
    else:
        first, last = window.values
        shares = (first, last) if slope > 0 else (100 - first, 100 - last)
        low, high = (slope * value + intercept for value in percentiles(values, shares))
    return min(low, high), max(low, high)


def percentiles(values: NDArray[np.generic], shares: tuple[float, ...]) -> tuple[float, ...]:
    """Give percentiles of the finite values, linear between neighbours, as `numpy.percentile` does.

    Integers of at most 16 bits are counted, which takes no further memory; others are copied as float32.

    Raises
    ------
    DataError
        With the bare reason, if nothing is finite.
    """
    if values.dtype.kind in "biu" and values.dtype.itemsize <= 2:
        return _counted(values, shares)
    flat = values.astype(np.float32).ravel()
    if not np.isfinite(flat).all():
        flat = flat[np.isfinite(flat)]
    if not flat.size:
        raise DataError("holds no value that is finite")
    return tuple(float(value) for value in np.percentile(flat, shares, overwrite_input=True))


def _counted(values: NDArray[np.generic], shares: tuple[float, ...]) -> tuple[float, ...]:
    lowest, highest = int(values.min()), int(values.max())
    counts = np.zeros(highest - lowest + 1, np.int64)
    for part in values if values.ndim > 2 else values[None]:
        counts += np.bincount(part.astype(np.int64).ravel() - lowest, minlength=counts.size)
    up_to = counts.cumsum()
    found = []
    for share in shares:
        place = share / 100 * (values.size - 1)
        below, above = np.searchsorted(up_to, [np.floor(place), np.ceil(place)], side="right") + lowest
        found.append(float(below + (above - below) * (place - np.floor(place))))
    return tuple(found)


def _full_scale(values: NDArray[np.generic], slope: float, intercept: float) -> tuple[float, float]:
    if values.dtype.kind == "b":
        return 0.0, 1.0
    if values.dtype.kind in "iu":
        scale = np.iinfo(values.dtype)  # type: ignore[type-var]  # an integer type, as was just seen
        return slope * float(scale.min) + intercept, slope * float(scale.max) + intercept
    low, high = sorted(slope * float(value) + intercept for value in extremes(values))
    if not low <= high:
        raise DataError("holds no value that is finite")
    if low < 0 or high > 1:
        raise DataError(
            f"floating-point values from {low:g} to {high:g}; scale them to 0 to 1, or give --window LOW,HIGH"
        )
    return 0.0, 1.0


def windowed(gray: FloatImage, white: float, window: Window) -> FloatImage:
    """Give an image that the full scale of its format made gray as another window shows it.

    Parameters
    ----------
    gray
        float32 [H, W] in [0, 1].
    white
        Value that full scale made white, in the unit of the window; black was 0.
    window
        `file` and `full` leave the image as it is.
    """
    if window.kind in {"file", "full"}:
        return gray
    measured = gray.astype(np.float64) * white
    if window.kind == "measured":
        return measured.astype(np.float32)
    return to_gray(measured, *black_and_white(measured, window))


def valid(values: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """Give values that are not finite as NaN, which stands for no data wherever images are read."""
    return np.where(np.isfinite(values), values, np.nan)


def extremes(values: NDArray[np.generic]) -> tuple[float, float]:
    """Smallest and largest finite value; NaN if there is none."""
    if values.dtype.kind == "f":
        values = values[np.isfinite(values)] if not np.isfinite(values).all() else values
        if not values.size:
            return float("nan"), float("nan")
    return float(values.min()), float(values.max())


def to_gray(values: NDArray[Any], low: float, high: float) -> FloatImage:
    """Map `low` to 0 and `high` to 1, linearly, and clip; what is no data (NaN) stays so.

    Raises
    ------
    DataError
        If `high` is not above `low`, with the bare reason.
    """
    if not high > low:
        raise DataError("all pixels have the same value")
    scaled = (values.astype(np.float64) - low) / (high - low)
    return scaled.clip(0, 1).astype(np.float32)
