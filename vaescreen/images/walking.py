"""Which files there are, without opening more than their first bytes: what may be images, and what is passed over."""

import os
from collections.abc import Set
from pathlib import Path
from typing import NamedTuple

from vaescreen.images import archives
from vaescreen.images.files import is_hidden
from vaescreen.images.formats import format_of
from vaescreen.images.places import Archive, Folder
from vaescreen.images.scanning import Skipped

_HEADERS = (".hdr", ".nhdr", ".mhd")


class Walked(NamedTuple):
    """Files of a known format, folders that could not be entered, and all other files."""

    files: list[str]
    unusable: list[Skipped]
    passed_over: list[Skipped]


def walk(folder: Folder) -> Walked:
    """Find all files of a known format under a folder: paths relative to it, with forward slashes.

    Hidden files and folders and `__MACOSX` are passed over; links to folders are not followed.
    """
    files: list[str] = []
    passed_over: list[Skipped] = []
    unusable: list[Skipped] = []

    def report(error: OSError) -> None:
        relative = Path(os.fsdecode(error.filename)).relative_to(folder.root).as_posix()
        unusable.append(Skipped(shown(relative), f"a folder that cannot be read ({error.strerror})"))

    for parent, folders, names in os.walk(folder.root, onerror=report):
        here = Path(parent)
        relative = here.relative_to(folder.root).as_posix()
        before = "" if relative == "." else f"{relative}/"
        hidden = [name for name in folders if is_hidden(name)]
        folders[:] = [name for name in folders if not is_hidden(name)]
        passed_over += [_other(before + name, "hidden folder") for name in hidden]
        unusable += [
            Skipped(shown(before + name), "a link to a folder, which is not followed")
            for name in folders
            if os.path.islink(here / name)  # noqa: PTH114 (a path too long is no link, and no error)
        ]
        others = set(names)
        for name in names:
            if is_hidden(name):
                passed_over.append(_other(before + name, "hidden file"))
            elif folder.kind(before + name):
                files.append(before + name)
            else:
                passed_over.append(_other(before + name, _no_image(name, others)))
        if not (folders or names) and format_of(here):
            unusable.append(Skipped(shown(relative), "a folder, not a file"))
    return Walked(files, unusable, passed_over)


def walk_archive(archive: Archive) -> Walked:
    """Find all files of a known format in an archive, as `walk` does in a folder."""
    found = Walked([], [], [])
    beside: dict[str, set[str]] = {}
    for name in archive.names:
        parent, _, file = name.rpartition("/")
        beside.setdefault(parent, set()).add(file)
    for name in archive.names:
        parent, _, file = name.rpartition("/")
        if problem := archive.problem(name):
            found.unusable.append(Skipped(shown(name), problem))
        elif is_hidden(name):
            found.passed_over.append(_other(name, "hidden file"))
        elif archive.kind(name):
            found.files.append(name)
        else:
            found.passed_over.append(_other(name, _no_image(file, beside[parent])))
    return found


def _other(path: str, kind: str) -> Skipped:
    return Skipped(shown(path), kind, kind)


def _no_image(name: str, others: Set[str]) -> str:
    if archives.stem(name):
        return "archive, to be unpacked or given itself"
    stem = name.partition(".")[0]
    if any(stem + header in others for header in _HEADERS):
        return "pixels of the header beside"
    suffix = shown(Path(name).suffix.lower())
    return f"no image ({suffix})" if suffix else "no image (no suffix)"


def shown(path: str) -> str:
    """Path as text can hold it: bytes that are not UTF-8 are escaped."""
    return path.encode("utf-8", "backslashreplace").decode()
