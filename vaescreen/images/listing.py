"""Which images a folder's files hold; remembered in the cache, since headers of volumes are slow to read."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from vaescreen.errors import DataError, ResultError
from vaescreen.images.files import UnreachableError, frames_of, kind_of, stamp_of
from vaescreen.images.formats import Frame, format_of
from vaescreen.images.reading import Reading
from vaescreen.images.scanning import OnImages, Skipped, code_digest, ignore
from vaescreen.storage import cache_dir, digest, read_json, write_json

_ONE_IMAGE = (Frame(),)


class Walked(NamedTuple):
    """Files of a known format, and folders that could not be entered."""

    files: list[str]
    unusable: list[Skipped]


class Listing(NamedTuple):
    """Images by file, and the files that could not even be listed."""

    frames: dict[str, Sequence[Frame]]
    unusable: list[Skipped]


def walk(folder: Path) -> Walked:
    """Find all files of a known format under a folder: paths relative to it, with forward slashes.

    Hidden files and folders and `__MACOSX` are passed over; links to folders are not followed.
    """
    files: list[str] = []
    unusable: list[Skipped] = []

    def report(error: OSError) -> None:
        relative = Path(os.fsdecode(error.filename)).relative_to(folder).as_posix()
        unusable.append(Skipped(shown(relative), f"a folder that cannot be read ({error.strerror})"))

    for parent, folders, names in os.walk(folder, onerror=report):
        folders[:] = [name for name in folders if not name.startswith(".") and name != "__MACOSX"]
        relative = Path(parent).relative_to(folder)
        links = (name for name in folders if os.path.islink(os.path.join(parent, name)))  # noqa: PTH114, PTH118
        unusable += [
            Skipped(shown((relative / name).as_posix()), "a link to a folder, which is not followed")
            for name in links
        ]
        images = (name for name in names if not name.startswith("."))
        files += [(relative / name).as_posix() for name in images if format_of(Path(parent, name))]
        if not (folders or names) and format_of(Path(parent)):
            unusable.append(Skipped(shown(relative.as_posix()), "a folder, not a file"))
    return Walked(files, unusable)


def list_frames(
    folder: Path,
    files: Sequence[str],
    reading: Reading,
    on_progress: OnImages = ignore,
    *,
    remember: bool = True,
) -> Listing:
    """List the images of every file, or recall them if the file has not changed.

    What was read until an interruption is recalled too.

    Parameters
    ----------
    folder
        Where the files lie.
    files
        Their paths relative to it.
    reading
        How volumes are cut.
    on_progress
        Called for every file.
    remember
        Whether the list goes to the cache; not that of private data, which names files and patients.
    """
    memo = cache_dir() / "listings" / f"{digest(str(folder.resolve()), reading.description())}.json"
    known = _recall(memo)
    entries: dict[str, list[Any]] = {}
    listing = Listing({}, [])
    try:
        for number, file in enumerate(files, start=1):
            try:
                listing.frames[file] = _list(folder, file, reading, known, entries)
            except DataError as error:
                listing.unusable.append(Skipped(shown(file), str(error)))
            on_progress("listing files", number, len(files))
    except BaseException:
        if remember:
            _remember(memo, known | entries)
        raise
    if remember and entries != known:
        _remember(memo, entries)
    return listing


def shown(path: str) -> str:
    """Path as text can hold it: bytes that are not UTF-8 are escaped."""
    return path.encode("utf-8", "backslashreplace").decode()


def _list(
    folder: Path, file: str, reading: Reading, known: dict[str, list[Any]], entries: dict[str, list[Any]]
) -> Sequence[Frame]:
    """Images of a file; where its header had to be read for that, they are noted in `entries`."""
    if file != shown(file):
        raise DataError("its name is not valid UTF-8; rename it")
    path = folder / file
    stamp = list(stamp_of(path))
    if kind_of(path).frames is None:
        return _ONE_IMAGE
    entry = known.get(file)
    if entry is None or entry[0] != stamp:
        entry = [stamp, _found(path, reading)]
    entries[file] = entry
    if isinstance(entry[1], str):
        raise DataError(entry[1])
    return [Frame(*frame) for frame in entry[1]]


def _found(path: Path, reading: Reading) -> list[Any] | str:
    """Images of a file, or the reason why there are none."""
    try:
        return [list(frame) for frame in frames_of(path, reading)]
    except UnreachableError:
        raise
    except DataError as error:
        return str(error)


def _recall(memo: Path) -> dict[str, list[Any]]:
    try:
        known = read_json(memo)
        return dict(known["files"]) if known["code"] == code_digest() else {}
    except (ResultError, KeyError, TypeError, ValueError):
        return {}


def _remember(memo: Path, entries: dict[str, list[Any]]) -> None:
    write_json(memo, {"code": code_digest(), "files": entries})
