"""Entries that run code, and whether the user said yes to them.

The package's own entries and those in the user's own registry file are trusted. An entry of any other file that
names a Python module is not, until the user says so: for one run, or for good. What was said for good holds for the
entry as it was then; with another module, or in another place, it is asked for again.
"""

from pathlib import Path

from vaescreen.registry.candidate import Candidate
from vaescreen.registry.sources import ModuleSource
from vaescreen.storage import config_dir, digest, locked, recall_json, write_json

_for_this_run: set[Path] = set()


def trust_for_this_run(file: Path) -> None:
    """Let the entries of a registry file run code until this process ends."""
    _for_this_run.add(file.resolve())


def trust(file: Path, candidate: Candidate) -> None:
    """Let an entry of a registry file run its code from now on; one that runs none needs no trust.

    Raises
    ------
    CacheError
        If that cannot be written down.
    """
    if not isinstance(candidate.source, ModuleSource):
        return
    record = _record()
    with locked(record):
        known = set(_known()) | {_entry(file, candidate.source)}
        write_json(record, {"entries": sorted(known)})


def is_trusted(file: Path, candidate: Candidate) -> bool:
    """Whether an entry that stands in a registry file may run its code."""
    if not isinstance(candidate.source, ModuleSource):
        return True
    return file.resolve() in _for_this_run or _entry(file, candidate.source) in _known()


def _record() -> Path:
    return config_dir() / "trusted.json"


def _known() -> list[str]:
    record = recall_json(_record())
    return list(record["entries"]) if record else []


def _entry(file: Path, source: ModuleSource) -> str:
    return digest(str(file.resolve()), source.module, str(source.folder and source.folder.resolve()))
