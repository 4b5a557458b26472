"""Weight files of published networks: found on this machine by size and sha256, or fetched from their repository."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from vaescreen.autoencoders.files import WeightFiles, file_sha256
from vaescreen.errors import CandidateError, DataError
from vaescreen.registry.candidate import Candidate
from vaescreen.registry.sources import GithubSource, RepositoryFile
from vaescreen.storage import cache_dir

WEIGHTS_FOLDER = "VAESCREEN_WEIGHTS"
"""Environment variable: a folder of weight files, under any names, that is searched before the network is asked."""


def located(source: GithubSource, name: str) -> WeightFiles | None:
    """Files of the source on this machine, or None if one of them is not here; the network is not asked."""
    found = [_found(source, file, name) for file in source.files]
    paths = tuple(path for path in found if path is not None)
    return _together(source, paths) if len(paths) == len(found) else None


def fetch(source: GithubSource, name: str) -> WeightFiles:
    """Download what is not on this machine into the cache and verify it.

    Raises
    ------
    CandidateError
        If a file cannot be fetched, or is not the one that the registry pins.
    """
    return _together(
        source, tuple(_found(source, file, name) or _download(source, file, name) for file in source.files)
    )


def owner(path: Path, candidates: Iterable[Candidate]) -> tuple[Path, Candidate] | None:
    """The published candidate that a weight file belongs to, or the first such file of a folder, by size and sha256."""
    known = {
        file.size: (file, each)
        for each in candidates
        if isinstance(each.source, GithubSource)
        for file in each.source.files
    }
    for file in [path] if path.is_file() else sorted(each for each in path.glob("*") if each.is_file()):
        published, candidate = known.get(file.stat().st_size, (None, None))
        if published and candidate and file_sha256(file, candidate.name) == published.sha256:
            return file, candidate
    return None


def _together(source: GithubSource, paths: tuple[Path, ...]) -> WeightFiles:
    parts = tuple(file.part or "" for file in source.files)
    return WeightFiles(paths[0], paths[0], paths if len(paths) > 1 else (), parts)


def _found(source: GithubSource, file: RepositoryFile, name: str) -> Path | None:
    places = (path for path in _places(source, file) if path.is_file() and path.stat().st_size == file.size)
    return next((path for path in places if file_sha256(path, name) == file.sha256), None)


def _places(source: GithubSource, file: RepositoryFile) -> Iterator[Path]:
    yield _cached(source, file)
    if folder := os.environ.get(WEIGHTS_FOLDER):
        yield from sorted(Path(folder).expanduser().rglob("*"))


def _cached(source: GithubSource, file: RepositoryFile) -> Path:
    return cache_dir() / "weights" / source.github / source.revision / file.path


def _download(source: GithubSource, file: RepositoryFile, name: str) -> Path:
    from vaescreen.images.fetching.downloads import download
    from vaescreen.registry.data_sources import WebFile

    address = f"https://raw.githubusercontent.com/{source.github}/{source.revision}/{file.path}"
    target = _cached(source, file)
    try:
        download(WebFile(url=address, size=file.size, sha256=file.sha256), target, lambda done, total: None)
    except DataError as error:
        raise CandidateError(f"{name}: {error}") from error
    return target
