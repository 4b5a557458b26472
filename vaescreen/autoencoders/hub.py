"""The Hugging Face hub: its cache on this machine, downloads into it, and its refusals in one line."""

import re
import socket
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit
from urllib.request import getproxies

from vaescreen.autoencoders.files import file_sha256, refuse_placeholder, stays_inside
from vaescreen.errors import CandidateError
from vaescreen.images.fetching.hub_answers import explain
from vaescreen.registry.sources import HubSource

LOOSE_SUFFIXES = (".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".pth.tar")
"""Endings of weight files, in small letters."""

_OF_TRAINING = ("optimizer", "scheduler", "scaler", "training_args", "random_states")
"""How the files begin that accelerate and transformers write beside weights."""
_SHA256 = re.compile(r"[0-9a-f]{64}")


def is_weights(file: str) -> bool:
    """Whether a file has the name of weights, and not of what a training keeps beside them."""
    base = file.rpartition("/")[2].lower()
    return base.endswith(LOOSE_SUFFIXES) and not base.startswith(_OF_TRAINING)


def cached(source: HubSource, file: str) -> Path | Literal[False] | None:
    """Path of a file of the source in the hub's cache, or None; False if the hub has said that there is none.

    The network is not asked.
    """
    from huggingface_hub import try_to_load_from_cache

    inside = f"{source.subfolder}/{file}" if source.subfolder else file
    found = try_to_load_from_cache(source.hub, inside, revision=source.revision)
    return Path(found) if isinstance(found, str) else None if found is None else False


def fetch(source: HubSource, files: tuple[str, ...], name: str) -> Path:
    """Download the first of `files` that the source has, for candidate `name`, with progress on stderr.

    Raises
    ------
    CandidateError
        If it has none of them, cannot be reached, refuses, or sends another file than it says; that is removed.
    """
    path = fetch_if_there(source, files, name)
    if path is None:
        place = source.subfolder or "its root"
        raise CandidateError(f"{name}: {source.hub} has no {' or '.join(files)} in {place}{_instead(source)}")
    return path


def fetch_if_there(source: HubSource, files: tuple[str, ...], name: str) -> Path | None:
    """As `fetch`; None if the source has none of the files.

    Raises
    ------
    CandidateError
        As for `fetch`, but for that.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import RemoteEntryNotFoundError

    _refuse_unresolvable(source, name)
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
    return None


def _refuse_unresolvable(source: HubSource, name: str) -> None:
    """Say at once that there is no network; the hub's client would try for half a minute."""
    from huggingface_hub.constants import ENDPOINT, HF_HUB_OFFLINE

    if HF_HUB_OFFLINE or getproxies():
        return
    try:
        socket.getaddrinfo(urlsplit(ENDPOINT).hostname, None)
    except OSError as error:
        raise CandidateError(
            f"{name}: {source.hub} cannot be reached: no connection to the hub; if a folder is meant, there is none of "
            "that name"
        ) from error


def _instead(source: HubSource) -> str:
    """What the repository has in its place, to end a message with."""
    from huggingface_hub import HfApi

    try:
        info = HfApi().model_info(source.hub, revision=source.revision)
    except Exception:  # it is only asked for a hint
        return ""
    files = (sibling.rfilename for sibling in info.siblings or ())
    weights = [file for file in files if is_weights(file)]
    if not weights:
        return ""
    chosen = weights[0]
    folder, _, file = chosen.rpartition("/")
    hint = f"--subfolder {folder} --weights {file}" if folder else f"--weights {file}"
    return f"; it has {', '.join(weights[:4])}: name one, such as `{hint}`"


def is_whole(path: Path, name: str) -> bool:
    """Whether a file in the cache is no page or pointer, and has the sha256 that its entry there is named by."""
    try:
        refuse_placeholder(path, name)
    except CandidateError:
        return False
    stored = path.resolve().name
    return not _SHA256.fullmatch(stored) or file_sha256(path, name) == stored


def discard(path: Path) -> None:
    """Remove a file from the hub's cache, with the blob that it links to there, but nothing outside."""
    blob = path.resolve() if stays_inside(path) else path
    path.unlink(missing_ok=True)
    blob.unlink(missing_ok=True)


def _verify(path: Path, source: HubSource, name: str) -> None:
    """Check what was fetched; if it is not what it should be, remove it."""
    try:
        refuse_placeholder(path, name)
        if not is_whole(path, name):
            raise CandidateError(
                f"{name}: {path.name} arrived damaged: its sha256 is not the one that {source.hub} gives; "
                "it is removed, fetch it again"
            )
    except CandidateError:
        discard(path)
        raise


def _refusal(error: Exception, source: HubSource) -> str:
    return explain(error, source.hub, source.revision, f"https://huggingface.co/{source.hub}")
