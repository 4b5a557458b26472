"""Which images a folder's files hold; remembered in the cache, since headers of volumes are slow to read."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from vaescreen.errors import DataError
from vaescreen.images.files import UnreachableError, beside, frames_of, unknown_kind
from vaescreen.images.formats import Format, Frame, NoPictureError, without_suffix
from vaescreen.images.labels import is_label_file
from vaescreen.images.places import Place
from vaescreen.images.scanning import OnImages, Skipped, code_digest, ignore
from vaescreen.images.walking import shown
from vaescreen.registry.reading import Reading
from vaescreen.storage import cache_dir, digest, recall_json, write_json

_ONE_IMAGE = (Frame(),)


class Listing(NamedTuple):
    """What was found in files.

    Attributes
    ----------
    frames
        Images by file.
    stamps
        By file, what changes whenever its images may.
    kinds
        Formats of these files.
    unusable
        Files that could not be listed.
    left_out
        Files that hold no picture.
    """

    frames: dict[str, Sequence[Frame]]
    stamps: dict[str, list[int]]
    kinds: set[Format]
    unusable: list[Skipped]
    left_out: list[Skipped]


def list_frames(
    place: Place,
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
    place
        Where the files lie.
    files
        Their names there.
    reading
        How volumes are cut.
    on_progress
        Called for every file.
    remember
        Whether the list goes to the cache; not that of private data, which names files and patients.
    """
    memo = cache_dir() / "listings" / f"{digest(str(place.root.resolve()), reading.description())}.json"
    known = _recall(memo)
    entries: dict[str, list[Any]] = {}
    listing = Listing({}, {}, set(), [], [])
    try:
        for number, file in enumerate(files, start=1):
            try:
                listing.frames[file] = _list(place, file, reading, known, entries, listing)
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


def _list(
    place: Place,
    file: str,
    reading: Reading,
    known: dict[str, list[Any]],
    entries: dict[str, list[Any]],
    listing: Listing,
) -> Sequence[Frame]:
    """Images of a file; where its header had to be read for that, they are noted in `entries`."""
    if file != shown(file):
        raise DataError("its name is not valid UTF-8; rename it")
    stamp = listing.stamps[file] = list(place.stamp(file))
    kind = place.kind(file)
    if kind is None:
        raise unknown_kind()
    listing.kinds.add(kind)
    if kind.frames is None:
        return _ONE_IMAGE
    if kind.beside and (other := beside(path := place.path(file), kind)):
        stamp += place.stamp(os.path.normpath(Path(file).parent / os.path.relpath(other, path.parent)))
    entry = known.get(file)
    if entry is None or entry[0] != stamp:
        entry = [stamp, _found(place.path(file), reading)]
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
