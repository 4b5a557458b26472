"""NIfTI (`.nii`, `.nii.gz`), its and Analyze's pairs (`.hdr` with `.img`), and FreeSurfer's `.mgz`.

Headers, their repairs and orientations are nibabel's.
"""

import logging
from pathlib import Path
from typing import Any

import numpy as np

from vaescreen.errors import DataError
from vaescreen.images.formats.base import imported
from vaescreen.images.formats.oriented import Block, Grid, grid, oriented_format, unpacked

_SHORT_HEADER, _LONG_HEADER = 348, 540
_SINGLE = {b"n+1", b"n+2"}
_PAIR = {b"ni1", b"ni2"}
_MGH_VERSION, _MGH_TYPES = b"\0\0\0\x01", {0, 1, 3, 4, 10}
_IMAGE_SUFFIXES = (".img", ".img.gz", ".IMG", ".IMG.gz")


def _header(path: Path) -> tuple[Grid, Block]:
    with unpacked(path) as stream:
        head = stream.read(_LONG_HEADER)
    if _is_mgh(head):
        return _by_nibabel(path)
    length = _LONG_HEADER if _begins_with(head, _LONG_HEADER) else _SHORT_HEADER
    if len(head) < length:
        raise DataError("ends within its header")
    magic = _magic(head)
    if magic not in _SINGLE:
        if magic not in _PAIR and not _is_analyze(head):
            raise DataError("not a NIfTI file")
        return _by_nibabel(path)
    nibabel = imported("nibabel", "NIfTI")
    kind = nibabel.Nifti2Header if length == _LONG_HEADER else nibabel.Nifti1Header
    header = _repaired(kind(head[:length], check=False))
    offset = header.get_data_offset() or kind.single_vox_offset
    if offset < length:
        raise DataError(f"voxels begin at byte {offset}, within the header")
    slope, intercept = header.get_slope_inter()
    affine = np.asarray(header.get_best_affine(), np.float64)
    found = grid(header.get_data_shape(), _type(header), affine, slope=slope, intercept=intercept)
    return found, Block(path, offset)


def _repaired(header: Any) -> Any:
    """Mend a header as `nibabel.load` does, such as a qfac of 0 or negative spacings; not where that refuses it."""
    if 0 < header.get_data_offset() < header.sizeof_hdr:
        return header
    logger = logging.Logger("nibabel's repairs", level=logging.CRITICAL + 1)
    header.check_fix(logger=logger, error_level=logging.CRITICAL + 1)
    return header


def _type(header: Any) -> Any:
    try:
        return header.get_data_dtype()
    except KeyError:
        raise DataError(f"voxels are of the unknown type {int(header['datatype'])}") from None


def _by_nibabel(path: Path) -> tuple[Grid, Block]:
    """Header, as nibabel loads it, of voxels in another file or of FreeSurfer's; no voxel is read."""
    nibabel = imported("nibabel", "NIfTI")
    logging.getLogger("nibabel.global").setLevel(logging.CRITICAL)
    with unpacked(path) as stream:
        if _is_mgh(stream.read(_SHORT_HEADER)):
            stream.seek(0)
            image, voxels = nibabel.MGHImage.from_stream(stream), path
        else:
            other = _voxels_of(path)
            if other is None and path.suffix.lower() != ".hdr":
                raise DataError("not a NIfTI file: its mark is missing, and headers of pairs are called .hdr")
            if other is None:
                raise DataError(f"its voxels are missing: put {path.stem}.img beside it")
            image, voxels = nibabel.load(path), other
    proxy = image.dataobj
    found = grid(
        image.shape,
        _type(image.header),
        np.asarray(image.affine, np.float64),
        slope=proxy.slope,
        intercept=proxy.inter,
    )
    return found, Block(voxels, int(proxy.offset))


def _voxels_of(path: Path) -> Path | None:
    """The other file of a pair."""
    if path.suffix.lower() != ".hdr":
        return None
    images = (path.with_name(path.stem + suffix) for suffix in _IMAGE_SUFFIXES)
    return next((image for image in images if image.is_file()), None)


def _magic(head: bytes) -> bytes:
    return head[4:7] if _begins_with(head, _LONG_HEADER) else head[344:347]


def _begins_with(head: bytes, length: int) -> bool:
    return length in (int.from_bytes(head[:4], "little"), int.from_bytes(head[:4], "big"))


def _is_analyze(head: bytes) -> bool:
    """Whether this is a header of Analyze 7.5: it has no mark but its own length, and a number of dimensions."""
    order = "little" if int.from_bytes(head[:4], "little") == _SHORT_HEADER else "big"
    dimensions = int.from_bytes(head[40:42], order)  # type: ignore[arg-type]  # one of the two literals
    return len(head) >= _SHORT_HEADER and _begins_with(head, _SHORT_HEADER) and 1 <= dimensions <= 7


def _is_mgh(head: bytes) -> bool:
    """Whether this is a header of FreeSurfer: version 1, four sizes, and a known type, all big-endian."""
    sizes = [int.from_bytes(head[at : at + 4], "big") for at in (4, 8, 12, 16)]
    kind = int.from_bytes(head[20:24], "big")
    return head.startswith(_MGH_VERSION) and all(0 < size < 2**20 for size in sizes) and kind in _MGH_TYPES


def _recognises(head: bytes) -> bool:
    return _magic(head) in _SINGLE | _PAIR or _is_analyze(head) or _is_mgh(head)


FORMAT = oriented_format(
    "NIfTI",
    frozenset({".nii", ".nii.gz", ".hdr", ".mgh", ".mgz"}),
    _recognises,
    _header,
    _voxels_of,
)
