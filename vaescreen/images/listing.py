"""Which images a folder's files hold; remembered in the cache, since headers of volumes are slow to read."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from vaescreen.errors import DataError, ResultError
from vaescreen.images.formats import SUFFIXES, Frame, format_of
from vaescreen.images.reading import Reading
from vaescreen.images.scanning import Skipped, code_digest
from vaescreen.storage import cache_dir, digest, read_json, write_json


class Listing(NamedTuple):
    """Images by file, and the files that could not even be listed."""

    frames: dict[str, list[Frame]]
    unusable: list[Skipped]


def image_files(folder: Path) -> list[str]:
    """Paths of all files of a known format under a folder, relative to it, with forward slashes.

    Hidden files and folders and `__MACOSX` are passed over; links to folders are not followed.
    """
    found = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".") and name != "__MACOSX"]
        relative = Path(parent).relative_to(folder)
        images = (name for name in names if not name.startswith("."))
        found += [(relative / name).as_posix() for name in images if format_of(Path(name))]
    return found


def list_frames(folder: Path, files: Sequence[str], reading: Reading) -> Listing:
    """List the images of every file, or recall them if the file has not changed.

    Parameters
    ----------
    folder
        Where the files lie.
    files
        Their paths relative to it.
    reading
        How volumes are cut.
    """
    memo = cache_dir() / "listings" / f"{digest(str(folder.resolve()), reading.description())}.json"
    known = _recall(memo)
    entries: dict[str, list[Any]] = {}
    for file in files:
        stamp = list(file_stamp(folder / file))
        recalled = known.get(file)
        entries[file] = (
            recalled if recalled and recalled[0] == stamp else [stamp, _list(folder / file, reading)]
        )
    if entries != known:
        write_json(memo, {"code": code_digest(), "files": entries})
    frames = {
        file: [Frame(*frame) for frame in found]
        for file, (_, found) in entries.items()
        if isinstance(found, list)
    }
    unusable = [Skipped(file, found) for file, (_, found) in entries.items() if isinstance(found, str)]
    return Listing(frames, unusable)


def file_stamp(path: Path) -> tuple[int, ...]:
    """Size and times of a file; empty for a link that leads nowhere, which decoding will report."""
    try:
        status = path.stat()
    except OSError:
        return ()
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _list(path: Path, reading: Reading) -> list[Any] | str:
    """Images of a file, or the reason why there are none."""
    kind = format_of(path)
    if kind is None:
        return f"not a file of a known kind ({', '.join(sorted(SUFFIXES))})"
    try:
        frames = kind.frames(path, reading)
    except DataError as error:
        return str(error)
    return [list(frame) for frame in frames] if frames else "holds no image that could be used"


def _recall(memo: Path) -> dict[str, Any]:
    try:
        known = read_json(memo)
        return dict(known["files"]) if known["code"] == code_digest() else {}
    except (ResultError, KeyError, TypeError, ValueError):
        return {}
