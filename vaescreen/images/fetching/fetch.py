"""Fetching a data set: asked for whole, verified file by file, unpacked, and only then there."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from vaescreen.errors import DataError
from vaescreen.images import archives
from vaescreen.images.fetching import hub, store
from vaescreen.images.fetching.downloads import Received, download, size_of
from vaescreen.images.fetching.unpacking import unpack
from vaescreen.registry.data_entry import DataEntry
from vaescreen.registry.data_sources import CredentialedData, FolderData, HubData, WebData, WebFile
from vaescreen.storage import cache_dir, free_bytes

OnFile = Callable[[str, int, int | None], None]
"""Called with the name of a file, bytes of all files that are here, and in all if known."""


@dataclass(frozen=True)
class Plan:
    """What fetching a data set would bring.

    Attributes
    ----------
    entry
        The data set.
    size
        Bytes of all files, or None if their servers do not say.
    files
        How many there are.
    target
        Where they will be.
    free
        Bytes free on that disk.
    """

    entry: DataEntry
    size: int | None
    files: int
    target: Path
    free: int
    snapshot: hub.Snapshot | None = None


def plan(entry: DataEntry) -> Plan:
    """Find out how large a data set is, before a byte of it is fetched.

    Raises
    ------
    DataError
        If it cannot be fetched at all: it lies on this machine, or is given out to registered users only, or the hub
        refuses.
    """
    held = None
    match entry.source:
        case FolderData(path=path):
            raise DataError(f"{entry.name} is the folder {path}; there is nothing to fetch")
        case CredentialedData(credentialed=page):
            raise DataError(
                f"{entry.name} is given out to registered users only: fetch it from {page}, "
                f"then `vaescreen data add {entry.name} FOLDER`"
            )
        case HubData() as source:
            held = hub.snapshot(source)
            sizes: Sequence[int | None] = [file.size for file in held.files]
        case WebData(urls=urls):
            sizes = [size_of(file) for file in urls]
    size = None if None in sizes else sum(size or 0 for size in sizes)
    free = free_bytes(cache_dir())
    return Plan(entry, size, len(sizes), store.home(entry.name), free, held)


def fetch(planned: Plan, on_file: OnFile) -> Path:
    """Fetch a data set and give its folder; one that is there already is left alone.

    What an interrupted try has brought is not fetched again.

    Raises
    ------
    DataError
        If a file cannot be fetched or verified, an archive not be unpacked, or the disk is too small.
    CacheError
        If another process is at it, or the cache cannot be written.
    """
    entry = planned.entry
    with store.only_one(entry.name):
        if store.is_complete(entry):
            return planned.target
        folder = store.begin(entry, planned.snapshot.commit if planned.snapshot else None)
        _require_space(planned, folder)
        receipts = (
            _from_web(entry.source, folder, planned.size, on_file)
            if isinstance(entry.source, WebData)
            else _from_hub(planned, folder, on_file)
        )
        packed = _unpack(folder, receipts)
        place = store.finish(entry, folder, {name: receipt._asdict() for name, receipt in receipts.items()})
        for archive in packed:
            (place / archive).unlink()
        return place


def _from_web(source: WebData, folder: Path, total: int | None, on_file: OnFile) -> dict[str, Received]:
    done = 0
    receipts = {}
    for file in source.urls:
        receipts[file.name] = _from_address(file, folder, done, total, on_file)
        done += receipts[file.name].size
    return receipts


def _from_address(file: WebFile, folder: Path, done: int, total: int | None, on_file: OnFile) -> Received:
    return download(
        file, folder / file.name, lambda have, whole: on_file(file.name, done + have, total or whole)
    )


def _from_hub(planned: Plan, folder: Path, on_file: OnFile) -> dict[str, Received]:
    source, held = planned.entry.source, planned.snapshot
    assert isinstance(source, HubData), "planned as a data set of the hub"
    assert held is not None
    done = 0
    receipts = {}
    for file in held.files:
        name, have = file.path, done

        def tell(piece: int, name: str = name) -> None:
            nonlocal have
            have += piece
            on_file(name, have, planned.size)

        receipts[name] = hub.fetch(source, held, file, folder, tell)
        done += receipts[name].size
        on_file(name, done, planned.size)
    shutil.rmtree(folder / ".cache", ignore_errors=True)
    return receipts


def _unpack(folder: Path, receipts: dict[str, Received]) -> list[str]:
    """Unpack archives beside where they lie; gives their names."""
    packed = []
    for name in receipts:
        archive = folder / name
        stem = archives.stem(archive.name)
        if stem is None:
            continue
        target = archive.with_name(stem)
        if any(other.startswith(f"{Path(name).with_name(stem).as_posix()}/") for other in receipts):
            raise DataError(f"{name} would be unpacked into a folder of other files, {target.name}")
        shutil.rmtree(target, ignore_errors=True)
        unpack(archive, target)
        packed.append(name)
    return packed


def _require_space(planned: Plan, folder: Path) -> None:
    """Refuse to begin what the disk cannot hold: downloads less what is here already."""
    here = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    needed = (planned.size or 0) - here
    if needed > planned.free:
        raise DataError(
            f"{planned.entry.name} needs {needed / 1e6:.0f} MB and {folder} has {planned.free / 1e6:.0f} MB free; "
            "free space, or point VAESCREEN_CACHE to another disk"
        )
