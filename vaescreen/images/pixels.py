"""What every image is once it is read: float32 [H, W] in [0, 1] or no data, of usable size, not all the same."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaescreen.errors import DataError

FloatImage = NDArray[np.float32]


class NoPictureError(DataError):
    """A file, or an image of it, that is no picture, such as a segmentation: left out, which is no fault of it.

    Attributes
    ----------
    kind
        What it is, for counts.
    """

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind


class Picture(NamedTuple):
    """An image as it is delivered.

    Attributes
    ----------
    pixels
        float32 [H, W] in [0, 1].
    no_data
        Share of its pixels of which the file says that they are no data, such as NaN and padding; they are black.
    """

    pixels: FloatImage
    no_data: float = 0.0


MIN_SIDE = 8
MAX_PIXELS = 89_478_485
"""Images of more pixels are refused before they are decoded; Pillow's limit, 256 MiB of 8-bit colour."""


def check_shape(height: int, width: int) -> None:
    """Refuse, before any pixel is decoded, an image that is too small or too large to be used.

    Raises
    ------
    DataError
        With the bare reason.
    """
    if min(height, width) < MIN_SIDE:
        raise DataError(f"{width}x{height} pixels; at least {MIN_SIDE}x{MIN_SIDE} are needed")
    if height * width > MAX_PIXELS:
        raise DataError(f"larger than {MAX_PIXELS} pixels; cut it into smaller images")


def checked(pixels: FloatImage) -> FloatImage:
    """Give the image back if it can be used; NaN stands for no data.

    Raises
    ------
    DataError
        With the bare reason: no value at all, or all the same.
    """
    low, high = pixels.min(), pixels.max()
    if not np.isfinite(low + high):
        if not np.isfinite(pixels).any():
            raise DataError("holds no value that is finite")
        low, high = np.nanmin(pixels), np.nanmax(pixels)
    if low == high:
        raise DataError("all pixels have the same value")
    return pixels


def drawn(pixels: FloatImage) -> Picture:
    """Draw what is no data black, and say how much that is."""
    if not np.isnan(pixels.min()):
        return Picture(pixels)
    return Picture(np.nan_to_num(pixels, nan=0.0), float(np.isnan(pixels).mean()))
