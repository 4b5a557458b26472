"""Data sets on the Hugging Face hub: which files one has, and fetching them as the hub says they are."""

import hashlib
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from vaescreen.errors import DataError
from vaescreen.images.fetching.downloads import CHUNK, Received
from vaescreen.images.fetching.hub_answers import explain
from vaescreen.registry.data_sources import HubData
from vaescreen.storage import placeholder


class HubFile(NamedTuple):
    """A file of a repository: its path there, bytes, and sha256 where the hub states it (that of every large file)."""

    path: str
    size: int | None
    sha256: str | None


class Snapshot(NamedTuple):
    """A repository at one commit, and its files that are wanted."""

    repo: str
    commit: str
    files: tuple[HubFile, ...]


def snapshot(source: HubData) -> Snapshot:
    """Ask the hub which files a data set has.

    Raises
    ------
    DataError
        If the hub cannot be reached or refuses, or has no such file.
    """
    from huggingface_hub import HfApi

    try:
        info = HfApi().dataset_info(source.hub, revision=source.revision, files_metadata=True)
    except Exception as error:  # the hub client's transport errors share no base class
        raise DataError(_refusal(error, source)) from error
    found = {file.rfilename: file for file in info.siblings or []}
    for path in found:
        if path.startswith("/") or ".." in PurePosixPath(path).parts:
            raise DataError(
                f"{source.hub} lists {path[:80]!r}, which would leave its folder; nothing is fetched"
            )
    files = tuple(
        HubFile(path, file.size, file.lfs.sha256 if file.lfs else None)
        for path, file in found.items()
        if not path.startswith(".")
        and (not source.files or any(fnmatchcase(path, pattern) for pattern in source.files))
    )
    if not files:
        of_that_name = f" matching {', '.join(source.files)}" if source.files else ""
        raise DataError(f"{source.hub} has no file{of_that_name} at revision {source.revision}")
    return Snapshot(source.hub, str(info.sha), files)


def fetch(
    source: HubData, held: Snapshot, file: HubFile, folder: Path, on_bytes: Callable[[int], None]
) -> Received:
    """Fetch one file into a folder, under its path; one that is there and unchanged is not fetched again.

    Raises
    ------
    DataError
        If it cannot be fetched, or what arrived is not what the hub says; that is removed.
    """
    from huggingface_hub import hf_hub_download

    try:
        path = Path(
            hf_hub_download(
                held.repo,
                file.path,
                repo_type="dataset",
                revision=held.commit,
                local_dir=folder,
                tqdm_class=_meter(on_bytes),
            )
        )
    except Exception as error:  # the hub client's transport errors share no base class
        raise DataError(f"{_refusal(error, source)} ({file.path})") from error
    return _verified(path, held, file)


def _verified(path: Path, held: Snapshot, file: HubFile) -> Received:
    total, size, head = hashlib.sha256(), 0, b""
    with path.open("rb") as stream:
        while data := stream.read(CHUNK):
            head = head or data[:512]
            total.update(data)
            size += len(data)
    wrong = file.size not in (None, size) or file.sha256 not in (None, total.hexdigest())
    instead = placeholder(head) if file.sha256 is None and path.suffix not in (".html", ".htm") else None
    if wrong or instead:
        path.unlink()
        problem = (
            f"is {instead}, not the file" if instead else f"arrived damaged: it is not what {held.repo} says"
        )
        raise DataError(f"{held.repo}: {file.path} {problem}; it is removed, fetch it again")
    return Received(size, total.hexdigest())


def _meter(on_bytes: Callable[[int], None]) -> type[Any]:
    """Progress bar for the hub's client that shows nothing and tells of every piece."""
    from tqdm import tqdm

    class Meter(tqdm):  # type: ignore[misc]
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **{**options, "disable": True})

        def update(self, n: float | None = 1) -> bool | None:
            on_bytes(int(n or 0))
            return None

    return Meter


def _refusal(error: Exception, source: HubData) -> str:
    page = f"https://huggingface.co/datasets/{source.hub}"
    return f"{source.hub} {explain(error, source.hub, source.revision, page)}"
