"""The Hugging Face hub: its cache on this machine, downloads into it, and its refusals in one line."""

import re
from pathlib import Path

from vaescreen.autoencoders.files import file_sha256, refuse_placeholder, stays_inside
from vaescreen.datasets.hub_answers import explain
from vaescreen.errors import CandidateError
from vaescreen.registry.sources import HubSource

_SHA256 = re.compile(r"[0-9a-f]{64}")


def cached(source: HubSource, file: str) -> Path | None:
    """Path of a file of the source in the hub's cache, or None; the network is not asked."""
    from huggingface_hub import try_to_load_from_cache

    inside = f"{source.subfolder}/{file}" if source.subfolder else file
    found = try_to_load_from_cache(source.hub, inside, revision=source.revision)
    return Path(found) if isinstance(found, str) else None


def fetch(source: HubSource, files: tuple[str, ...], name: str) -> Path:
    """Download the first of `files` that the source has, for candidate `name`, with progress on stderr.

    Raises
    ------
    CandidateError
        If it has none of them, cannot be reached, refuses, or sends another file than it says; that is removed.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import RemoteEntryNotFoundError

    for file in files:
        try:
            path = Path(
                hf_hub_download(source.hub, file, subfolder=source.subfolder, revision=source.revision)
            )
        except RemoteEntryNotFoundError:
            continue
        except Exception as error:  # the hub client's transport errors share no base class
            raise CandidateError(f"{name}: {source.hub} {_refusal(error, source)}") from error
        _verify(path, source, name)
        return path
    place = source.subfolder or "its root"
    raise CandidateError(f"{name}: {source.hub} has no {' or '.join(files)} in {place}")


def discard(path: Path) -> None:
    """Remove a file from the hub's cache, with the blob that it links to there, but nothing outside."""
    blob = path.resolve() if stays_inside(path) else path
    path.unlink(missing_ok=True)
    blob.unlink(missing_ok=True)


def _verify(path: Path, source: HubSource, name: str) -> None:
    """Check that what was fetched is no page or pointer in place of a file; if it is, remove it.

    And that its sha256 is the one that its cache entry is named by, as that of every large file is.
    """
    try:
        refuse_placeholder(path, name)
        stored = path.resolve().name
        if _SHA256.fullmatch(stored) and file_sha256(path, name) != stored:
            raise CandidateError(
                f"{name}: {path.name} arrived damaged: its sha256 is not the one that {source.hub} gives; "
                "it is removed, fetch it again"
            )
    except CandidateError:
        discard(path)
        raise


def _refusal(error: Exception, source: HubSource) -> str:
    return explain(error, source.hub, source.revision, f"https://huggingface.co/{source.hub}")
