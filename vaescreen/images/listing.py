"""Which images a folder's files hold; remembered in the cache, since headers of volumes are slow to read."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from vaescreen.errors import DataError
from vaescreen.images import archives
from vaescreen.images.files import UnreachableError, beside, frames_of, kind_of, stamp_of
from vaescreen.images.formats import Format, Frame, NoPictureError, format_of, without_suffix
from vaescreen.images.labels import is_label_file
from vaescreen.images.scanning import OnImages, Skipped, code_digest, ignore
from vaescreen.registry.reading import Reading
from vaescreen.storage import cache_dir, digest, recall_json, write_json

_ONE_IMAGE = (Frame(),)
_HEADERS = (".hdr", ".nhdr", ".mhd")


class Walked(NamedTuple):
    """Files of a known format, folders that could not be entered, and all other files."""

    files: list[str]
    unusable: list[Skipped]
    passed_over: list[Skipped]


class Listing(NamedTuple):
    """What was found in files.

    Attributes
    ----------
    frames
        Images by file.
    beside
        By file, the other one that its pixels are in, if they are.
    kinds
        Formats of these files.
    unusable
        Files that could not be listed.
    left_out
        Files that hold no picture.
    """

    frames: dict[str, Sequence[Frame]]
    beside: dict[str, Path]
    kinds: set[Format]
    unusable: list[Skipped]
    left_out: list[Skipped]


def walk(folder: Path) -> Walked:
    """Find all files of a known format under a folder: paths relative to it, with forward slashes.

    Hidden files and folders and `__MACOSX` are passed over; links to folders are not followed.
    """
    files: list[str] = []
    passed_over: list[Skipped] = []
    unusable: list[Skipped] = []

    def report(error: OSError) -> None:
        relative = Path(os.fsdecode(error.filename)).relative_to(folder).as_posix()
        unusable.append(Skipped(shown(relative), f"a folder that cannot be read ({error.strerror})"))

    for parent, folders, names in os.walk(folder, onerror=report):
        here = Path(parent)
        relative = here.relative_to(folder).as_posix()
        before = "" if relative == "." else f"{relative}/"
        hidden = [name for name in folders if _is_hidden(name)]
        folders[:] = [name for name in folders if not _is_hidden(name)]
        passed_over += [_other(before + name, "hidden folder") for name in hidden]
        unusable += [
            Skipped(shown(before + name), "a link to a folder, which is not followed")
            for name in folders
            if (here / name).is_symlink()
        ]
        for name in names:
            if _is_hidden(name):
                passed_over.append(_other(before + name, "hidden file"))
            elif format_of(here / name):
                files.append(before + name)
            else:
                passed_over.append(_other(before + name, _no_image(name, names)))
        if not (folders or names) and format_of(here):
            unusable.append(Skipped(shown(relative), "a folder, not a file"))
    return Walked(files, unusable, passed_over)


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


def _other(path: str, kind: str) -> Skipped:
    return Skipped(shown(path), kind, kind)


def _no_image(name: str, others: Sequence[str]) -> str:
    if archives.stem(name):
        return "archive, to be unpacked or given itself"
    stem = name.partition(".")[0]
    if any(stem + header in others for header in _HEADERS):
        return "pixels of the header beside"
    suffix = shown(Path(name).suffix.lower())
    return f"no image ({suffix})" if suffix else "no image (no suffix)"


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
    listing = Listing({}, {}, set(), [], [])
    try:
        for number, file in enumerate(files, start=1):
            try:
                listing.frames[file] = _list(folder, file, reading, known, entries, listing)
            except NoPictureError as error:
                listing.left_out.append(Skipped(shown(file), str(error), error.kind))
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


def without_labels(files: Sequence[str]) -> tuple[list[str], list[str]]:
    """Part files from those that their names or folders call label maps, unless all are called so."""
    labels = [file for file in files if is_label_file(file, without_suffix(file.rpartition("/")[2]))]
    if len(labels) == len(files):
        return list(files), []
    left_out = set(labels)
    return [file for file in files if file not in left_out], labels


def shown(path: str) -> str:
    """Path as text can hold it: bytes that are not UTF-8 are escaped."""
    return path.encode("utf-8", "backslashreplace").decode()


def _list(
    folder: Path,
    file: str,
    reading: Reading,
    known: dict[str, list[Any]],
    entries: dict[str, list[Any]],
    listing: Listing,
) -> Sequence[Frame]:
    """Images of a file; where its header had to be read for that, they are noted in `entries`."""
    if file != shown(file):
        raise DataError("its name is not valid UTF-8; rename it")
    path = folder / file
    stamp = list(stamp_of(path))
    kind = kind_of(path)
    listing.kinds.add(kind)
    if kind.frames is None:
        return _ONE_IMAGE
    if other := beside(path, kind):
        listing.beside[file] = other
        stamp += stamp_of(other)
    entry = known.get(file)
    if entry is None or entry[0] != stamp:
        entry = [stamp, _found(path, reading)]
    entries[file] = entry
    if isinstance(entry[1], str):
        raise DataError(entry[1])
    if isinstance(entry[1], dict):
        raise NoPictureError(**entry[1])
    return [Frame(*frame) for frame in entry[1]]


def _found(path: Path, reading: Reading) -> list[Any] | str | dict[str, str]:
    """Images of a file, or the reason why there are none; with the kind, if they are no pictures."""
    try:
        return [list(frame) for frame in frames_of(path, reading)]
    except UnreachableError:
        raise
    except NoPictureError as error:
        return {"kind": error.kind, "reason": str(error)}
    except DataError as error:
        return str(error)


def _recall(memo: Path) -> dict[str, list[Any]]:
    known = recall_json(memo, memo.stem)
    return dict(known["files"]) if known and known.get("code") == code_digest() else {}


def _remember(memo: Path, entries: dict[str, list[Any]]) -> None:
    write_json(memo, {"code": code_digest(), "files": entries}, memo.stem)
