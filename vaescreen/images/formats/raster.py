"""PNG, JPEG, WebP and BMP through Pillow, JPEG 2000 and netpbm beside: one image a file, at its full bit depth."""

import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, UnidentifiedImageError

from vaescreen.errors import DataError
from vaescreen.images.formats import netpbm
from vaescreen.images.formats.base import Format, imported
from vaescreen.images.formats.png import PNG_MARK, is_complete, pixels_only
from vaescreen.images.labels import refuse_label_map
from vaescreen.images.levels import windowed
from vaescreen.images.pixels import MAX_PIXELS, FloatImage, check_shape, checked
from vaescreen.registry.reading import AS_FILES_SAY, Reading, Window

PILLOW_FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP")
READ = "PNG, JPEG, TIFF, WEBP, BMP, JPEG 2000, PGM"
SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".jp2", ".j2k", ".jpx", ".pgm", ".ppm", ".pnm"}
)
"""GIF is here so that such files are not passed over without a word; they hold 8 bits of palette, and are refused."""
LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in gray: ITU-R BT.601, applied to the stored (gamma-encoded) values."""

_JPEG2000 = (b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51")
"""How a JP2 file, and a bare codestream, begin."""
_FULL_16 = 2**16 - 1
_PIECE = 2**20
"""Pixels."""


def read_image(file: Path | BinaryIO, window: Window = AS_FILES_SAY.window) -> FloatImage:
    """Decode a file, or a stream of its bytes, to gray; its content, not its suffix, decides the format.

    Integers are divided by the full scale of their format (255, 65535, or what the file states), never by the
    image's own maximum, so that brightness stays comparable between images; unless a window in the file's own unit
    is given. Floating-point files must already lie in [0, 1], or need a window. Colour becomes gray by `LUMA` in
    floating point, CMYK by way of RGB. Alpha is dropped: what lies under a transparent pixel is used as stored, no
    background is invented. Of several images in a JPEG (MPO) the first is taken, as viewers do; the others are
    previews, gain maps or other views.

    Returns
    -------
    FloatImage
        float32 [H, W] in [0, 1]; NaN where a floating-point file has no finite value.

    Raises
    ------
    DataError
        With the bare reason: not an image, several frames, 16-bit colour, values out of range, constant, or of
        unusable size.
    Exception
        Whatever Pillow raises on damaged files.
    """
    with _stream(file) as stream:
        head = stream.read(len(_JPEG2000[0]))
        stream.seek(0)
        if head.startswith(_JPEG2000):
            gray, white = _jpeg2000(stream.read())
        elif netpbm.recognises(head):
            gray, white = netpbm.read(stream, _luma)
        else:
            gray, white = _by_pillow(stream, head)
    return checked(windowed(gray, white, window))


def _by_pillow(stream: BinaryIO, head: bytes) -> tuple[FloatImage, float]:
    """Gray by full scale, and what full scale is."""
    try:
        with _complete(), _opened(stream, head) as image:
            _check_header(image)
            stored = np.asarray(image)
            if image.format == "PNG" and not stored[-2:].any(axis=1).all():
                _check_png(stream)
            return _to_gray(image, stored)
    except UnidentifiedImageError:
        raise DataError(f"not an image in one of the formats {READ}") from None
    except Image.DecompressionBombError:
        raise DataError(f"larger than {MAX_PIXELS} pixels; cut it into smaller images") from None


def _opened(stream: BinaryIO, head: bytes) -> ImageFile.ImageFile:
    """Open an image; of a PNG whose profile or text is too long for Pillow, only what makes pixels."""
    try:
        return Image.open(stream, formats=PILLOW_FORMATS)
    except ValueError:
        if not head.startswith(PNG_MARK):
            raise
        return Image.open(io.BytesIO(pixels_only(stream)), formats=("PNG",))


def _jpeg2000(content: bytes) -> tuple[FloatImage, float]:
    """Decode JPEG 2000 at the depth of its components (ISO/IEC 15444-1, A.5.1), by OpenJPEG in imagecodecs."""
    start = content.find(_JPEG2000[1])
    size = content[start + 4 : start + 45]
    if start < 0 or len(size) < 41:
        raise DataError("ends within its header")
    right, bottom, left, top = (int.from_bytes(size[at : at + 4], "big") for at in (4, 8, 12, 16))
    samples, depth = int.from_bytes(size[36:38], "big"), size[38]
    check_shape(bottom - top, right - left)
    if samples not in (1, len(LUMA)) or depth & 0x80 or depth >= 16:
        raise DataError(f"{samples} components of {(depth & 0x7F) + 1} bits; save it as gray of 8 to 16 bits")
    pixels = imported("imagecodecs", "JPEG 2000").jpeg2k_decode(content, planar=False, numthreads=1)
    white = 2 ** (depth + 1) - 1
    if samples == 1:
        return _in_pieces(pixels.reshape(pixels.shape[:2]), lambda piece: piece / white), white
    return _in_pieces(pixels, lambda piece: _luma(piece, white)), white


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
    if getattr(image, "n_frames", 1) > 1 and image.format != "MPO":
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


def _to_gray(image: Image.Image, stored: NDArray[Any]) -> tuple[FloatImage, float]:
    """Gray by full scale, and what full scale is; `stored` is the image as an array."""
    if image.mode in {"I", "F"} or image.mode.startswith("I;16"):
        return _deep_gray(image.mode, stored)
    if image.mode == "1":
        return stored.astype(np.float32), 1
    if image.mode in {"L", "LA"}:
        gray = stored if stored.ndim == 2 else stored[..., 0]
        return np.divide(gray, 255, dtype=np.float32), 255
    if image.mode in {"P", "PA", "CMYK", "YCbCr", "RGBA", "RGBX"}:
        image = image.convert("RGB")
    if image.mode != "RGB":
        raise DataError(f"colour mode {image.mode} is not supported; save it as gray or RGB")
    return _in_pieces(np.asarray(image), _luma), 255


def _luma(colour: NDArray[Any], white: float = 255) -> NDArray[np.float64]:
    gray = sum(weight * colour[..., channel] for channel, weight in enumerate(LUMA))
    return np.asarray(gray / white)


def _deep_gray(mode: str, stored: NDArray[Any]) -> tuple[FloatImage, float]:
    """Gray of integers of more than 8 bits, by their full scale."""
    lowest, highest = float(stored.min()), float(stored.max())
    if mode == "F" or lowest < 0 or highest > _FULL_16:
        raise DataError(
            f"values from {lowest:g} to {highest:g}; only integers from 0 to {_FULL_16} can be read"
        )
    return _in_pieces(stored, lambda piece: piece.astype(np.float64) / _FULL_16), _FULL_16


def _in_pieces(stored: NDArray[Any], gray: Callable[[NDArray[Any]], NDArray[np.float64]]) -> FloatImage:
    """Turn values to gray piece by piece: double precision of a whole large image would fill the memory."""
    flat = stored.reshape(-1, *stored.shape[2:])
    pixels = np.empty(len(flat), np.float32)
    for start in range(0, len(flat), _PIECE):
        pixels[start : start + _PIECE] = gray(flat[start : start + _PIECE])
    return pixels.reshape(stored.shape[:2])


def _read(path: Path, key: str, reading: Reading) -> FloatImage:
    gray = read_image(path, reading.window)
    refuse_label_map(gray, reading)
    return gray


def _recognises(head: bytes) -> bool:
    riff = head.startswith(b"RIFF") and head[8:12] == b"WEBP"
    return (
        riff
        or head.startswith((PNG_MARK, b"\xff\xd8\xff", b"BM", b"GIF8", *_JPEG2000))
        or netpbm.recognises(head)
    )


FORMAT = Format(
    name="image",
    suffixes=SUFFIXES,
    frames=None,
    read=_read,
    recognises=_recognises,
    description={"range": "full scale of the file's format", "luma": list(LUMA)},
)
