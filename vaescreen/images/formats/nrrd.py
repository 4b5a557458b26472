"""NRRD volumes (`.nrrd`, and `.nhdr` with its voxels in another file); headers are read by pynrrd."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaescreen.errors import DataError
from vaescreen.images.formats.base import imported
from vaescreen.images.formats.oriented import LPS, Block, Grid, grid, oriented_format

_MARK = b"NRRD000"
_TO_RAS = {
    "left-posterior-superior": LPS,
    "right-anterior-superior": (1.0, 1.0, 1.0),
    "left-anterior-superior": (-1.0, 1.0, 1.0),
}
_SHORT = {"lps": "left-posterior-superior", "ras": "right-anterior-superior", "las": "left-anterior-superior"}
_WHOLE = {
    "i1": ("char", "int8"),
    "i2": ("short", "int16"),
    "i4": ("int", "int32"),
    "i8": ("longlong", "int64"),
}
_TYPES = {
    **{name: code for code, names in _WHOLE.items() for name in names},
    **{f"u{name}": code.replace("i", "u") for code, names in _WHOLE.items() for name in names},
    "float": "f4",
    "double": "f8",
}
_DEFLATED, _RAW = {"gzip", "gz"}, {"raw"}
_COLOURS = ("color", "colour", "vector", "matrix", "complex", "normal", "gradient", "point")


def _header(path: Path) -> tuple[Grid, Block]:
    nrrd = imported("nrrd", "NRRD")
    with path.open("rb") as stream:
        header = nrrd.read_header(stream)
        behind = stream.tell()
    sizes = [int(size) for size in header["sizes"]]
    if len(sizes) != header["dimension"]:
        raise DataError(f"has {len(sizes)} sizes for {header['dimension']} dimensions")
    kinds = [str(kind).lower() for kind in header.get("kinds", ())]
    if any(word in kind for kind in kinds for word in _COLOURS):
        raise DataError(f"its voxels are {', '.join(header['kinds'])}, not gray; save one value a voxel")
    encoding = str(header["encoding"]).lower()
    if encoding not in _DEFLATED | _RAW:
        raise DataError(f"its voxels are encoded as {encoding}; save it as raw or gzip")
    is_little = {"big": False, "little": True}.get(str(header.get("endian", "little")).lower())
    if is_little is None:
        raise DataError(f"unknown byte order {header['endian']!r}")
    voxels = _voxels_of(path)
    skipped = int(header.get("byte skip", header.get("byteskip", 0)))
    if int(header.get("line skip", header.get("lineskip", 0))):
        raise DataError("skips lines before its voxels; save it without `line skip`")
    start = None if skipped == -1 else (0 if voxels else behind) + skipped
    found = grid(
        sizes, _type(header["type"]).newbyteorder("<" if is_little else ">"), _affine(header, len(sizes))
    )
    return found, Block(voxels or path, start, deflated=encoding in _DEFLATED)


def _type(name: str) -> np.dtype[np.generic]:
    """Type by any of its names in NRRD, such as `unsigned short int`, `ushort` and `uint16_t`."""
    short = name.lower().removesuffix("_t").replace("unsigned ", "u").replace("signed ", "")
    short = short.removesuffix(" int").replace("long long", "longlong")
    if short not in _TYPES:
        raise DataError(f"voxels are of type {name}; save them as integers or floating point")
    return np.dtype(_TYPES[short])


def _voxels_of(path: Path) -> Path | None:
    """The file with the voxels, beside the header."""
    with path.open("rb") as stream:
        header = imported("nrrd", "NRRD").read_header(stream)
    stated = header.get("data file", header.get("datafile"))
    if stated is None:
        return None
    name = str(stated)
    if name.split(maxsplit=1)[0] == "LIST" or "%" in name or Path(name).name != name.removeprefix("./"):
        raise DataError(f"its voxels are in {name}; put them into one file beside it")
    if not (path.parent / name).is_file():
        raise DataError(f"its voxels are missing: put {name} beside it")
    return path.parent / name


def _affine(header: Any, dimensions: int) -> NDArray[np.float64]:
    """From voxels to right, front and top; without directions, as if in LPS, where only spacings are known."""
    affine = np.diag([*LPS, 1.0])
    directions = header.get("space directions")
    if directions is None:
        spacings = header.get("spacings")
        known = [] if spacings is None else [float(each) for each in spacings][:3]
        for axis, spacing in enumerate(known):
            affine[axis, axis] *= spacing if np.isfinite(spacing) and spacing else 1.0
        return affine
    space = str(header.get("space", "lps")).lower().removesuffix("-time")
    signs = _TO_RAS.get(_SHORT.get(space, space))
    if signs is None:
        raise DataError(f"its space is {space}; save it as left-posterior-superior")
    rows = np.asarray(directions, np.float64)
    spatial = np.asarray(np.isfinite(rows).all(axis=1))
    if rows.shape[1] != len(LPS) or spatial.sum() != min(dimensions, len(LPS)) or not spatial[:2].all():
        raise DataError("its space directions are not those of an image or a volume")
    affine[:3, : spatial.sum()] = rows[spatial].T * np.asarray(signs)[:, None]
    return affine


FORMAT = oriented_format(
    "NRRD", frozenset({".nrrd", ".nhdr"}), lambda head: head.startswith(_MARK), _header, _voxels_of
)
