"""The kinds of file that images come in, one module each; every one gives gray images at full bit depth.

A format lists the images of a file from its header (`frames`) and decodes one of them (`read`). Libraries that read
medical files are imported where they are used.
"""

import io
import os
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
_BY_SUFFIX = {suffix: kind for kind in reversed(FORMATS) for suffix in kind.suffixes}
SUFFIXES = frozenset(_BY_SUFFIX)

_LONGEST = max(map(len, SUFFIXES))
_MOST_DOTS = max(suffix.count(".") for suffix in SUFFIXES)
_GZIP = b"\x1f\x8b"
_REMEMBERED = 2**16


def format_of(path: Path | str) -> Format | None:
    """Format that a file's content shows; where it shows none, that its name promises.

    The name speaks for files that are damaged, whose reader then says what is wrong, and for those that cannot be
    opened. None if neither tells.
    """
    name = os.fspath(path)
    return _by_content(name) or _by_name(os.path.basename(name))  # noqa: PTH119


def format_by(head: bytes, file: str) -> Format | None:
    """Format that the first `HEAD` bytes of a file show, else that its name promises."""
    return _by_head(head) or _by_name(file.rpartition("/")[2])


def without_suffix(file: str) -> str:
    """Name or path of a file without the suffix of its format."""
    return file[: len(file) - len(_suffix(file))]


def _suffix(file: str) -> str:
    """Suffix of a format, in lower case; the longest counts, `.nii.gz` before `.gz`; empty if there is none."""
    parts = file[-_LONGEST:].lower().split(".")
    tails = (f".{'.'.join(parts[-count:])}" for count in range(_MOST_DOTS, 0, -1) if len(parts) > count)
    return next((tail for tail in tails if tail in _BY_SUFFIX), "")


def _by_name(name: str) -> Format | None:
    suffix = _suffix(name)
    return _BY_SUFFIX[suffix] if suffix and len(name) > len(suffix) else None


def _by_content(name: str) -> Format | None:
    try:
        status = os.stat(name)  # noqa: PTH116
        regular = stat.S_ISREG(status.st_mode)
        return _recognised(name, status.st_size, status.st_mtime_ns) if regular else None
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
