"""Where fetched data sets are kept, and whether one is complete: a folder that bears a mark was verified whole."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from vaescreen import __version__
from vaescreen.errors import CacheError, ResultError
from vaescreen.registry.data_entry import DataEntry
from vaescreen.storage import cache_dir, read_json, recall_json, write_json

_MARK = ".complete.json"
_SOUGHT = "sought.json"


def home(name: str) -> Path:
    """Folder of a data set once it is fetched."""
    return cache_dir() / "datasets" / name


def workshop(name: str) -> Path:
    """Folder in which a data set is put together; what is there is taken up by the next try."""
    return cache_dir() / "datasets" / f".{name}.partial"


def is_complete(entry: DataEntry) -> bool:
    """Whether the data set was fetched and verified, from the source that its entry names now."""
    try:
        return bool(read_json(home(entry.name) / _MARK)["source"] == _source(entry))
    except (ResultError, KeyError, TypeError):
        return False


def begin(entry: DataEntry, version: str | None) -> Path:
    """Folder in the workshop that files go into; what is there of another source or version is deleted first."""
    place = workshop(entry.name)
    sought = {"source": _source(entry), "version": version}
    if recall_json(place / _SOUGHT) != sought:
        shutil.rmtree(place, ignore_errors=True)
        write_json(place / _SOUGHT, sought)
    folder = place / "files"
    folder.mkdir(exist_ok=True)
    return folder


def finish(entry: DataEntry, folder: Path, files: dict[str, Any]) -> Path:
    """Mark a folder in the workshop as complete, with what its files were, and move it to its place."""
    write_json(folder / _MARK, {"source": _source(entry), "files": files, "vaescreen": __version__})
    place = home(entry.name)
    shutil.rmtree(place, ignore_errors=True)
    try:
        folder.rename(place)
    except OSError as error:
        raise CacheError(
            f"cannot move {folder} to {place} ({error.strerror}); remove what is there"
        ) from error
    shutil.rmtree(workshop(entry.name), ignore_errors=True)
    return place


def discard(name: str) -> bool:
    """Delete what was fetched of a data set, finished or not; whether there was anything."""
    places = [place for place in (home(name), workshop(name)) if place.exists()]
    if not places:
        return False
    with only_one(name):
        for place in places:
            try:
                shutil.rmtree(place)
            except OSError as error:
                raise CacheError(f"cannot delete {place} ({error.strerror}); mend its permissions") from error
    return True


@contextmanager
def only_one(name: str) -> Iterator[None]:
    """Hold a data set against other processes, or say that one is at it.

    Raises
    ------
    CacheError
        If another process fetches or removes it.
    """
    lock = FileLock(cache_dir() / "datasets" / f".{name}.lock")
    Path(lock.lock_file).parent.mkdir(parents=True, exist_ok=True)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise CacheError(f"another process is at {name}; wait until it has ended") from None
    try:
        yield
    finally:
        lock.release()


def _source(entry: DataEntry) -> dict[str, Any]:
    return entry.source.model_dump(mode="json", exclude_defaults=True)
