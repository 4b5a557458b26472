"""Entries that run code or read outside their folder, and whether the user said yes to them.

The package's own entries, those in the user's own registry file and those that the user's commands wrote are trusted.
An entry of any other file that names a Python module, or a path outside the folder of that file, is not, until the user
says so: for one run, or for good. What was said for good holds for the entry as it was then; with another module, or in
another place, it is asked for again.
"""

from pathlib import Path

from vaescreen.registry.candidate import Candidate
from vaescreen.registry.data_entry import DataEntry
from vaescreen.registry.data_sources import FolderData
from vaescreen.registry.sources import ModuleSource, PathSource
from vaescreen.storage import config_dir, digest, locked, recall_json, write_json

_for_this_run: set[Path] = set()


def trust_for_this_run(file: Path) -> None:
    """Let the entries of a registry file run code and read anywhere until this process ends."""
    _for_this_run.add(file.resolve())


def trust(file: Path, entry: Candidate | DataEntry) -> str | None:
    """Let an entry of a registry file do from now on what it asks for, and say what that is; None if that is nothing.

    Raises
    ------
    CacheError
        If that cannot be written down.
    """
    asked = _asked(file, entry)
    if asked is None:
        return None
    record = _record()
    with locked(record):
        known = set(_known()) | {_identity(file, entry)}
        write_json(record, {"entries": sorted(known)})
    return asked


def is_trusted(file: Path, entry: Candidate | DataEntry) -> bool:
    """Whether an entry that stands in a registry file may run its code and read wherever its path leads."""
    if _asked(file, entry) is None:
        return True
    return file.resolve() in _for_this_run or _identity(file, entry) in _known()


def untrusted(entry: Candidate | DataEntry, *paths: Path) -> str | None:
    """Why an entry may not read these paths, and what to do about it; None if it may."""
    file = entry.doubtful
    outside = [path for path in paths if file is not None and not _is_inside(file, path)]
    if not outside:
        return None
    return f"its entry in {file} reads {outside[0]}, outside the folder of that file; {how_to_trust(file)}"


def how_to_trust(file: Path | None) -> str:
    """End of a message about an entry that is not trusted."""
    return f"if you trust that file, give --trust {file}, or say so once: vaescreen registry trust {file}"


def _asked(file: Path, entry: Candidate | DataEntry) -> str | None:
    match entry.source:
        case ModuleSource(module=module):
            return f"run {module}"
        case PathSource(path=path):
            read = [path, *path.glob("*"), *path.glob("*/*")]  # links to files elsewhere among them
        case FolderData(path=path):
            read = [path]
        case _:
            return None
    outside = [place for place in read if not _is_inside(file, place)]
    return f"read {outside[0]}" if outside else None


def _is_inside(file: Path, path: Path) -> bool:
    return path.resolve().is_relative_to(file.resolve().parent)


def _record() -> Path:
    return config_dir() / "trusted.json"


def _known() -> list[str]:
    record = recall_json(_record())
    return list(record["entries"]) if record else []


def _identity(file: Path, entry: Candidate | DataEntry) -> str:
    source = entry.source
    if isinstance(source, ModuleSource):
        return digest(str(file.resolve()), source.module, str(source.folder and source.folder.resolve()))
    assert isinstance(source, PathSource | FolderData)
    return digest(str(file.resolve()), "path", str(source.path.resolve()))
