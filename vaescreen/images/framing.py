"""Bring images to one size: the central square, resized with antialiasing, in floating point throughout.

Or leave them as they are, at native size.
"""

from typing import Any

import numpy as np
import PIL
from PIL import Image

from vaescreen.errors import DataError
from vaescreen.images.pixels import FloatImage

SMALLEST_NATIVE = 16
"""What is left of a side when it is cut to a multiple of the scale, 8 at most, must hold a window of SSIM."""


def frame(pixels: FloatImage, size: int | None) -> FloatImage:
    """Crop centrally to a square and resize it by an antialiased Lanczos kernel.

    Parameters
    ----------
    pixels
        float32 [H, W] in [0, 1].
    size
        Side of the result in pixels; smaller images are enlarged. None keeps the image as it is, odd sides too:
        what needs multiples of something cuts or pads for itself (see `View.batches` and `pad_to_multiple`).

    Returns
    -------
    FloatImage
        float32 [size, size], or [H, W] with `size` None; clipped to [0, 1], for Lanczos overshoots.

    Raises
    ------
    DataError
        With the bare reason, if `size` is None and a side is below `SMALLEST_NATIVE`.
    """
    height, width = pixels.shape
    if size is None:
        if min(height, width) < SMALLEST_NATIVE:
            least = f"{SMALLEST_NATIVE}x{SMALLEST_NATIVE}"
            raise DataError(f"{width}x{height} pixels; at native size at least {least} are needed")
        return pixels
    side = min(height, width)
    square = _central_crop(pixels, side, side)
    if side == size:
        return square
    resized = Image.fromarray(square).resize((size, size), Image.Resampling.LANCZOS)
    return np.asarray(resized).clip(0, 1)


def framing_description(size: int | None) -> dict[str, Any]:
    """Say what `frame` does with this size, for the record."""
    if size is None:
        return {"size": None, "crop": None, "resize": None}
    resize = {"kernel": "lanczos", "antialias": True, "library": "Pillow", "version": PIL.__version__}
    return {"size": size, "crop": "central square", "resize": resize}


def _central_crop(pixels: FloatImage, height: int, width: int) -> FloatImage:
    top, left = (pixels.shape[0] - height) // 2, (pixels.shape[1] - width) // 2
    return np.ascontiguousarray(pixels[top : top + height, left : left + width])
