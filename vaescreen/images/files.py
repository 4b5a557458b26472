"""One file, from outside: whether it can be read at all, and its decoder's complaints in one line.

Decoders raise whatever comes to hand on damaged input. Here, and only here, everything that they raise becomes the
reason why that one file is left out; what concerns the whole run, such as a missing library, passes through.
"""

import errno
import os
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vaescreen.errors import DataError, VaescreenError
from vaescreen.images.formats import SUFFIXES, Format, Frame, NoPictureError, format_of
from vaescreen.images.pixels import FloatImage
from vaescreen.registry.reading import Reading
from vaescreen.storage import placeholder

_LONGEST_REASON = 200
_HEAD = 512
_GZIP = b"\x1f\x8b"
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}

Stamp = tuple[int, int, int]
"""Size, time of the last change of content, time of the last change of the file: it cannot change and keep all."""


class UnreachableError(DataError):
    """What may pass though the file does not change, and is not remembered: permissions, networks, memory."""


def stamp_of(path: Path | str) -> Stamp:
    """Look at a file without opening it.

    Raises
    ------
    DataError
        With the bare reason: it is not there, cannot be reached, is empty, or is no file at all (opening a named
        pipe would wait for ever).
    """
    try:
        status = os.stat(path)  # noqa: PTH116 (of text, too)
    except FileNotFoundError:
        reason = (
            "a link that leads nowhere"
            if Path(path).is_symlink()
            else "no such file; it may have been removed"
        )
        raise DataError(reason) from None
    except (OSError, ValueError) as error:
        raise _complaint(error) from None
    if not stat.S_ISREG(status.st_mode):
        raise DataError(f"{_KINDS.get(stat.S_IFMT(status.st_mode), 'something else')}, not a file")
    if status.st_size == 0:
        raise DataError("the file is empty")
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


def beside(path: Path, kind: Format) -> Path | None:
    """The other file that an image is in, if one is.

    Raises
    ------
    DataError
        With the bare reason, for instance that it is missing.
    """
    if kind.beside is None:
        return None
    with _complaints(path):
        return kind.beside(path)


def is_hidden(file: str) -> bool:
    """Whether a file, or a folder it lies in, is hidden, or one that macOS puts into archives."""
    return any(part.startswith(".") or part == "__MACOSX" for part in file.split("/"))


def kind_of(path: Path) -> Format:
    """Format that a file's name promises.

    Raises
    ------
    DataError
        With the bare reason, if it promises none.
    """
    kind = format_of(path)
    if kind is None:
        raise unknown_kind()
    return kind


def unknown_kind() -> DataError:
    """The bare reason for a file that is of no format."""
    return DataError(f"not a file of a known kind ({', '.join(sorted(SUFFIXES))})")


def frames_of(path: Path, reading: Reading) -> list[Frame]:
    """List the images of a file.

    Raises
    ------
    DataError
        With the bare reason why there are none.
    """
    kind = kind_of(path)
    if kind.frames is None:
        return [Frame()]
    with _complaints(path):
        frames = kind.frames(path, reading)
    if not frames:
        raise DataError("holds no image that could be used")
    return frames


def read_frame(path: Path, key: str, reading: Reading, kind: Format | None = None) -> FloatImage:
    """Decode one image of a file, by the `key` of its `Frame`: float32 [H, W] in [0, 1], NaN where there is no data.

    Its format is looked for unless it is known.

    Raises
    ------
    DataError
        With the bare reason why it cannot be used.
    """
    stamp_of(path)
    with _complaints(path):
        return (kind or kind_of(path)).read(path, key, reading)


@contextmanager
def _complaints(path: Path) -> Iterator[None]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except NoPictureError:
        raise
    except DataError as error:
        raise _instead(path) or error from error
    except VaescreenError:
        raise
    except MemoryError:
        raise UnreachableError("does not fit into memory") from None
    except Exception as error:
        raise _instead(path) or _complaint(error) from error


def _instead(path: Path) -> DataError | None:
    """Why a file that cannot be read is another than it is called, if something stands in its place."""
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD)
    except OSError:
        return None
    found = placeholder(head)
    kind = format_of(path)
    if head.startswith(_GZIP) and kind and not any(suffix.endswith("gz") for suffix in kind.suffixes):
        return DataError(f"packed by gzip, which is not read of {kind.name} files; unpack it by `gunzip`")
    mend = "`git lfs pull` brings it" if found and "LFS" in found else "fetch it again"
    return DataError(f"{found}, not the file; {mend}") if found else None


def _complaint(error: Exception) -> DataError:
    """One short line; names of classes are for errors that say nothing else."""
    if isinstance(error, OSError) and error.errno:
        said = "a loop of links" if error.errno == errno.ELOOP else os.strerror(error.errno)
        return UnreachableError(f"cannot be read ({said})")
    said = " ".join(str(error).split())
    if not isinstance(error, OSError | ValueError | SyntaxError | EOFError):
        said = f"{type(error).__name__}: {said}" if said else type(error).__name__
    if len(said) > _LONGEST_REASON:
        said = f"{said[:_LONGEST_REASON]}..."
    return DataError(f"cannot be decoded ({said or type(error).__name__})")
