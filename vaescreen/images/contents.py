"""What a path names: a folder of image files, packed or not, a list of them, or one file that holds many images."""

from pathlib import Path
from typing import NamedTuple

from vaescreen.errors import DataError
from vaescreen.images import archives
from vaescreen.images.formats import format_of
from vaescreen.images.listing import Walked, walk
from vaescreen.images.manifest import LIST_SUFFIXES, MANIFEST, Entry, is_ours, read_list, read_manifest


class Contents(NamedTuple):
    """Files, and what is said of them beforehand.

    Attributes
    ----------
    root
        Folder that all paths are relative to.
    walked
        The files.
    rows
        Split and patient of each file, if a manifest says.
    manifest
        Where `rows` come from: `manifest.csv` of the folder, or a list that names splits and patients.
    has_foreign_manifest
        Whether there is a `manifest.csv` that is none of ours.
    """

    root: Path
    walked: Walked
    rows: list[Entry]
    manifest: Path | None
    has_foreign_manifest: bool = False


def contents_of(place: Path) -> Contents:
    """Look what there is, without opening any image.

    Raises
    ------
    DataError
        If the path does not exist or is a file of an unknown kind, or the manifest or the list is wrong.
    """
    if place.is_dir():
        manifest = place / MANIFEST
        here = manifest.exists() and is_ours(manifest)
        rows = read_manifest(place) if here else []
        return Contents(place, walk(place), rows, manifest if here else None, manifest.exists() and not here)
    if not place.exists():
        raise DataError(f"{place} does not exist; give a folder of images")
    if archives.stem(place.name):
        return contents_of(archives.unpacked(place))
    if format_of(place):
        return Contents(place.parent, Walked([place.name], [], []), [], None)
    if place.suffix.lower() not in LIST_SUFFIXES:
        raise DataError(
            f"{place} is a file of an unknown kind, not a folder; give a folder of images, a file that holds many, "
            f"an archive ({', '.join(archives.SUFFIXES)}), or a list of files in {', '.join(LIST_SUFFIXES)}"
        )
    root, rows = read_list(place)
    named = any(row.split for row in rows)
    return Contents(root, Walked([row.file for row in rows], [], []), rows, place if named else None)
