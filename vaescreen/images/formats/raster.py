"""PNG, JPEG, TIFF, WebP and BMP through Pillow: one image a file, at its full bit depth."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, UnidentifiedImageError

from vaescreen.errors import DataError
from vaescreen.images.formats.base import Format
from vaescreen.images.formats.png import is_complete
from vaescreen.images.pixels import MAX_PIXELS, FloatImage, check_shape, checked
from vaescreen.images.reading import Reading

PILLOW_FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP")
SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp", ".gif"})
"""GIF is here so that such files are not passed over without a word; they hold 8 bits of palette, and are refused."""
LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in gray: ITU-R BT.601, applied to the stored (gamma-encoded) values."""

_TIFF_BITS_PER_SAMPLE, _TIFF_PHOTOMETRIC = 258, 262
_WHITE_IS_ZERO = 0
_PIECE = 2**20
"""Pixels."""


def read_image(file: Path | BinaryIO) -> FloatImage:
    """Decode a file, or a stream of its bytes, to gray; its content, not its suffix, decides the format.

    Integers are divided by the full scale of their format (255, 65535, or what the TIFF states), never by the
    image's own maximum, so that brightness stays comparable between images. Floating-point files must already
    lie in [0, 1]. Colour becomes gray by `LUMA` in floating point, CMYK by way of RGB. Alpha is dropped: what
    lies under a transparent pixel is used as stored, no background is invented.

    Returns
    -------
    FloatImage
        float32 [H, W] in [0, 1].

    Raises
    ------
    DataError
        With the bare reason: not an image, several frames, 16-bit colour, values out of range, not finite,
        constant, or of unusable size.
    Exception
        Whatever Pillow raises on damaged files.
    """
    try:
        with warnings.catch_warnings(), _complete():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with _stream(file) as stream, Image.open(stream, formats=PILLOW_FORMATS) as image:
                _check_header(image)
                image.load()
                if image.format == "PNG" and not np.asarray(image)[-2:].any(axis=1).all():
                    _check_png(stream)
                pixels = _to_gray(image)
    except UnidentifiedImageError:
        raise DataError(f"not an image in one of the formats {', '.join(PILLOW_FORMATS)}") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise DataError(f"larger than {MAX_PIXELS} pixels; cut it into smaller images") from None
    return checked(pixels)


@contextmanager
def _complete() -> Iterator[None]:
    """Refuse truncated files even where another package told Pillow to fill up what is missing."""
    tolerated, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, False
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = tolerated


def _check_header(image: ImageFile.ImageFile) -> None:
    """Refuse, before any pixel is decoded, what cannot be used or what Pillow would cut to 8 bits."""
    if getattr(image, "n_frames", 1) > 1:
        raise DataError("holds several frames or pages; save each as its own file")
    check_shape(image.height, image.width)
    arguments = image.tile[0][3] if image.tile else ""
    raw_mode = arguments if isinstance(arguments, str) else str((arguments or ("",))[0])
    if ";16" in raw_mode and image.mode not in {"I", "F"} and not image.mode.startswith("I;16"):
        raise DataError("16 bits a channel in colour or with alpha; save it as 16-bit gray")
    parts = {tile.extents for tile in image.tile if tile.extents}
    covered = sum((right - left) * (bottom - top) for left, top, right, bottom in parts)
    if parts and covered < image.height * image.width:
        raise DataError("ends early: parts of the image are missing")


def _check_png(stream: BinaryIO) -> None:
    if not is_complete(stream):
        raise DataError("ends early: its last rows are missing")


def _stream(file: Path | BinaryIO) -> AbstractContextManager[BinaryIO]:
    """Never the path to Pillow: it would map the file into memory, and crash if it is cut meanwhile."""
    return file.open("rb") if isinstance(file, Path) else nullcontext(file)


def _to_gray(image: Image.Image) -> FloatImage:
    if image.mode in {"I", "F"} or image.mode.startswith("I;16"):
        return _deep_gray(image)
    if image.mode == "1":
        return np.asarray(image, np.float32)
    if image.mode in {"L", "LA"}:
        return np.asarray(image.getchannel(0), np.float32) / np.float32(255)
    if image.mode in {"P", "PA", "CMYK", "YCbCr", "RGBA", "RGBX"}:
        image = image.convert("RGB")
    if image.mode != "RGB":
        raise DataError(f"colour mode {image.mode} is not supported; save it as gray or RGB")
    return _in_pieces(np.asarray(image), _luma)


def _luma(colour: NDArray[np.uint8]) -> NDArray[np.float64]:
    gray = sum(weight * colour[..., channel] for channel, weight in enumerate(LUMA))
    return np.asarray(gray / 255)


def _deep_gray(image: Image.Image) -> FloatImage:
    """Gray of more than 8 bits: integers by their full scale, floating point as it is."""
    stored = np.asarray(image)
    lowest, highest = float(stored.min()), float(stored.max())
    tags = getattr(image, "tag_v2", {})
    full_scale = 1
    if image.mode == "F":
        if not np.isfinite([lowest, highest]).all():
            raise DataError("holds values that are not finite")
        if lowest < 0 or highest > 1:
            raise DataError(f"floating-point values from {lowest:g} to {highest:g}; scale them to 0 to 1")
    else:
        bits = min(tags.get(_TIFF_BITS_PER_SAMPLE, (16,))[0], 16)
        full_scale = 2**bits - 1
        if lowest < 0 or highest > full_scale:
            raise DataError(f"integers from {lowest:g} to {highest:g}; only 0 to {full_scale} can be read")
    inverted = tags.get(_TIFF_PHOTOMETRIC) == _WHITE_IS_ZERO

    def scaled(piece: NDArray[Any]) -> NDArray[np.float64]:
        values = piece.astype(np.float64) / full_scale
        return 1 - values if inverted else values

    return _in_pieces(stored, scaled)


def _in_pieces(stored: NDArray[Any], gray: Callable[[NDArray[Any]], NDArray[np.float64]]) -> FloatImage:
    """Turn values to gray piece by piece: double precision of a whole large image would fill the memory."""
    flat = stored.reshape(-1, *stored.shape[2:])
    pixels = np.empty(len(flat), np.float32)
    for start in range(0, len(flat), _PIECE):
        pixels[start : start + _PIECE] = gray(flat[start : start + _PIECE])
    return pixels.reshape(stored.shape[:2])


def _read(path: Path, key: str, reading: Reading) -> FloatImage:
    return read_image(path)


FORMAT = Format(
    name="image",
    suffixes=SUFFIXES,
    frames=None,
    read=_read,
    description={"range": "full scale of the file's format", "luma": list(LUMA)},
)
