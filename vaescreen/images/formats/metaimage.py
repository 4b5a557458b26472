"""MetaImage volumes (`.mha`, and `.mhd` with its voxels in another file), as ITK writes them.

The header is a dozen lines of text (https://itk.org/Wiki/ITK/MetaIO/Documentation), which are read here: libraries that
do so bring all of ITK, 264 MB of it with SimpleITK.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vaescreen.errors import DataError
from vaescreen.images.formats.oriented import LPS, Block, Grid, grid, oriented_format

_MOST_LINES, _LONGEST_LINE = 1000, 4096
_LAST, _HERE = "ElementDataFile", {"LOCAL", "Local", "local"}
_TYPES = {
    "MET_CHAR": "i1",
    "MET_UCHAR": "u1",
    "MET_SHORT": "i2",
    "MET_USHORT": "u2",
    "MET_INT": "i4",
    "MET_UINT": "u4",
    "MET_LONG": "i4",
    "MET_ULONG": "u4",
    "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}


def _fields(path: Path) -> tuple[dict[str, str], int]:
    """Fields of a header, and the byte at which it ends."""
    fields: dict[str, str] = {}
    with path.open("rb") as stream:
        for _ in range(_MOST_LINES):
            key, equals, value = stream.readline(_LONGEST_LINE).decode("latin-1").partition("=")
            if not equals:
                break
            fields[key.strip()] = value.strip()
            if key.strip() == _LAST:
                return fields, stream.tell()
    raise DataError(f"its header ends without {_LAST}")


def _header(path: Path) -> tuple[Grid, Block]:
    fields, behind = _fields(path)
    sizes = [int(size) for size in _needed(fields, "DimSize").split()]
    if len(sizes) != int(_needed(fields, "NDims")):
        raise DataError(f"has {len(sizes)} sizes for {fields['NDims']} dimensions")
    if int(fields.get("ElementNumberOfChannels", 1)) != 1:
        raise DataError(f"has {fields['ElementNumberOfChannels']} channels, not gray; save one value a voxel")
    if not _is_true(fields, "BinaryData", default=True):
        raise DataError("its voxels are written as text; save it as binary")
    kind = _TYPES.get(_needed(fields, "ElementType"))
    if kind is None:
        raise DataError(f"voxels are of the unknown type {fields['ElementType']}")
    swapped = _is_true(fields, "BinaryDataByteOrderMSB") or _is_true(fields, "ElementByteOrderMSB")
    voxels = _voxels_of(path)
    skipped = int(fields.get("HeaderSize", 0))
    offset = None if skipped == -1 else skipped if voxels else behind
    found = grid(sizes, np.dtype(kind).newbyteorder(">" if swapped else "<"), _affine(fields, len(sizes)))
    return found, Block(voxels or path, offset, deflated=_is_true(fields, "CompressedData"))


def _needed(fields: dict[str, str], key: str) -> str:
    if key not in fields:
        raise DataError(f"its header has no {key}")
    return fields[key]


def _is_true(fields: dict[str, str], key: str, *, default: bool = False) -> bool:
    return fields[key].lower().startswith(("t", "1")) if key in fields else default


def _voxels_of(path: Path) -> Path | None:
    """The file with the voxels, beside the header."""
    name = _fields(path)[0][_LAST]
    if name in _HERE:
        return None
    if name.split()[:1] == ["LIST"] or "%" in name or Path(name).name != name.removeprefix("./"):
        raise DataError(f"its voxels are in {name}; put them into one file beside it")
    if not (path.parent / name).is_file():
        raise DataError(f"its voxels are missing: put {name} beside it")
    return path.parent / name


def _affine(fields: dict[str, str], dimensions: int) -> NDArray[np.float64]:
    """From voxels to right, front and top: ITK's coordinates are left, back and top, one direction a row."""
    space = min(dimensions, len(LPS))
    spacing = [float(each) for each in fields.get("ElementSpacing", fields.get("ElementSize", "")).split()]
    matrix = next(
        (fields[key] for key in ("TransformMatrix", "Rotation", "Orientation") if key in fields), ""
    )
    directions = np.asarray([float(each) for each in matrix.split()])
    affine = np.diag([*LPS, 1.0])
    if directions.size == dimensions**2:
        rows = directions.reshape(dimensions, dimensions)[:space, :space]
        affine[:space, :space] = rows.T * np.asarray(LPS)[:space, None]
    for axis, step in enumerate(spacing[:space]):
        affine[:3, axis] *= step
    return affine


FORMAT = oriented_format(
    "MetaImage",
    frozenset({".mha", ".mhd"}),
    lambda head: head.startswith((b"ObjectType", b"NDims", b"Comment")) and b"=" in head[:64],
    _header,
    _voxels_of,
)
