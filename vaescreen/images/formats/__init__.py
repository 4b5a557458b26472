"""The kinds of file that images come in, one module each; every one gives gray images at full bit depth.

A format lists the images of a file from its header (`frames`) and decodes one of them (`read`). Libraries that read
medical files are imported where they are used.
"""

import io
import stat
import zlib
from functools import lru_cache
from pathlib import Path

from vaescreen.images.formats import arrays, dicom, hdf5, metaimage, nifti, nrrd, raster, table, tiff
from vaescreen.images.formats.base import HEAD, Format, Frame, NoPictureError

__all__ = [
    "FORMATS",
    "SUFFIXES",
    "Format",
    "Frame",
    "NoPictureError",
    "format_by",
    "format_of",
    "without_suffix",
]

FORMATS: tuple[Format, ...] = (
    dicom.FORMAT,  # before TIFF: the preamble of a DICOM file may be the header of one
    raster.FORMAT,
    tiff.FORMAT,
    nifti.FORMAT,
    nrrd.FORMAT,
    metaimage.FORMAT,
    hdf5.FORMAT,
    arrays.FORMAT,
    table.FORMAT,
)
SUFFIXES = frozenset(suffix for kind in FORMATS for suffix in kind.suffixes)

_LONGEST_FIRST = sorted(SUFFIXES, key=len, reverse=True)
_GZIP = b"\x1f\x8b"
_REMEMBERED = 2**16


def format_of(path: Path) -> Format | None:
    """Format that a file's content shows; where it shows none, that its name promises.

    The name speaks for files that are damaged, whose reader then says what is wrong, and for those that cannot be
    opened. None if neither tells.
    """
    return _by_content(path) or _by_name(path.name.lower())


def format_by(head: bytes, file: str) -> Format | None:
    """Format that the first `HEAD` bytes of a file show, else that its name promises."""
    return _by_head(head) or _by_name(file.rpartition("/")[2].lower())


def without_suffix(file: str) -> str:
    """Name or path of a file without the suffix of its format."""
    lower = file.lower()
    suffix = next((suffix for suffix in _LONGEST_FIRST if lower.endswith(suffix)), "")
    return file[: len(file) - len(suffix)]


def _by_name(name: str) -> Format | None:
    """The longest suffix counts: `.nii.gz` before `.gz`."""
    matches = [
        (suffix, kind)
        for kind in FORMATS
        for suffix in kind.suffixes
        if name.endswith(suffix) and name != suffix
    ]
    return max(matches, key=lambda match: len(match[0]))[1] if matches else None


def _by_content(path: Path) -> Format | None:
    try:
        status = path.stat()
        regular = stat.S_ISREG(status.st_mode)
        return _recognised(str(path), status.st_size, status.st_mtime_ns) if regular else None
    except (OSError, ValueError):
        return None


@lru_cache(_REMEMBERED)
def _recognised(name: str, size: int, changed: int) -> Format | None:
    with io.FileIO(name) as file:
        return _by_head(file.read(HEAD))


def _by_head(head: bytes) -> Format | None:
    if head.startswith(_GZIP):
        try:
            head = zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(head, HEAD)
        except zlib.error:
            return None
    return next((kind for kind in FORMATS if kind.recognises(head)), None)
