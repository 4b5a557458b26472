"""HDF5 (`.h5`, `.hdf5`): fastMRI's reconstruction or k-space, `image` as in ACDC, Synapse and LA, or the only stack.

The layout and the reconstruction follow Zbontar et al., fastMRI: An Open Dataset and Benchmarks for Accelerated MRI
(arXiv:1811.08839).
"""

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from vaescreen.errors import DataError
from vaescreen.images.formats.base import Format, Frame, imported
from vaescreen.images.formats.volume import MAX_BYTES, SLICES, Volume, check_room, part
from vaescreen.images.held import held
from vaescreen.images.labels import is_label_file, refuse_label_map
from vaescreen.images.pixels import MIN_SIDE, FloatImage, check_shape
from vaescreen.registry.reading import Reading

PREFERRED = ("reconstruction_rss", "reconstruction_esc")
"""Root sum of squares of the coils; single coil emulated from many."""

IMAGES = ("image",)
"""What data sets for segmentation call the picture beside its `label`."""

_MAX_HEADER = 2**20
_NAMES_SHOWN = 10


def _frames(path: Path, reading: Reading) -> list[Frame]:
    with _opened(path) as file:
        dataset = _chosen(file)
        patient = _patient(file)
        shape = _without_channel(dataset.shape)
    if len(shape) == 2:
        _volume(path, reading)
        return [Frame("", patient)]
    numbers = part(shape[0], reading.slices) if reading.slices else _volume(path, reading).filled()
    return [Frame(str(number), patient) for number in numbers]


def _read(path: Path, key: str, reading: Reading) -> FloatImage:
    return _volume(path, reading).gray(int(key or 0))


def _volume(path: Path, reading: Reading) -> Volume:
    def make() -> Volume:
        with _opened(path) as file:
            dataset = _chosen(file)
            complex_ = dataset.dtype.kind == "c"
            values = (
                _magnitude(file, dataset)
                if complex_
                else dataset[()].reshape(_without_channel(dataset.shape))
            )
        if values.ndim == 2:
            values = values[None]
        refuse_label_map(values, reading)
        return Volume(values, reading.window)

    return held(path, ("HDF5", reading), make)


def _opened(path: Path) -> Any:
    return imported("h5py", "HDF5").File(path, "r", locking=False)


def _chosen(file: Any) -> Any:
    """Choose the reconstruction, or else the k-space, whose shape and type can be used."""
    h5py = imported("h5py", "HDF5")
    names = sorted(file)
    own = [name for name in names if isinstance(file.get(name, getlink=True), h5py.HardLink)]
    made = [name for name in own if name.startswith("reconstruction_")]
    known = [name for name in (*PREFERRED, *made, *IMAGES, "kspace") if name in own]
    stacks = [name for name in own if _may_be_images(file[name]) and not is_label_file("", name)]
    if not known and len(stacks) != 1:
        shown = ", ".join(map(ascii, names[:_NAMES_SHOWN])) or "nothing"
        more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
        raise DataError(
            f"holds no reconstruction_*, no {' or '.join(IMAGES)} and no kspace of its own, nor a single stack "
            f"of images, only {shown}{more}"
        )
    name = (known or stacks)[0]
    dataset = file[name]
    if not isinstance(dataset, h5py.Dataset) or dataset.shape is None:
        raise DataError(f"{name} is not an array")
    if dataset.is_virtual or dataset.external:
        raise DataError(f"{name} lies in another file; copy it into this one")
    if name == "kspace" and "mask" in names:
        raise DataError("k-space is undersampled (it has a mask), so that no true image can be made of it")
    _check(name, dataset)
    return dataset


def _may_be_images(found: Any) -> bool:
    """Whether something in a file has the type and the dimensions of a stack of images."""
    shape = _without_channel(getattr(found, "shape", None) or ())
    return len(shape) == 3 and min(shape[1:]) >= MIN_SIDE and found.dtype.kind in "iuf"


def _without_channel(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Shape without a lone channel: of N x 1 x H x W, N x H x W x 1 and 1 x N x H x W alike N x H x W."""
    channel = next((axis for axis in (1, 3, 0) if len(shape) == 4 and shape[axis] == 1), None)
    return shape if channel is None else (*shape[:channel], *shape[channel + 1 :])


def _check(name: str, dataset: Any) -> None:
    """Refuse types and shapes that are no images, and what would not fit into memory, before anything is read."""
    kinds, dimensions = ("c", (3, 4)) if name == "kspace" else ("iuf", (2, 3) if name in IMAGES else (3,))
    shape, dtype = dataset.shape, dataset.dtype
    if name != "kspace":
        shape = _without_channel(shape)
    if dtype.kind not in kinds or dtype.itemsize > (16 if dtype.kind == "c" else 8):
        raise DataError(f"{name} is of type {dtype}, not {'complex' if name == 'kspace' else 'numbers'}")
    if len(shape) not in dimensions or min(shape) < 1:
        layout = "slices (x coils) x height x width" if name == "kspace" else "slices x height x width"
        raise DataError(f"{name} has dimensions {' x '.join(map(str, shape))}, not {layout}")
    check_shape(*shape[-2:])
    if name == "kspace":
        check_room((*shape[1:], 2), dtype)
        check_room((shape[0], *shape[-2:]), np.dtype(np.float32))
    else:
        check_room(shape, dtype)
    if dataset.chunks and int(np.prod(dataset.chunks, dtype=object)) * dtype.itemsize > MAX_BYTES:
        raise DataError(
            f"{name} is stored in chunks of {' x '.join(map(str, dataset.chunks))}, too large to unpack"
        )


def _magnitude(file: Any, kspace: Any) -> NDArray[np.float32]:
    """Reconstruct all slices from fully sampled k-space.

    Centred orthonormal inverse Fourier transform, central crop to the size that the header states, magnitude, and
    the root of the sum of squares over the coils: fastMRI's zero-filled reconstruction, which for fully sampled
    k-space is its `reconstruction_rss`.
    """
    height, width = _crop(_stated_size(file), kspace.shape[-2:])
    slices = np.empty((kspace.shape[0], height, width), np.float32)
    top, left = (kspace.shape[-2] - height) // 2, (kspace.shape[-1] - width) // 2
    for number in range(kspace.shape[0]):
        coils = kspace[number].reshape(-1, *kspace.shape[-2:])
        squares = np.zeros((height, width))
        for coil in coils:
            centred = np.fft.ifftshift(coil.astype(np.complex128))
            image = np.fft.fftshift(np.fft.ifft2(centred, norm="ortho"))
            squares += np.abs(image[top : top + height, left : left + width]) ** 2
        slices[number] = np.sqrt(squares)
    return slices


def _crop(stated: tuple[int, int] | None, shape: tuple[int, int]) -> tuple[int, int]:
    """Size of the images: as stated, all if nothing is; a square of the width if k-space is narrower than stated."""
    if stated is None:
        return shape
    height, width = stated if stated[1] <= shape[1] else (shape[1], shape[1])
    return min(height, shape[0]), width


def _stated_size(file: Any) -> tuple[int, int] | None:
    """Height and width of the reconstruction by the ISMRMRD header, x and y of its matrix; None without a header."""
    h5py = imported("h5py", "HDF5")
    if "ismrmrd_header" not in file or not isinstance(
        file.get("ismrmrd_header", getlink=True), h5py.HardLink
    ):
        return None
    stored = file["ismrmrd_header"]
    if stored.shape != () or stored.is_virtual or stored.external:
        raise DataError("ismrmrd_header is not a text")
    text = stored[()]
    if not isinstance(text, bytes) or len(text) > _MAX_HEADER or re.search(rb"<!(DOCTYPE|ENTITY)", text):
        raise DataError("ismrmrd_header is not a text that can be read safely")
    try:
        root = ElementTree.fromstring(text)
        matrix = "./{*}encoding/{*}reconSpace/{*}matrixSize/{*}"
        height, width = (int(root.findtext(f"{matrix}{side}") or "") for side in "xy")
    except (ElementTree.ParseError, ValueError) as error:
        raise DataError("ismrmrd_header does not say how large reconSpace is") from error
    check_shape(height, width)
    return height, width


def _patient(file: Any) -> str | None:
    value = file.attrs.get("patient_id")
    text = value.decode(errors="replace") if isinstance(value, bytes) else value
    return text.strip() or None if isinstance(text, str) else None


FORMAT = Format(
    name="HDF5",
    suffixes=frozenset({".h5", ".hdf5"}),
    frames=_frames,
    read=_read,
    recognises=lambda head: head.startswith(b"\x89HDF\r\n\x1a\n"),
    obeys=frozenset({"slices"}),
    description={
        "range": "percentiles of each volume unless the window says otherwise",
        "kspace": "used where there is no reconstruction: centred inverse FFT, root sum of squares over coils, "
        "central crop to the reconSpace of the ISMRMRD header",
        "orientation": "as stored; slices as acquired, whatever the axis asked for",
        "slices": SLICES,
    },
)
