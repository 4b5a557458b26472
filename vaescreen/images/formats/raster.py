"""PNG, JPEG, TIFF, WebP and BMP through Pillow: one image a file, at its full bit depth."""

import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageFile, UnidentifiedImageError

from vaescreen.errors import DataError
from vaescreen.images.formats.base import Format, Frame
from vaescreen.images.pixels import FloatImage, check_shape, checked
from vaescreen.images.reading import Reading

PILLOW_FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP")
SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp"})
LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in gray: ITU-R BT.601, applied to the stored (gamma-encoded) values."""

_TIFF_BITS_PER_SAMPLE, _TIFF_PHOTOMETRIC = 258, 262
_WHITE_IS_ZERO = 0


def read_image(path: Path) -> FloatImage:
    """Decode a PNG, JPEG, TIFF, WebP or BMP file to gray.

    Integers are divided by the full scale of their format (255, 65535, or what the TIFF states), never by the
    image's own maximum, so that brightness stays comparable between images. Floating-point files must already
    lie in [0, 1]. Colour becomes gray by `LUMA` in floating point, CMYK by way of RGB. Alpha is dropped: what
    lies under a transparent pixel is used as stored, no background is invented.

    Parameters
    ----------
    path
        The file; its content, not its suffix, decides the format.

    Returns
    -------
    FloatImage
        float32 [H, W] in [0, 1].

    Raises
    ------
    DataError
        With the bare reason, which the caller puts beside the path: unreadable, empty, not an image,
        truncated, several frames, 16-bit colour, values out of range, not finite, constant, or of
        unusable size.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            if path.stat().st_size == 0:
                raise DataError("the file is empty")
            with Image.open(path, formats=PILLOW_FORMATS) as image:
                _check_header(image)
                pixels = _to_gray(image)
    except UnidentifiedImageError:
        raise DataError(f"not an image in one of the formats {', '.join(PILLOW_FORMATS)}") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise DataError(f"larger than {Image.MAX_IMAGE_PIXELS} pixels; cut it into smaller images") from None
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise DataError(_one_line(error)) from error
    return checked(pixels)


def _check_header(image: ImageFile.ImageFile) -> None:
    """Refuse, before any pixel is decoded, what cannot be used or what Pillow would cut to 8 bits."""
    if getattr(image, "n_frames", 1) > 1:
        raise DataError("holds several frames or pages; save each as its own file")
    check_shape(image.height, image.width)
    arguments = image.tile[0][3] if image.tile else ""
    raw_mode = arguments if isinstance(arguments, str) else str((arguments or ("",))[0])
    if ";16" in raw_mode and image.mode not in {"I", "F"} and not image.mode.startswith("I;16"):
        raise DataError("16 bits a channel in colour or with alpha; save it as 16-bit gray")


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
    colour = np.asarray(image)
    gray = sum(weight * colour[..., channel] for channel, weight in enumerate(LUMA))
    return np.asarray(gray / 255, np.float32)


def _deep_gray(image: Image.Image) -> FloatImage:
    """Gray of more than 8 bits: integers by their full scale, floating point as it is."""
    values = np.asarray(image).astype(np.float64)
    tags = getattr(image, "tag_v2", {})
    if image.mode == "F":
        if not np.isfinite(values).all():
            raise DataError("holds values that are not finite")
        if values.min() < 0 or values.max() > 1:
            span = f"{values.min():g} to {values.max():g}"
            raise DataError(f"floating-point values from {span}; scale them to 0 to 1")
    else:
        bits = min(tags.get(_TIFF_BITS_PER_SAMPLE, (16,))[0], 16)
        full_scale = 2**bits - 1
        if values.min() < 0 or values.max() > full_scale:
            span = f"{values.min():g} to {values.max():g}"
            raise DataError(f"integers from {span}; only 0 to {full_scale} can be read")
        values /= full_scale
    if tags.get(_TIFF_PHOTOMETRIC) == _WHITE_IS_ZERO:
        values = 1 - values
    return values.astype(np.float32)


def _one_line(error: BaseException) -> str:
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return f"cannot be decoded ({' '.join(reason.split())})"


def _frames(path: Path, reading: Reading) -> list[Frame]:
    """One: how many a file holds is looked at when it is decoded."""
    return [Frame()]


def _read(path: Path, key: str, reading: Reading) -> FloatImage:
    return read_image(path)


FORMAT = Format(
    name="image",
    suffixes=SUFFIXES,
    frames=_frames,
    read=_read,
    description={"range": "full scale of the file's format", "luma": list(LUMA)},
)
