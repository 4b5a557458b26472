"""How NumPy stores arrays: `.npy`, memory-mapped, and `.npz`, which is a ZIP archive of them."""

import io
import math
import zipfile
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from vaescreen.errors import DataError
from vaescreen.storage import cache_dir, digest, write_stream

MAX_IN_MEMORY = 2**30
"""Larger arrays of an archive, in bytes, are unpacked into the cache and memory-mapped."""
MAX_UNPACKED = 2**35
"""Still larger ones are left to the user to unpack."""

_MOST_DEFLATED = 1032
_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


class Stored(NamedTuple):
    """What the header of an array says."""

    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]

    @property
    def size(self) -> int:
        """Bytes of all values."""
        return math.prod(self.shape) * self.dtype.itemsize


def headers(path: Path) -> dict[str, Stored | DataError]:
    """Read the headers of all arrays of a file by their name, which for `.npy` is empty; or say why one is unusable.

    Raises
    ------
    DataError
        With the bare reason, if the file as a whole is unusable.
    """
    found: dict[str, Stored | DataError] = {}
    with _archive(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(".npy")] if archive else [""]
        for name in names:
            try:
                with _member(path, archive, name) as stream:
                    found[name.removesuffix(".npy")] = _header(stream, _size(path, archive, name))
            except DataError as error:
                found[name.removesuffix(".npy")] = error
    return found


def read(path: Path, name: str, header: Stored) -> NDArray[np.generic]:
    """Give the values of an array: memory-mapped where it lies in a file of its own, or is large.

    Raises
    ------
    DataError
        With the bare reason.
    """
    with _archive(path) as archive:
        if archive is None:
            return _mapped(path)
        member = f"{name}.npy"
        if header.size > MAX_UNPACKED:
            raise DataError(f"{name} takes {header.size} bytes; unpack the archive and give its folder")
        if header.size <= MAX_IN_MEMORY:
            with archive.open(member) as stream:
                return npy.read_array(stream, allow_pickle=False)
        folder, status = cache_dir() / "unpacked", path.stat()
        unpacked = folder / f"{digest(str(path.resolve()), status.st_size, status.st_mtime_ns, member)}.npy"
        if not unpacked.exists():
            with archive.open(member) as stream:
                write_stream(unpacked, stream)
        return _mapped(unpacked)


def _mapped(path: Path) -> NDArray[np.generic]:
    return np.load(path, mmap_mode="r", allow_pickle=False)  # type: ignore[no-any-return]


def _archive(path: Path) -> AbstractContextManager[zipfile.ZipFile | None]:
    return zipfile.ZipFile(path) if path.suffix.lower() == ".npz" else nullcontext()


def _member(path: Path, archive: zipfile.ZipFile | None, name: str) -> IO[bytes]:
    return archive.open(name) if archive else path.open("rb")


def _size(path: Path, archive: zipfile.ZipFile | None, name: str) -> int:
    """Bytes of an array with its header, as far as they can really be there."""
    if archive is None:
        return path.stat().st_size
    member = archive.getinfo(name)
    return min(member.file_size, _MOST_DEFLATED * member.compress_size + io.DEFAULT_BUFFER_SIZE)


def _header(stream: IO[bytes], size: int) -> Stored:
    version = npy.read_magic(stream)
    if version not in _HEADERS:
        raise DataError(f"is of version {version[0]}.{version[1]} of the .npy format, not 1.0 or 2.0")
    shape, _, dtype = _HEADERS[version](stream)
    if dtype.hasobject:
        raise DataError("holds Python objects, which are not read, since loading them can run code")
    if dtype.kind not in "biuf" or dtype.itemsize > 8:
        raise DataError(f"values are of type {dtype}; integers and floating point to 64 bits can be read")
    if shape and min(shape) < 1:
        raise DataError(f"has dimensions {' x '.join(map(str, shape))}, so that it holds nothing")
    header = Stored(shape, dtype)
    if stream.tell() + header.size > size:
        raise DataError(f"ends early: its header promises {header.size} bytes of values")
    return header
