"""Where files lie: open in a folder, or packed in an archive, whose members are copied out one at a time."""

import bz2
import gzip
import lzma
import os
import shutil
import tempfile
import time
from contextlib import suppress
from functools import cached_property, partial
from pathlib import Path, PurePosixPath
from typing import Any, Protocol
from weakref import finalize

from filelock import FileLock

from vaescreen.errors import DataError
from vaescreen.images import archives
from vaescreen.images.archives import Member
from vaescreen.images.files import UnreachableError, is_hidden, stamp_of
from vaescreen.images.formats import Format, format_by, format_of
from vaescreen.images.formats.base import HEAD
from vaescreen.images.split_folders import shared_folders
from vaescreen.storage import cache_dir, digest

MEMBER_ALWAYS_FINE = 2**28
"""Bytes of a member that may come out at any ratio: volumes that are mostly black pack well."""

_COMPRESSED = {b"\x1f\x8b": gzip, b"BZh": bz2, b"\xfd7zXZ\0": lzma}
"""Modules that unpack, by how a file begins."""
_KEPT_DAYS = 14
_PIECE = 2**20
_LONGEST_HEADER = 2**16


class Place(Protocol):
    """Where the files of a data set lie; all names are relative to it, with forward slashes."""

    root: Path
    """What messages name."""

    def has(self, file: str) -> bool:
        """Whether there is a file of this name."""

    def kind(self, file: str) -> Format | None:
        """Its format, by its content, else by its name; looked at once."""

    def stamp(self, file: str) -> tuple[int, ...]:
        """What changes whenever its content may; raises `DataError` with the bare reason if it cannot be read."""

    def path(self, file: str) -> Path:
        """Where readers find it, until another is asked for; raises `DataError` with the bare reason."""


class Folder:
    """Files that lie open.

    Parameters
    ----------
    root
        The folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._before = os.path.join(root, "")  # noqa: PTH118 (paths are made for every file, and text is faster)
        self._kinds: dict[str, Format | None] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return Folder, (self.root,)

    def has(self, file: str) -> bool:
        """See `Place`."""
        return os.path.isfile(self._before + file)  # noqa: PTH113 (a name too long is no file, and no error)

    def kind(self, file: str) -> Format | None:
        """See `Place`."""
        if file not in self._kinds:
            self._kinds[file] = format_of(self._before + file)
        return self._kinds[file]

    def stamp(self, file: str) -> tuple[int, ...]:
        """See `Place`."""
        return stamp_of(self._before + file)

    def path(self, file: str) -> Path:
        """See `Place`."""
        return self.root / file


class Archive:
    """Files in an archive that is read in place: readers get a copy of one member at a time, in a folder of its own.

    What reads medical files wants real files (`nibabel`, `h5py`, pairs of header and pixels), so a member is copied
    out where it is asked for, and removed when another is. A folder that holds all others is taken for the root, as
    the folder that was packed. A compressed tar cannot be read from the middle: it becomes a plain one in the cache,
    once, which goes when it was not used for two weeks.

    Parameters
    ----------
    root
        The archive.
    remember
        Whether the cache may hold what it unpacks to; not that of private data.

    Raises
    ------
    DataError
        If it is damaged or no archive.
    """

    def __init__(self, root: Path, *, remember: bool = True) -> None:
        self.root, self._remember = root, remember
        self._stamp = stamp_of(root)
        self._copied = ""
        self._kinds: dict[str, Format | None] = {}
        self._members = self._index()

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(Archive, remember=self._remember), (self.root,)

    @property
    def names(self) -> list[str]:
        """All files, in the order of the archive."""
        return list(self._members)

    def problem(self, file: str) -> str:
        """Why a member must not be read; empty if it may."""
        member = self._members[file]
        if not member.problem and member.size > MEMBER_ALWAYS_FINE:
            ratio = member.size / max(member.packed, 1)
            if ratio > archives.LARGEST_RATIO:
                return f"would come out {ratio:.0f} times as large as it is packed; give a folder of what is in it"
        return member.problem

    def has(self, file: str) -> bool:
        """See `Place`."""
        return file in self._members

    def kind(self, file: str) -> Format | None:
        """See `Place`."""
        if file not in self._kinds:
            self._kinds[file] = format_by(self._head(file), file)
        return self._kinds[file]

    def stamp(self, file: str) -> tuple[int, ...]:
        """See `Place`."""
        if file not in self._members:
            raise DataError("no such file; it may have been removed")
        if problem := self.problem(file):
            raise DataError(problem)
        if self._members[file].size == 0:
            raise DataError("the file is empty")
        return (*self._stamp, self._members[file].size)

    def path(self, file: str) -> Path:
        """See `Place`."""
        target = self._folder / file
        if self._copied == file:
            return target
        self.stamp(file)
        self._copied = ""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._copy(file)
        if (kind := self.kind(file)) and kind.beside:
            for other in self._companions(file):
                self._copy(other)
        self._copied = file
        return target

    @cached_property
    def _folder(self) -> Path:
        made = tempfile.mkdtemp(prefix="vaescreen-")
        finalize(self, shutil.rmtree, made, ignore_errors=True)
        return Path(made) / "members"

    def _index(self) -> dict[str, Member]:
        cache = cache_dir() / "unpacked" if self._remember else self._folder.parent
        stream = _plain_tar(self.root, cache).open("rb")
        finalize(self, stream.close)
        found: dict[str, Member] = {}
        with archives.understood(self.root):
            for member in archives.members(stream):
                name = PurePosixPath(member.name).as_posix()
                if name in found:
                    found[name] = member._replace(problem="stands twice in the archive")
                elif member.is_file or member.problem:
                    found[name] = member
        usable = [name for name, member in found.items() if not (member.problem or is_hidden(name))]
        top = f"{usable[0].partition('/')[0]}/" if usable and shared_folders(usable) else ""
        return {name.removeprefix(top): member for name, member in found.items()}

    def _head(self, file: str) -> bytes:
        try:
            with archives.understood(self.root), self._members[file].open() as stream:
                return stream.read(HEAD) if not self.problem(file) else b""
        except DataError:
            return b""

    def _copy(self, file: str) -> None:
        member, target = self._members[file], self._folder / file
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            if member.size > shutil.disk_usage(self._folder).free:
                raise UnreachableError(
                    f"{member.size / 1e6:.0f} MB do not fit into {self._folder.parent.parent}"
                )
            with archives.understood(self.root):
                archives.copy(member, target)
        except OSError as error:
            raise UnreachableError(f"cannot be copied out ({error.strerror})") from error

    def _companions(self, header: str) -> list[str]:
        """Files beside a header that may hold its pixels: named like it, or named in it."""
        with (self._folder / header).open("rb") as stream:
            said = stream.read(_LONGEST_HEADER)
        parent, slash, name = header.rpartition("/")
        before, own = f"{parent}{slash}", name.partition(".")[0]
        return [
            other
            for other in self._members
            if other != header
            and other.startswith(before)
            and not self.problem(other)
            and (
                other.removeprefix(before).partition(".")[0] == own
                or other.removeprefix(before).encode("utf-8", "surrogateescape") in said
            )
        ]


def _plain_tar(archive: Path, folder: Path) -> Path:
    """The archive itself, or the tar that a compressed one holds, kept in a folder; only one process makes it.

    Raises
    ------
    DataError
        If the archive is damaged, or what comes out is out of all proportion, or the disk is full.
    """
    with archives.understood(archive), archive.open("rb") as stream:
        head = stream.read(8)
        packer = next((module for mark, module in _COMPRESSED.items() if head.startswith(mark)), None)
        status = os.fstat(stream.fileno())
    if packer is None:
        return archive
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{digest(str(archive.resolve()), status.st_size, status.st_mtime_ns)}.tar"
    with FileLock(f"{target}.lock"):
        _forget_unused(folder)
        if target.exists():
            os.utime(target)
            return target
        bound = max(archives.ALWAYS_FINE, archives.LARGEST_RATIO * status.st_size)
        unfinished = target.with_name(f"{target.name}.part")
        try:
            with (
                archives.understood(archive),
                packer.open(archive) as stream,
                unfinished.open("wb") as written,
            ):
                while data := stream.read(_PIECE):
                    written.write(data)
                    if written.tell() > bound:
                        raise DataError(
                            f"{archive.name} would unpack to more than {bound / 1e6:.0f} MB; it is not unpacked"
                        )
            unfinished.replace(target)
        finally:
            unfinished.unlink(missing_ok=True)
    return target


def _forget_unused(folder: Path) -> None:
    oldest = time.time() - _KEPT_DAYS * 86400
    for file in folder.glob("*.tar*"):
        with suppress(OSError):
            if file.stat().st_mtime < oldest:
                file.unlink()
