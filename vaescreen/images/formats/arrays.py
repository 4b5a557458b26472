"""NumPy arrays (`.npy`, `.npz`): images, stacks of slices as in MRNet, and image collections as in MedMNIST.

A file is what its shape says: [H, W] and [H, W, 1 or 3] an image, [N, H, W] and [1, N, H, W] the slices of a volume,
which are one patient's, [N, H, W, 1 or 3] and [N, 1 or 3, H, W] images of one patient. An array named after a split,
alone (`train.npy`) or in an archive (`train_images` of MedMNIST's `.npz`), is a collection: each of its images, or of
its volumes where it is [N, D, H, W] as in 3-D MedMNIST, with or without a lone channel, is a patient of its own.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaescreen.errors import DataError
from vaescreen.images.formats import npy
from vaescreen.images.formats.base import Format, Frame
from vaescreen.images.formats.npy import Stored
from vaescreen.images.formats.raster import LUMA
from vaescreen.images.formats.volume import SLICES, Volume, check_room, part
from vaescreen.images.held import held
from vaescreen.images.labels import is_label_file, refuse_label_map
from vaescreen.images.levels import black_and_white, extremes
from vaescreen.images.pixels import FloatImage, check_shape
from vaescreen.images.splits import split_named
from vaescreen.registry.reading import Reading, Window

_COLLECTION = re.compile(r"(?:x_)?([a-z]+?)(?:_images)?")
_LONE = ("image", "images", "arr_0")
_NAMES_SHOWN = 10


class _Layout(NamedTuple):
    """What the dimensions and the name of an array make of it: its shape without channels, and their axis."""

    header: Stored
    shape: tuple[int, ...]
    channels: int | None
    split: str | None

    @property
    def several(self) -> bool:
        """Whether it holds several images."""
        return len(self.shape) > 2

    @property
    def has_volumes(self) -> bool:
        """Whether each entry of a collection is a volume."""
        return self.split is not None and len(self.shape) == 4

    @property
    def is_volume(self) -> bool:
        """Whether the images are slices of one volume."""
        return self.several and self.channels in (None, 0) and self.split is None


class _Array:
    """The values of an array, and what becomes black and white in them."""

    def __init__(self, path: Path, name: str, layout: _Layout, window: Window) -> None:
        if layout.is_volume:
            check_room(layout.header.shape, layout.header.dtype)
        self.name = name
        self.values, self._layout = npy.read(path, name, layout.header), layout
        if layout.channels is not None:
            self.values = np.moveaxis(self.values, layout.channels, -1)
        if layout.channels is not None and (layout.is_volume or layout.has_volumes):
            self.values = self.values[..., 0]
        self._window = _settled(self.values, window)
        self.volume = Volume(self.values, self._window) if layout.is_volume else None

    def entry(self, number: int) -> Volume:
        """Give one volume of a collection of them."""
        return Volume(self.values[number], self._window)

    def gray(self, number: int) -> FloatImage:
        """Give one image."""
        if self.volume:
            return self.volume.gray(number)
        image: NDArray[Any] = self.values[number] if self._layout.several else self.values
        if self._layout.channels is not None:
            weights = LUMA if image.shape[-1] == len(LUMA) else (1.0,)
            planes = np.moveaxis(np.asarray(image, np.float64), -1, 0)
            image = np.asarray(sum(weight * plane for weight, plane in zip(weights, planes, strict=True)))
        return Volume(image[None], self._window).gray(0)


class _File:
    """The arrays of a file that are images, one of them in memory or mapped."""

    def __init__(self, path: Path, window: Window) -> None:
        self.layouts = _layouts(path)
        self._path, self._window = path, window
        self._array: _Array | None = None

    def array(self, name: str) -> _Array:
        """Open an array, or give it if it was the last."""
        if self._array is None or self._array.name != name:
            self._array = None
            self._array = _Array(self._path, name, self.layouts[name], self._window)
        return self._array


def _frames(path: Path, reading: Reading) -> list[Frame]:
    file = _opened(path, reading)
    frames: list[Frame] = []
    for name, layout in file.layouts.items():
        numbers = range(layout.shape[0])
        prefix = f"{name}/" if name else ""
        if layout.split and layout.has_volumes:
            for number in numbers:
                chosen = (
                    part(layout.shape[1], reading.slices)
                    if reading.slices
                    else file.array(name).entry(number).filled()
                )
                owner = f"{path.stem}/{prefix}{number}"
                frames += [Frame(f"{prefix}{number}/{each}", owner, layout.split) for each in chosen]
        elif layout.split:
            frames += [Frame(f"{prefix}{number}", "", layout.split) for number in numbers]
        elif layout.is_volume:
            refuse_label_map(file.array(name).values, reading)
            volume = file.array(name).volume if not reading.slices else None
            chosen = volume.filled() if volume else part(len(numbers), reading.slices or (0, 1))
            frames += [Frame(str(number)) for number in chosen]
        else:
            if not layout.several and layout.channels is None:
                refuse_label_map(file.array(name).values, reading)
            frames += [Frame(str(number)) for number in numbers] if layout.several else [Frame()]
    return frames


def _read(path: Path, key: str, reading: Reading) -> FloatImage:
    file = _opened(path, reading)
    first, *rest = key.split("/")
    name, numbers = (
        (first, rest) if first in file.layouts and rest else (next(iter(file.layouts)), [first, *rest])
    )
    array = file.array(name)
    if file.layouts[name].has_volumes:
        return array.entry(int(numbers[0])).gray(int(numbers[1]))
    return array.gray(int(numbers[0] or 0))


def _opened(path: Path, reading: Reading) -> _File:
    return held(path, ("NumPy", reading.window), lambda: _File(path, reading.window))


def _layouts(path: Path) -> dict[str, _Layout]:
    """Find the arrays of a file that are images: those named after a split, else the only one."""
    headers = npy.headers(path)
    splits = {name: _split(name or path.stem) for name in headers}
    chosen = [name for name in headers if splits[name]]
    if not chosen:
        chosen = [name for name in headers if name in _LONE] or _pictures(headers) or list(headers)
        if len(chosen) != 1:
            shown = ", ".join(map(ascii, list(headers)[:_NAMES_SHOWN])) or "nothing"
            raise DataError(f"holds {shown}; give one array, or train_images, val_images and test_images")
    if is_label_file("", chosen[0] or path.stem):
        raise DataError("holds labels, not images")
    return {name: _layout(name, headers[name], splits[name]) for name in chosen}


def _pictures(headers: Mapping[str, Stored | DataError]) -> list[str]:
    """Arrays that have the dimensions of images and are not called like the labels beside them."""
    return [
        name
        for name, header in headers.items()
        if isinstance(header, Stored) and len(header.shape) > 1 and not is_label_file("", name)
    ]


def _split(name: str) -> str | None:
    match = _COLLECTION.fullmatch(name.lower())
    return split_named(match[1]) if match else None


def _layout(name: str, header: Stored | DataError, split: str | None) -> _Layout:
    where = f"{name}: " if name else ""
    if isinstance(header, DataError):
        raise DataError(f"{where}{header}") from header
    shape = header.shape
    channels = _channels(shape, split)
    sides = shape if channels is None else (*shape[:channels], *shape[channels + 1 :])
    colour = channels is not None and shape[channels] > 1
    able = (2, 3) if not split else (3,) if colour else (3, 4)
    if len(sides) not in able:
        raise DataError(
            f"{where}has dimensions {' x '.join(map(str, shape))}; (number x) height x width (x 1 or 3) can be read, "
            "number x 1 or 3 x height x width, and volumes of a split as number x slices x height x width"
        )
    check_shape(*sides[-2:])
    return _Layout(header, sides, channels, split)


def _channels(shape: tuple[int, ...], split: str | None) -> int | None:
    """Axis of the channels, if there are any: the last, that behind the number, or the first of a lone volume."""
    if len(shape) > 2 and shape[-1] in (1, len(LUMA)):
        return len(shape) - 1
    if len(shape) > 3 and shape[1] in (1, len(LUMA)):
        return 1
    return 0 if len(shape) == 4 and shape[0] == 1 and not split else None


def _settled(values: NDArray[np.generic], window: Window) -> Window:
    """Decide once for an array what `file` and `full` mean, as `FORMAT` describes."""
    kind, dtype = window.kind, values.dtype
    if kind == "file" and dtype.kind in "bu" and dtype.itemsize <= 2:
        kind = "full"
    if kind == "file" and dtype.kind == "f":
        low, high = extremes(values)
        kind = "full" if low >= 0 and high <= 1 else "file"
    if kind != "full":
        return window
    low, high = black_and_white(values, Window("full"))
    return Window("level", (low, high))


FORMAT = Format(
    name="NumPy",
    suffixes=frozenset({".npy", ".npz"}),
    frames=_frames,
    read=_read,
    recognises=lambda head: head.startswith(b"\x93NUMPY"),
    obeys=frozenset({"slices"}),
    description={
        "range": "full scale of unsigned integers of 8 and 16 bits; floating-point arrays within 0 to 1 as they are; "
        "percentiles of other volumes, or of other images one by one; unless the window says otherwise",
        "luma": list(LUMA),
        "orientation": "as stored; slices across the first axis, whatever the axis asked for",
        "slices": SLICES,
    },
)
