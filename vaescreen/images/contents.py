"""What a path names: a folder of image files, packed or not, a list of them, or one file that holds many images."""

import os
from pathlib import Path
from typing import NamedTuple

from vaescreen.errors import DataError
from vaescreen.images import archives
from vaescreen.images.files import stamp_of
from vaescreen.images.formats import format_of
from vaescreen.images.manifest import (
    COLUMNS,
    LIST_SUFFIXES,
    MANIFEST,
    Entry,
    is_ours,
    read_list,
    read_manifest,
    separator,
)
from vaescreen.images.places import Archive, Folder, Place
from vaescreen.images.walking import Walked, walk, walk_archive


class Contents(NamedTuple):
    """Files, and what is said of them beforehand.

    Attributes
    ----------
    place
        Where all files are.
    walked
        The files.
    rows
        Split and patient of each file, if a manifest says.
    manifest
        Where `rows` come from: `manifest.csv` of the folder, or a list that names splits and patients.
    remarks
        How these were read, where that may be doubted.
    """

    place: Place
    walked: Walked
    rows: list[Entry]
    manifest: Path | None
    remarks: tuple[str, ...] = ()


def contents_of(path: Path, *, remember: bool = True) -> Contents:
    """Look what there is, without opening any image; the cache holds what an archive unpacks to only if it may.

    Raises
    ------
    DataError
        If the path does not exist or is a file of an unknown kind, or the manifest or the list is wrong.
    """
    if os.path.isdir(path):  # noqa: PTH112 (a name too long is none, and no error)
        folder = Folder(path)
        return _of_place(folder, walk(folder))
    if not os.path.exists(path):  # noqa: PTH110
        raise DataError(f"{path} does not exist; give a folder of images")
    if archives.stem(path.name):
        try:
            stamp_of(path)
        except DataError as error:
            raise DataError(f"{path}: {error}") from None
        archive = Archive(path, remember=remember)
        return _of_place(archive, walk_archive(archive))
    if format_of(path):
        return Contents(Folder(path.parent), Walked([path.name], [], []), [], None)
    if path.suffix.lower() not in LIST_SUFFIXES:
        raise DataError(
            f"{path} is a file of an unknown kind, not a folder; give a folder of images, a file that holds many, "
            f"an archive ({', '.join(archives.SUFFIXES)}), or a list of files in {', '.join(LIST_SUFFIXES)}"
        )
    root, rows = read_list(path)
    named = any(row.split for row in rows)
    files = [row.file for row in rows]
    return Contents(Folder(root), Walked(files, [], []), rows, path if named else None, _separated(path))


def _of_place(place: Place, walked: Walked) -> Contents:
    if not place.has(MANIFEST):
        return Contents(place, walked, [], None)
    table = place.path(MANIFEST)
    if not is_ours(table):
        kind = f"{MANIFEST} is of another kind, so it was not read: ours has {', '.join(COLUMNS)}"
        return Contents(place, walked, [], None, (kind,))
    remarks = _separated(table)
    return Contents(place, walked, read_manifest(place), place.root / MANIFEST, remarks)


def _separated(table: Path) -> tuple[str, ...]:
    others = {";": "semicolons", "\t": "tabs"}
    used = others.get(separator(table)) if table.suffix.lower() == ".csv" else None
    return (f"{table.name} was read as separated by {used}",) if used else ()
