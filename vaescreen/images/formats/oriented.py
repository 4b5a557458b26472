"""Volumes that say how they lie in the patient, cut into slices across an anatomical axis.

What NIfTI, Analyze, FreeSurfer, NRRD and MetaImage share: a format reads a header to a `Grid` and says where the voxels
are (`Block`), which this module reads, so that no file takes more memory than its header promises.
"""

import bz2
import gzip
import io
import math
import re
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from vaescreen.errors import DataError
from vaescreen.images.formats.base import Format, Frame, imported
from vaescreen.images.formats.volume import SLICES, Volume, check_room, part
from vaescreen.images.held import held
from vaescreen.images.labels import refuse_label_map
from vaescreen.images.pixels import FloatImage, check_shape
from vaescreen.registry.reading import Axis, Reading

ACROSS: tuple[Axis, ...] = ("sagittal", "coronal", "axial")
"""Slices across the direction to the right, to the front and to the top."""
LPS = (-1.0, -1.0, 1.0)
"""Signs that turn coordinates to the left, back and top, as DICOM and ITK count, to those of NIfTI."""

_UNEQUAL = 1.01
"""A voxel spacing is larger than another if it is by this factor."""
_LEAST_DETERMINANT = 1e-3
_MOST_DEFLATED = 1032
"""Deflate makes nothing smaller by a larger factor, so that a header that promises more lies."""
_KEY = re.compile(r"(?:t(?P<time>\d+)-)?(?P<axis>axial|coronal|sagittal)-(?P<number>\d+)")
_GZIP, _BZIP2 = b"\x1f\x8b", b"BZh"


class Grid(NamedTuple):
    """Voxels as stored, what they measure, and how they lie in the patient.

    `directions` says of each array axis whether it runs along right (0), front (1) or top (2), `signs` whether
    towards it (1) or away from it (-1); `spacing` is that along right, front and top, in the file's unit (mm).
    """

    shape: tuple[int, int, int, int]
    dtype: np.dtype[np.generic]
    slope: float
    intercept: float
    directions: tuple[int, int, int]
    signs: tuple[int, int, int]
    spacing: tuple[float, float, float]

    def count(self, axis: Axis) -> int:
        """Number of slices across an axis."""
        return self.shape[self.directions.index(ACROSS.index(axis))]


class Block(NamedTuple):
    """Where voxels are: a file, and the byte of its content at which they begin; None where they end the file.

    `deflated` says that they alone are compressed, by zlib or gzip, rather than the whole file or nothing.
    """

    path: Path
    offset: int | None
    deflated: bool = False


class _Opened:
    """All voxels of a file, and the volumes that were looked at."""

    def __init__(self, grid: Grid, block: Block) -> None:
        self.grid, self.voxels = grid, _voxels(grid, block)
        self.volumes: dict[tuple[int, Axis, Reading], Volume] = {}


def grid(
    shape: Sequence[int],
    dtype: Any,
    affine: NDArray[np.float64],
    *,
    slope: float | None = None,
    intercept: float | None = None,
) -> Grid:
    """Check what a header says, before any voxel is read.

    Parameters
    ----------
    shape
        Numbers of voxels along two to four axes of the array, the first of which runs fastest in the file.
    dtype
        Their type.
    affine
        [4, 4], from voxels to right, front and top.
    slope, intercept
        A stored value v measures slope * v + intercept; None if the file does not say.

    Raises
    ------
    DataError
        With the bare reason: dimensions or types that are no gray images, too much for the memory, a broken affine.
    """
    dtype = np.dtype(dtype)
    if dtype.kind not in "iuf" or dtype.itemsize > 8:
        name = "".join(dtype.names) if dtype.names else dtype
        raise DataError(f"voxels are of type {name}; save them as integers or 32-bit floating point")
    shape = tuple(int(count) for count in shape)
    while len(shape) > 2 and shape[-1] == 1:
        shape = shape[:-1]
    if not 2 <= len(shape) <= 4 or min(shape) < 1:
        raise DataError(f"has dimensions {' x '.join(map(str, shape))}; 3-D and 4-D volumes can be read")
    shape += (1,) * (4 - len(shape))
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    if not (np.isfinite(affine).all() and spacing.min() > 0):
        raise DataError("the affine is broken: it is not finite, or an axis has no length")
    if abs(np.linalg.det(affine[:3, :3] / spacing)) < _LEAST_DETERMINANT:
        raise DataError("the affine is broken: two axes have the same direction")
    orientation = imported("nibabel", "NIfTI").io_orientation(affine).astype(int)
    directions, signs = orientation[:, 0].tolist(), orientation[:, 1].tolist()
    right, front, top = (float(spacing[directions.index(direction)]) for direction in range(3))
    check_room(shape, dtype, volumes=shape[3])
    return Grid(
        cast("tuple[int, int, int, int]", shape),
        dtype,
        1.0 if slope is None else float(slope),
        0.0 if intercept is None else float(intercept),
        tuple(directions),
        tuple(signs),
        (right, front, top),
    )


def oriented_format(
    name: str,
    suffixes: frozenset[str],
    recognises: Callable[[bytes], bool],
    header: Callable[[Path], tuple[Grid, Block]],
    beside: Callable[[Path], Path | None],
) -> Format:
    """Make a format of what reads its header; `beside` gives the file with the voxels, if that is another."""

    def opened(path: Path) -> _Opened:
        return held(path, name, lambda: _Opened(*header(path)))

    def volume(path: Path, time: int, axis: Axis, reading: Reading) -> Volume:
        volumes, key = opened(path).volumes, (time, axis, reading)
        if key not in volumes:
            found = opened(path).grid
            seen = _as_seen(opened(path).voxels[..., time], found, axis)
            volumes[key] = Volume(seen, reading.window, slope=found.slope, intercept=found.intercept)
        return volumes[key]

    def frames(path: Path, reading: Reading) -> list[Frame]:
        found, _ = header(path)
        axis = _axis(found, reading.axis)
        check_shape(*(found.count(other) for other in ACROSS if other != axis))
        refuse_label_map(opened(path).voxels.T, reading)
        listed = []
        for time in range(found.shape[3]):
            # even if slices are chosen: damage is found once, not in each
            whole = volume(path, time, axis, reading)
            numbers = part(found.count(axis), reading.slices) if reading.slices else whole.filled()
            prefix = f"t{time}-" if found.shape[3] > 1 else ""
            listed += [Frame(f"{prefix}{axis}-{number}") for number in numbers]
        return listed

    def read(path: Path, key: str, reading: Reading) -> FloatImage:
        match = _KEY.fullmatch(key)
        assert match is not None, "only keys of frames are read"
        whole = volume(path, int(match["time"] or 0), cast("Axis", match["axis"]), reading)
        return whole.gray(int(match["number"]))

    return Format(
        name=name,
        suffixes=suffixes,
        frames=frames,
        read=read,
        recognises=recognises,
        obeys=frozenset({"axis", "slices"}),
        beside=beside,
        description={
            "range": "percentiles of each volume, after slope and intercept, unless the window says otherwise",
            "orientation": "nearest to the affine, not resampled: axial with the front at the top, coronal and "
            "sagittal with the top at the top; the patient's right, or in sagittal slices the front, at the left",
            "numbers": "slices count from the left, the back and the bottom; t is the volume of a 4-D file",
            "slices": SLICES,
        },
    )


def _axis(found: Grid, wanted: Axis) -> Axis:
    """Axis across which slices are cut: the one wanted, else across which there is one, else the widest spacing's."""
    if wanted != "auto":
        return wanted
    single = [axis for axis in ACROSS if found.count(axis) == 1]
    if len(single) == 1:
        return single[0]
    *_, second, widest = sorted(found.spacing)
    return ACROSS[found.spacing.index(widest)] if widest > _UNEQUAL * second else "axial"


def _as_seen(voxels: NDArray[np.generic], found: Grid, axis: Axis) -> NDArray[np.generic]:
    """Turn a volume to [S, H, W] as radiologists look at it (see `oriented_format`), without copying it."""
    forward = voxels[tuple(slice(None, None, sign) for sign in found.signs)]
    right_front_top = forward.transpose(np.argsort(found.directions))
    order = {"sagittal": (0, 2, 1), "coronal": (1, 2, 0), "axial": (2, 1, 0)}[axis]
    return right_front_top.transpose(order)[:, ::-1, ::-1]


def unpacked(path: Path) -> BinaryIO:
    """Open a file, through gzip or bzip2 if it is packed, whatever its suffix says."""
    with path.open("rb") as stream:
        head = stream.read(len(_BZIP2))
    if head.startswith(_GZIP):
        return cast("BinaryIO", gzip.open(path))
    return cast("BinaryIO", bz2.open(path)) if head == _BZIP2 else path.open("rb")


def _voxels(found: Grid, block: Block) -> NDArray[np.generic]:
    """Read all voxels, in the order of the file: [X, Y, Z, T]."""
    wanted = math.prod(found.shape) * found.dtype.itemsize
    short = f"ends early: its header promises {wanted} bytes of voxels"
    size = block.path.stat().st_size
    with block.path.open("rb") if block.deflated else unpacked(block.path) as stream:
        packed = block.deflated or not isinstance(stream, io.BufferedReader)
        offset = max(size - wanted, 0) if block.offset is None else block.offset
        if offset + wanted > size * (_MOST_DEFLATED if packed else 1) and not isinstance(stream, bz2.BZ2File):
            raise DataError(short)
        stream.seek(offset)
        if block.deflated:
            content = bytearray(zlib.decompressobj(32 + zlib.MAX_WBITS).decompress(stream.read(), wanted))
        else:
            content = bytearray(wanted)
            del content[cast("Any", stream).readinto(content) :]
            stream.read(1)  # at the end of a gzip file its checksum is compared
    if len(content) < wanted:
        raise DataError(short)
    return np.ndarray(found.shape, found.dtype, buffer=content, order="F")
