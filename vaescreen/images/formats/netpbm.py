"""PGM, PPM and their ASCII forms: the images of many an old archive, such as mini-MIAS.

Read here, since Pillow stretches values to 255 or 65535, so that they lose the unit in which a window is given.
"""

import re
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from vaescreen.errors import DataError
from vaescreen.images.pixels import FloatImage, check_shape

_CHANNELS = {b"2": 1, b"3": 3, b"5": 1, b"6": 3}
_ASCII = b"23"
_BETWEEN = rb"(?:\s|#[^\r\n]*[\r\n])+"
_HEADER = re.compile(rb"P([2356])" + 3 * (_BETWEEN + rb"(\d{1,9})") + rb"\s")
_MOST = 2**16 - 1
_LONGEST_HEADER = 2**16
_LONGEST_NUMBER = 16
"""Characters of a number in ASCII, with the blanks before it."""


def recognises(head: bytes) -> bool:
    """Whether a file is of this kind by its first bytes."""
    return re.match(rb"P[2356][\s#]", head) is not None


def read(
    stream: BinaryIO, luma: Callable[[NDArray[Any], float], NDArray[np.float64]]
) -> tuple[FloatImage, float]:
    """Decode an image to gray by full scale, and say what full scale is: the largest value that its header allows.

    Raises
    ------
    DataError
        With the bare reason: damaged, of unusable size, or with values over what the header allows.
    """
    match = _HEADER.match(stream.read(_LONGEST_HEADER))
    if match is None:
        raise DataError("its netpbm header is damaged")
    width, height, white = (int(match[place]) for place in (2, 3, 4))
    channels = _CHANNELS[match[1]]
    check_shape(height, width)
    if not 1 <= white <= _MOST:
        raise DataError(f"its largest value is {white}; 1 to {_MOST} can be read")
    count = height * width * channels
    stream.seek(match.end())
    if match[1] in _ASCII:
        stored = np.array(stream.read(count * _LONGEST_NUMBER).split()[:count], np.int64)
    else:
        kind = np.dtype("u1" if white < 2**8 else ">u2")
        content = stream.read(count * kind.itemsize)
        stored = np.frombuffer(content[: len(content) // kind.itemsize * kind.itemsize], kind)
    if stored.size < count:
        raise DataError(f"ends early: {stored.size} of {count} values are there")
    if stored.min() < 0 or stored.max() > white:
        raise DataError(f"values to {stored.max()}, where its header allows {white}")
    pixels = stored.reshape(height, width, channels)
    gray = pixels[..., 0] / white if channels == 1 else luma(pixels, white)
    return gray.astype(np.float32), white
