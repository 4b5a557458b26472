"""NIfTI volumes (`.nii`, `.nii.gz`), cut into slices across an anatomical axis.

Headers and orientations are nibabel's; the voxels are one block behind the header, read as stored.
"""

import gzip
import io
import logging
import math
import re
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from vaescreen.errors import DataError
from vaescreen.images.formats.base import Format, Frame, imported
from vaescreen.images.formats.volume import SLICES, Volume, check_room, part
from vaescreen.images.held import held
from vaescreen.images.labels import refuse_label_map
from vaescreen.images.pixels import FloatImage, check_shape
from vaescreen.images.reading import Axis, Reading

ACROSS: tuple[Axis, ...] = ("sagittal", "coronal", "axial")
"""Slices across the direction to the right, to the front and to the top."""

_SHORT_HEADER, _LONG_HEADER = 348, 540
_MAGIC = {b"n+1", b"n+2"}
_UNEQUAL = 1.01
"""A voxel spacing is larger than another if it is by this factor."""
_LEAST_DETERMINANT = 1e-3
_MOST_DEFLATED = 1032
"""Deflate makes nothing smaller by a larger factor, so that a header that promises more lies."""
_KEY = re.compile(r"(?:t(?P<time>\d+)-)?(?P<axis>axial|coronal|sagittal)-(?P<number>\d+)")


class _Header(NamedTuple):
    """Where the voxels are, what they measure, and how they lie in the patient.

    `directions` says of each array axis whether it runs along right (0), front (1) or top (2), `signs` whether
    towards it (1) or away from it (-1); `spacing` is that along right, front and top, in the file's unit (mm).
    """

    offset: int
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


class _Opened:
    """All voxels of a file, and the volumes that were looked at."""

    def __init__(self, path: Path) -> None:
        self.header = _header(path)
        self.voxels = _voxels(path, self.header)
        self.volumes: dict[tuple[int, Axis, Reading], Volume] = {}


def _frames(path: Path, reading: Reading) -> list[Frame]:
    header = _header(path)
    axis = _axis(header, reading.axis)
    check_shape(*(header.count(other) for other in ACROSS if other != axis))
    refuse_label_map(held(path, "nifti", lambda: _Opened(path)).voxels.T, reading)
    frames = []
    for time in range(header.shape[3]):
        volume = _volume(
            path, time, axis, reading
        )  # even if slices are chosen: damage is found once, not in each
        numbers = part(header.count(axis), reading.slices) if reading.slices else volume.filled()
        prefix = f"t{time}-" if header.shape[3] > 1 else ""
        frames += [Frame(f"{prefix}{axis}-{number}") for number in numbers]
    return frames


def _read(path: Path, key: str, reading: Reading) -> FloatImage:
    match = _KEY.fullmatch(key)
    assert match is not None, "only keys of frames are read"
    return _volume(path, int(match["time"] or 0), cast("Axis", match["axis"]), reading).gray(
        int(match["number"])
    )


def _axis(header: _Header, wanted: Axis) -> Axis:
    """Axis across which slices are cut: the one wanted, else across which there is one, else the widest spacing's."""
    if wanted != "auto":
        return wanted
    single = [axis for axis in ACROSS if header.count(axis) == 1]
    if len(single) == 1:
        return single[0]
    *_, second, widest = sorted(header.spacing)
    return ACROSS[header.spacing.index(widest)] if widest > _UNEQUAL * second else "axial"


def _volume(path: Path, time: int, axis: Axis, reading: Reading) -> Volume:
    opened = held(path, "nifti", lambda: _Opened(path))
    key = (time, axis, reading)
    if key not in opened.volumes:
        header = opened.header
        seen = _as_seen(opened.voxels[..., time], header, axis)
        opened.volumes[key] = Volume(seen, reading.window, slope=header.slope, intercept=header.intercept)
    return opened.volumes[key]


def _as_seen(voxels: NDArray[np.generic], header: _Header, axis: Axis) -> NDArray[np.generic]:
    """Turn a volume to [S, H, W] as radiologists look at it (see `FORMAT`), without copying it."""
    forward = voxels[tuple(slice(None, None, sign) for sign in header.signs)]
    right_front_top = forward.transpose(np.argsort(header.directions))
    order = {"sagittal": (0, 2, 1), "coronal": (1, 2, 0), "axial": (2, 1, 0)}[axis]
    return right_front_top.transpose(order)[:, ::-1, ::-1]


def _header(path: Path) -> _Header:
    nibabel = imported("nibabel", "NIfTI")
    with _unpacked(path) as stream:
        block = stream.read(_LONG_HEADER)
    long = _LONG_HEADER in (int.from_bytes(block[:4], "little"), int.from_bytes(block[:4], "big"))
    length = _LONG_HEADER if long else _SHORT_HEADER
    if len(block) < length:
        raise DataError("ends within its header")
    kind = nibabel.Nifti2Header if long else nibabel.Nifti1Header
    header = _checked(_repaired(kind(block[:length], check=False)), length)
    check_room(header.shape, header.dtype, volumes=header.shape[3])
    return header


def _repaired(header: Any) -> Any:
    """Mend a header as `nibabel.load` does, such as a qfac of 0 or negative spacings; not where that refuses it."""
    if header.get_data_offset() < header.sizeof_hdr:
        return header
    logger = logging.Logger("nibabel's repairs", level=logging.CRITICAL + 1)
    header.check_fix(logger=logger, error_level=logging.CRITICAL + 1)
    return header


def _checked(header: Any, length: int) -> _Header:
    """Take from a header of so many bytes what is needed."""
    nibabel = imported("nibabel", "NIfTI")
    if bytes(header["magic"].item())[:3] not in _MAGIC:
        raise DataError("not a NIfTI file with its voxels in it")
    try:
        dtype = np.dtype(header.get_data_dtype())
    except KeyError:
        raise DataError(f"voxels are of the unknown type {int(header['datatype'])}") from None
    if dtype.kind not in "iuf" or dtype.itemsize > 8:
        what = header.get_value_label("datatype")
        raise DataError(f"voxels are of type {what}; save them as integers or 32-bit floating point")
    shape = tuple(int(count) for count in header.get_data_shape())
    while len(shape) > 2 and shape[-1] == 1:
        shape = shape[:-1]
    if not 2 <= len(shape) <= 4 or min(shape) < 1:
        raise DataError(f"has dimensions {' x '.join(map(str, shape))}; 3-D and 4-D volumes can be read")
    shape += (1,) * (4 - len(shape))
    offset = header.get_data_offset()
    if offset < length:
        raise DataError(f"voxels begin at byte {offset}, within the header")
    slope, intercept = header.get_slope_inter()
    affine = np.asarray(header.get_best_affine(), np.float64)
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    if not (np.isfinite(affine).all() and spacing.min() > 0):
        raise DataError("the affine is broken: it is not finite, or an axis has no length")
    if abs(np.linalg.det(affine[:3, :3] / spacing)) < _LEAST_DETERMINANT:
        raise DataError("the affine is broken: two axes have the same direction")
    orientation = nibabel.io_orientation(affine).astype(int)
    directions, signs = orientation[:, 0].tolist(), orientation[:, 1].tolist()
    right, front, top = (float(spacing[directions.index(direction)]) for direction in range(3))
    return _Header(
        offset,
        cast("tuple[int, int, int, int]", shape),
        dtype,
        1.0 if slope is None else float(slope),
        0.0 if intercept is None else float(intercept),
        tuple(directions),
        tuple(signs),
        (right, front, top),
    )


def _voxels(path: Path, header: _Header) -> NDArray[np.generic]:
    """Read all voxels, in the order of the file: [X, Y, Z, T]."""
    wanted = math.prod(header.shape) * header.dtype.itemsize
    short = f"ends early: its header promises {wanted} bytes of voxels"
    with _unpacked(path) as stream:
        packed = isinstance(stream, gzip.GzipFile)
        if header.offset + wanted > path.stat().st_size * (_MOST_DEFLATED if packed else 1):
            raise DataError(short)
        stream.seek(header.offset)
        block = bytearray(wanted)
        if stream.readinto(block) < wanted:
            raise DataError(short)
        stream.read(1)  # at the end of a gzip file its checksum is compared
    return np.ndarray(header.shape, header.dtype, buffer=block, order="F")


def _unpacked(path: Path) -> gzip.GzipFile | io.BufferedReader:
    """Open a file, through gzip if it is packed, whatever its suffix says."""
    with path.open("rb") as stream:
        packed = stream.read(2) == b"\x1f\x8b"
    return gzip.open(path) if packed else path.open("rb")


FORMAT = Format(
    name="NIfTI",
    suffixes=frozenset({".nii", ".nii.gz"}),
    frames=_frames,
    read=_read,
    recognises=lambda head: head[344:347] in {b"n+1", b"ni1"} or head[4:7] in {b"n+2", b"ni2"},
    obeys=frozenset({"axis", "slices"}),
    description={
        "range": "percentiles of each volume, after slope and intercept, unless the window says otherwise",
        "orientation": "nearest to the affine, not resampled: axial with the front at the top, coronal and sagittal "
        "with the top at the top; the patient's right, or in sagittal slices the front, at the left",
        "numbers": "slices count from the left, the back and the bottom; t is the volume of a 4-D file",
        "slices": SLICES,
    },
)
