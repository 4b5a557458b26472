"""What every image is once it is read: float32 [H, W] in [0, 1], finite, of usable size, and not all the same."""

import numpy as np
from numpy.typing import NDArray

from vaescreen.errors import DataError

FloatImage = NDArray[np.float32]

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
    """Give the image back if it can be used.

    Raises
    ------
    DataError
        With the bare reason: values that are not finite, or all the same.
    """
    if not np.isfinite(pixels).all():
        raise DataError("holds values that are not finite")
    if pixels.min() == pixels.max():
        raise DataError("all pixels have the same value")
    return pixels
