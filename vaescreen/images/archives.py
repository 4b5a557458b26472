"""What is in an archive: its members one by one, with the reason why one is not read; and how much may come out."""

import errno
import lzma
import os
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, NamedTuple

from vaescreen.errors import DataError

SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".zip")
MOST_FILES = 2_000_000
LARGEST_RATIO = 50
"""Bytes that may come out for each byte of an archive, once they exceed `ALWAYS_FINE`: images are packed already."""
ALWAYS_FINE = 2**30

_PIECE = 2**20
_DAMAGES = (
    *(tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError),
    *(NotImplementedError, RuntimeError, ValueError, LookupError, OverflowError),
)
"""What the readers of archives raise on damaged ones."""


class Member(NamedTuple):
    """An entry of an archive.

    Attributes
    ----------
    name
        Its path, with forward slashes.
    is_file
        Whether it is a file; else it is a folder.
    size, packed
        Bytes that it is said to have, and that it takes up in the archive.
    problem
        Why it must not be read, to follow its name; empty if it may.
    open
        Gives its content.
    """

    name: str
    is_file: bool
    size: int
    packed: int
    problem: str
    open: Callable[[], IO[bytes]]


def stem(name: str) -> str | None:
    """Name of an archive without its suffix; None if it is no archive by its name."""
    for suffix in sorted(SUFFIXES, key=len, reverse=True):
        if name.lower().endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)]
    return None


def members(stream: BinaryIO) -> Iterator[Member]:
    """List an archive, whose content tells its kind; members can be opened as long as the stream is."""
    zipped = zipfile.is_zipfile(stream)
    stream.seek(0)
    for count, member in enumerate(_of_zip(stream) if zipped else _of_tar(stream)):
        if count >= MOST_FILES:
            raise DataError(f"holds more than {MOST_FILES} files; make several archives of it")
        yield member


def copy(member: Member, target: Path) -> None:
    """Copy a member's content to a new file, but no byte more than the archive says it has.

    Raises
    ------
    DataError
        If more comes out.
    """
    with member.open() as source, target.open("xb") as written:
        left = member.size
        while data := source.read(min(_PIECE, left + 1)):
            left -= len(data)
            if left < 0:
                raise DataError(f"{member.name} is larger than its archive says; it is not unpacked")
            written.write(data)


@contextmanager
def understood(archive: Path) -> Iterator[None]:
    """Turn what the readers of archives raise into one line.

    Raises
    ------
    DataError
        If the archive is damaged, or cannot be read.
    """
    try:
        yield
    except (*_DAMAGES, OSError) as error:
        if isinstance(error, OSError) and error.errno not in (
            None,
            errno.EINVAL,
        ):  # else of places that are nowhere
            raise DataError(f"{archive.name} cannot be unpacked ({error.strerror})") from error
        said = " ".join(str(error).split())[:100] or type(error).__name__
        raise DataError(f"{archive.name} is damaged or no archive ({said}); fetch it again") from error


def _of_zip(stream: BinaryIO) -> Iterator[Member]:
    try:
        packed = zipfile.ZipFile(
            stream, metadata_encoding="utf-8"
        )  # as macOS and Linux write names, unmarked
    except UnicodeDecodeError:
        packed = zipfile.ZipFile(stream)
    for info in packed.infolist():
        kind = info.external_attr >> 16 & 0o170000  # the file type of Unix, if the packer wrote one
        unusual = kind not in (0, 0o100000, 0o040000)
        problem = "is encrypted; give a folder of what is in it" if info.flag_bits & 0x1 else ""
        yield Member(
            (name := info.filename.replace("\\", "/")),
            not info.is_dir(),
            info.file_size,
            info.compress_size,
            "is a link or a device" if unusual else _outside(name) or problem,
            partial(packed.open, info),
        )


def _of_tar(stream: BinaryIO) -> Iterator[Member]:
    tar = tarfile.open(fileobj=stream)  # noqa: SIM115 (members are opened later)
    for info in tar:
        unusual = not (info.isreg() or info.isdir()) or info.issparse()
        yield Member(
            (name := info.name.replace("\\", "/")),
            info.isreg(),
            info.size,
            info.size,
            "is a link or a device" if unusual else _outside(name),
            partial(_content, tar, info),
        )


def _content(tar: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    stream = tar.extractfile(info)
    assert stream is not None, "only plain files are opened"
    return stream


def _outside(name: str) -> str:
    leaves = name.startswith("/") or ".." in PurePosixPath(name).parts or "\0" in name
    return "would leave its folder" if leaves or (os.name == "nt" and ":" in name) else ""
