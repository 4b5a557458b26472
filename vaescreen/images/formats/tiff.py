"""TIFF, decided by its tags: what Pillow is known to read right it reads, everything else goes to tifffile.

A file of several pages of one size is a volume of slices, as ImageJ and OME-TIFF write them; colour whole-slide
images, pyramids of tiles, stay out: cut them into images first.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from vaescreen.errors import DataError
from vaescreen.images.formats.base import Format, Frame, imported
from vaescreen.images.formats.raster import LUMA, read_image
from vaescreen.images.formats.volume import SLICES, Volume, check_room, part
from vaescreen.images.held import held
from vaescreen.images.labels import refuse_label_map
from vaescreen.images.levels import extremes, valid, windowed
from vaescreen.images.pixels import FloatImage, check_shape, checked
from vaescreen.registry.reading import Reading, Window

_MARKS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_BIG = b"+"
_MOST_PAGES = 2**14
_BITS, _COMPRESSION, _PHOTOMETRIC, _FILL_ORDER, _SAMPLES = 258, 259, 262, 266, 277
_PLANAR, _SUB_IFDS, _FORMAT = 284, 330, 339
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE = range(4)
_CMYK = 5
_NONE, _LZW, _DEFLATE, _ADOBE_DEFLATE, _PACK_BITS = 1, 5, 8, 32946, 32773
_KNOWN_RIGHT = {_NONE, _LZW, _DEFLATE, _ADOBE_DEFLATE, _PACK_BITS}
"""Compressions that Pillow decodes as tifffile does."""


class _Stack(NamedTuple):
    """Pixels of all pages as stored, [N, H, W] or [N, H, W, 3], and what full scale is; None for floating point."""

    values: NDArray[Any]
    white: float | None
    inverted: bool


def _frames(path: Path, reading: Reading) -> list[Frame]:
    if _is_plain(path):
        return [Frame()]
    stack = held(path, "TIFF", lambda: _decoded(path))
    count = len(stack.values)
    if stack.values.ndim == 3:
        refuse_label_map(stack.values, reading)
    if count == 1:
        return [Frame()]
    if reading.slices:
        chosen = part(count, reading.slices)
    elif stack.values.ndim == 3:
        chosen = Volume(stack.values, Window()).filled()
    else:
        chosen = list(range(count))
    return [Frame(str(number)) for number in chosen]


def _read(path: Path, key: str, reading: Reading) -> FloatImage:
    if _is_plain(path):
        return _plain(path, reading)
    stack = held(path, "TIFF", lambda: _decoded(path))
    return checked(_gray(stack, int(key or 0), reading.window))


def _plain(path: Path, reading: Reading) -> FloatImage:
    gray = read_image(path, reading.window)
    refuse_label_map(gray, reading)
    return gray


def _is_plain(path: Path) -> bool:
    """Whether Pillow is known to read a file right: one page, gray or colour of 8 bits, or gray of 16 in order."""
    with path.open("rb") as stream:
        head = stream.read(8)
        if not head.startswith(_MARKS) or _BIG in head[:4]:
            return False
        with _unreadable_tags_mean_no():
            tags = ImageFileDirectory_v2(head)
            stream.seek(tags.next)
            tags.load(stream)
            return not tags.next and _is_simple(tags, little=head.startswith(b"II"))
    return False


@contextmanager
def _unreadable_tags_mean_no() -> Iterator[None]:
    """What Pillow cannot even find the tags of is left to tifffile, and to its complaint."""
    try:
        yield
    except Exception:
        return


def _is_simple(tags: Any, *, little: bool) -> bool:
    bits, photometric = tags.get(_BITS, (1,)), tags.get(_PHOTOMETRIC)
    samples = tags.get(_SAMPLES, 1)
    usual = (
        tags.get(_COMPRESSION, _NONE) in _KNOWN_RIGHT
        and tags.get(_FILL_ORDER, 1) == 1
        and set(tags.get(_FORMAT, (1,))) == {1}
        and _SUB_IFDS not in tags
        and (samples == 1 or tags.get(_PLANAR, 1) == 1)
        and len(bits) == samples
    )
    if set(bits) == {8}:
        right = {1: {_WHITE_IS_ZERO, _BLACK_IS_ZERO, _PALETTE}, 3: {_RGB}, 4: {_RGB, _CMYK}}
        return usual and photometric in right.get(samples, ())
    deep = bits == (16,) and little and photometric == _BLACK_IS_ZERO
    return usual and (deep or (bits == (1,) and photometric == _BLACK_IS_ZERO))


def _decoded(path: Path) -> _Stack:
    tifffile = imported("tifffile", "TIFF (other than plain gray or colour)")
    tifffile.logger().addHandler(logging.NullHandler())  # else its complaints would be printed beside ours
    try:
        with tifffile.TiffFile(path) as file:
            return _stack(file)
    except tifffile.TiffFileError as error:
        raise DataError(f"a damaged TIFF ({error})") from error


def _stack(file: Any) -> _Stack:
    if (
        len(file.pages) > _MOST_PAGES
    ):  # to count them ends a circle of pages, in which tifffile would walk for ever
        raise DataError(f"holds {len(file.pages)} pages; at most {_MOST_PAGES} are read")
    page = file.pages[0]
    if file.is_svs or file.is_ndpi or (page.is_tiled and (file.series[0].is_pyramidal or page.subifds)):
        raise DataError(
            "a whole-slide image (a pyramid of tiles), which is not read; cut it into single images"
        )
    series = file.series[0]
    pages, shape, dtype = len(series.pages), series.shape, series.dtype
    if dtype is None or dtype.kind not in "biuf" or dtype.itemsize > 8:
        raise DataError(f"pixels are of type {dtype}, not numbers")
    axes = series.axes
    left_out = sum(len(other.pages) for other in file.series[1:] if not _is_reduced(other))
    if left_out:
        raise DataError(
            f"holds pages of different kinds ({pages} and {left_out} more); save each as its own file"
        )
    check_shape(shape[axes.index("Y")], shape[axes.index("X")])
    check_room(shape, dtype)
    if page.photometric.name in {"YCBCR", "SEPARATED", "CIELAB"} and page.compression.name != "JPEG":
        raise DataError(f"colours in {page.photometric.name} are not read; save it as gray or RGB")
    values = np.asarray(series.asarray(maxworkers=1))
    values = _last_three(values, axes)
    if page.photometric.name == "PALETTE" and page.colormap is not None:
        return _Stack(np.moveaxis(page.colormap[:, values], 0, -1), _full_scale(16), inverted=False)
    bits = page.bitspersample if isinstance(page.bitspersample, int) else page.bitspersample[0]
    white = None if dtype.kind == "f" else _full_scale(bits)
    return _Stack(values, white, page.photometric.name == "MINISWHITE")


def _is_reduced(series: Any) -> bool:
    """Whether pages are thumbnails or masks beside the image."""
    return all(getattr(page, "is_reduced", False) or getattr(page, "is_mask", False) for page in series.pages)


def _last_three(values: NDArray[Any], axes: str) -> NDArray[Any]:
    """Bring any order of axes to [N, H, W] or, in colour, [N, H, W, 3]; alpha is dropped."""
    order = [place for place, axis in enumerate(axes) if axis not in "YXS"]
    colour = [axes.index("S")] if "S" in axes else []
    order += [axes.index("Y"), axes.index("X"), *colour]
    moved = values.transpose(order)
    sides = moved.shape[-3:] if colour else moved.shape[-2:]
    stack = moved.reshape(-1, *sides)
    if not colour:
        return stack
    if sides[-1] < len(LUMA):
        return stack[..., 0]
    return stack[..., : len(LUMA)]


def _full_scale(bits: int) -> float:
    """Largest value of so many bits; of 32-bit integers, which nobody fills, that of 16."""
    return float(2 ** min(bits, 16) - 1)


def _gray(stack: _Stack, number: int, window: Window) -> FloatImage:
    image = stack.values[number].astype(np.float64)
    if image.ndim == 3:
        image = image @ np.asarray(LUMA)
    if stack.white is None:
        image = valid(image)
    low, high = extremes(image)
    if not low <= high:
        raise DataError("holds no value that is finite")
    white = stack.white or 1.0
    if window.kind in {"file", "full"} and (low < 0 or high > white):
        if len(stack.values) == 1:
            what = "integers" if stack.white else "floating-point values"
            raise DataError(
                f"{what} from {low:g} to {high:g}, where 0 to {white:g} is full scale; give --window auto or LOW,HIGH"
            )
        return Volume(stack.values, Window()).gray(number)
    gray = windowed((image / white), white, window)
    return (1 - gray if stack.inverted and window.kind != "measured" else gray).astype(np.float32)


def _stream_is_tiff(head: bytes) -> bool:
    return head.startswith(_MARKS)


FORMAT = Format(
    name="TIFF",
    suffixes=frozenset({".tif", ".tiff"}),
    frames=_frames,
    read=_read,
    recognises=_stream_is_tiff,
    obeys=frozenset({"slices"}),
    description={
        "range": "full scale of the stored bits; floating point within 0 to 1 as it is; percentiles of each volume "
        "with other values; unless the window says otherwise",
        "luma": list(LUMA),
        "slices": SLICES,
    },
)
