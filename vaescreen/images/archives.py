"""Archives, the user's and those that came from elsewhere: unpacked into a folder of their own, and nowhere else."""

import os
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from vaescreen.errors import DataError
from vaescreen.storage import cache_dir, digest

SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".zip")
MOST_FILES = 2_000_000
LARGEST_RATIO = 50
"""Bytes that may come out for each byte of an archive, once they exceed `ALWAYS_FINE`: images are packed already."""
ALWAYS_FINE = 2**30
_CHUNK = 2**20


class _Member(NamedTuple):
    """An entry of an archive: its name, whether it is a file, its size as the archive says, and its content."""

    name: str
    is_file: bool
    size: int
    open: Callable[[], IO[bytes]]


def stem(name: str) -> str | None:
    """Name of an archive without its suffix; None if it is no archive by its name."""
    for suffix in sorted(SUFFIXES, key=len, reverse=True):
        if name.lower().endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)]
    return None


def unpacked(archive: Path) -> Path:
    """Unpack an archive into the cache, unless it is there already, and give that folder.

    Raises
    ------
    DataError
        As for `unpack`.
    """
    status = archive.stat()
    target = cache_dir() / "unpacked" / digest(str(archive.resolve()), status.st_size, status.st_mtime_ns)
    if not target.is_dir():
        unpack(archive, target)
    return target


def unpack(archive: Path, target: Path) -> None:
    """Unpack an archive into the folder `target`, which must not exist and is there only if all went well.

    Only plain files and folders are made, with the permissions of new files; what is there is not overwritten.

    Raises
    ------
    DataError
        If the archive is damaged, or a member would leave the folder, is a link or a device, stands twice, or
        what comes out is out of all proportion; or the disk is full.
    """
    unfinished = target.with_name(f".{target.name}.unpacking")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        unfinished.mkdir(parents=True)
        bound = max(ALWAYS_FINE, LARGEST_RATIO * archive.stat().st_size)
        total = 0
        for count, member in enumerate(_members(archive)):
            place = unfinished / _inside(archive, member.name)
            if not member.is_file:
                place.mkdir(parents=True, exist_ok=True)
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            total += member.size
            if total > bound or count >= MOST_FILES:
                raise DataError(
                    f"{archive.name} would unpack to more than {bound / 1e6:.0f} MB; it is not unpacked"
                )
            _write(member, place)
        unfinished.rename(target)
    except (
        tarfile.TarError,
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
    ) as error:
        raise DataError(
            f"{archive.name} is damaged or no archive ({_one_line(error)}); fetch it again"
        ) from error
    except FileExistsError as error:
        raise DataError(f"{archive.name} holds a name twice ({Path(error.filename or '').name})") from error
    except OSError as error:
        raise DataError(f"{archive.name} cannot be unpacked ({error.strerror or error})") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _write(member: _Member, place: Path) -> None:
    """Copy a member's content, but no byte more than the archive says it has."""
    with member.open() as source, place.open("xb") as copy:
        left = member.size
        while data := source.read(min(_CHUNK, left + 1)):
            left -= len(data)
            if left < 0:
                raise DataError(f"{member.name} is larger than its archive says; nothing is unpacked")
            copy.write(data)


def _members(archive: Path) -> Iterator[_Member]:
    if archive.suffix.lower() == ".zip":
        with zipfile.ZipFile(archive) as packed:
            for info in packed.infolist():
                if info.flag_bits & 0x1:
                    raise DataError(f"{archive.name} is encrypted; nothing is unpacked")
                kind = info.external_attr >> 16 & 0o170000  # the file type of Unix, if the packer wrote one
                if kind not in (0, 0o100000, 0o040000):
                    raise _unusual(archive, info.filename)
                yield _Member(info.filename, not info.is_dir(), info.file_size, partial(packed.open, info))
        return
    with tarfile.open(archive) as tar:
        for member in tar:
            if not (member.isreg() or member.isdir()):
                raise _unusual(archive, member.name)
            yield _Member(member.name, member.isreg(), member.size, partial(_content, tar, member))


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    stream = tar.extractfile(member)
    assert stream is not None, "only plain files are opened"
    return stream


def _inside(archive: Path, name: str) -> Path:
    """Path of a member relative to the folder, proved to stay in it."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if name.startswith(("/", "\\")) or ".." in parts or "\0" in name or (os.name == "nt" and ":" in name):
        raise DataError(
            f"{archive.name} holds {name[:80]!r}, which would leave its folder; nothing is unpacked"
        )
    return Path(*parts)


def _unusual(archive: Path, name: str) -> DataError:
    return DataError(f"{archive.name} holds {name[:80]!r}, which is a link or a device; nothing is unpacked")


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:100] or type(error).__name__
