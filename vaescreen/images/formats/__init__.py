"""The kinds of file that images come in, one module each; every one gives gray images at full bit depth.

A format lists the images of a file from its header (`frames`) and decodes one of them (`read`). Libraries that read
medical files are imported where they are used.
"""

from pathlib import Path

from vaescreen.images.formats import arrays, dicom, hdf5, nifti, raster, table
from vaescreen.images.formats.base import Format, Frame

__all__ = ["FORMATS", "SUFFIXES", "Format", "Frame", "format_of"]

FORMATS: tuple[Format, ...] = (
    raster.FORMAT,
    dicom.FORMAT,
    nifti.FORMAT,
    hdf5.FORMAT,
    arrays.FORMAT,
    table.FORMAT,
)
SUFFIXES = frozenset(suffix for kind in FORMATS for suffix in kind.suffixes)


def format_of(path: Path) -> Format | None:
    """Format that a file's name promises, the longest suffix first (`.nii.gz` before `.gz`).

    A file whose name promises none is opened for its mark, as DICOM files often go without a suffix; None if it has
    none, or cannot be opened.
    """
    name = path.name.lower()
    matches = [
        (suffix, kind)
        for kind in FORMATS
        for suffix in kind.suffixes
        if name.endswith(suffix) and name != suffix
    ]
    return max(matches, key=lambda match: len(match[0]))[1] if matches else _marked(path)


def _marked(path: Path) -> Format | None:
    marks = [(kind, *kind.magic) for kind in FORMATS if kind.magic]
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            head = file.read(max(at + len(mark) for _, at, mark in marks))
    except (OSError, ValueError):
        return None
    return next((kind for kind, at, mark in marks if head[at : at + len(mark)] == mark), None)
