"""Images as data URIs, lossless at the 8 bits of a screen."""

import base64
import io

import numpy as np
from PIL import Image

from vaescreen.images.pixels import FloatImage


def data_uri(image: FloatImage) -> str:
    """Lossless WebP of a gray image as a data URI.

    Parameters
    ----------
    image
        float32 [H, W] in [0, 1]; what lies outside is cut off.
    """
    pixels = np.rint(255 * np.clip(image, 0, 1)).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "WEBP", lossless=True, quality=100, method=4)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}"
