"""Where the files of a candidate are (package, folder, cache of the hub) and how they get there."""

import importlib.resources
from pathlib import Path
from typing import NamedTuple

from vaescreen.errors import CandidateError
from vaescreen.registry import BundledSource, Candidate, HubSource, LinearSource, PathSource

CONFIG = "config.json"
WEIGHTS = ("diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.bin")
_LOOSE_SUFFIXES = (".safetensors", ".bin", ".pt", ".pth", ".ckpt")


class WeightFiles(NamedTuple):
    """Configuration and weights of one network."""

    config: Path
    weights: Path


def available(candidate: Candidate) -> bool:
    """Whether the candidate can be used without a download; asks the disk only, never the network."""
    source = candidate.source
    if isinstance(source, HubSource):
        return _cached(source) is not None
    if isinstance(source, LinearSource):
        return True
    return _local_path(source).exists()


def locate(candidate: Candidate) -> WeightFiles:
    """Files of a candidate that is on this machine.

    Raises
    ------
    CandidateError
        If they are not; the message says how to get them.
    """
    source = candidate.source
    if isinstance(source, LinearSource):
        raise CandidateError(f"{candidate.name}: a linear codec has no weights")
    if not isinstance(source, HubSource):
        return _in_folder(_local_path(source), candidate.name)
    files = _cached(source)
    if files is None:
        size = f" ({candidate.size_mb:.0f} MB)" if candidate.size_mb else ""
        raise CandidateError(
            f"{candidate.name}: not on this machine; "
            f"`vaescreen registry pull {candidate.name}` fetches it{size} from {source.hub}"
        )
    return files


def pull(candidate: Candidate) -> WeightFiles:
    """Download a hub candidate into the hub's cache, with progress on stderr; others are only located.

    Raises
    ------
    CandidateError
        If the repository is missing, gated or unreachable, or holds no usable files.
    """
    source = candidate.source
    if not isinstance(source, HubSource):
        return locate(candidate)
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import RemoteEntryNotFoundError

    def fetch(filename: str) -> Path:
        return Path(
            hf_hub_download(source.hub, filename, subfolder=source.subfolder, revision=source.revision)
        )

    try:
        config = fetch(CONFIG)
        try:
            return WeightFiles(config, fetch(WEIGHTS[0]))
        except RemoteEntryNotFoundError:
            return WeightFiles(config, fetch(WEIGHTS[1]))
    except Exception as error:  # the hub client's transport errors share no base class
        raise CandidateError(f"{candidate.name}: {_explain(error, source)}") from error


def _local_path(source: PathSource | BundledSource) -> Path:
    if isinstance(source, PathSource):
        return source.path
    return Path(str(importlib.resources.files("vaescreen.autoencoders"))) / "bundled" / source.bundled


def _in_folder(path: Path, name: str) -> WeightFiles:
    if not path.exists():
        raise CandidateError(f"{name}: {path} does not exist")
    folder = path.parent if path.is_file() else path
    config = folder / CONFIG
    if not config.is_file():
        raise CandidateError(f"{name}: {folder} has no {CONFIG}; a folder in diffusers format is expected")
    if path.is_file():
        return WeightFiles(config, path)
    for weights in (folder / filename for filename in WEIGHTS):
        if weights.is_file():
            return WeightFiles(config, weights)
    for suffix in _LOOSE_SUFFIXES:
        loose = sorted(folder.glob(f"*{suffix}"))
        if len(loose) == 1:
            return WeightFiles(config, loose[0])
        if loose:
            names = ", ".join(file.name for file in loose[:4])
            raise CandidateError(f"{name}: {folder} has several weight files ({names}); name one as `path`")
    raise CandidateError(f"{name}: {folder} has no weights; {WEIGHTS[0]} is expected")


def _cached(source: HubSource) -> WeightFiles | None:
    from huggingface_hub import try_to_load_from_cache

    def find(filename: str) -> Path | None:
        inside = f"{source.subfolder}/{filename}" if source.subfolder else filename
        found = try_to_load_from_cache(source.hub, inside, revision=source.revision)
        return Path(found) if isinstance(found, str) else None

    config = find(CONFIG)
    weights = find(WEIGHTS[0]) or find(WEIGHTS[1])
    return WeightFiles(config, weights) if config and weights else None


def _explain(error: Exception, source: HubSource) -> str:
    from huggingface_hub import errors

    match error:
        case errors.GatedRepoError():
            page = f"https://huggingface.co/{source.hub}"
            reason = f"is gated; accept its licence at {page}, then log in with `hf auth login`"
        case errors.RepositoryNotFoundError():
            reason = "is not on the hub, or is private (`hf auth login`)"
        case errors.RevisionNotFoundError():
            reason = f"has no revision {source.revision!r}"
        case errors.RemoteEntryNotFoundError():
            reason = f"has no {CONFIG} with {WEIGHTS[0]} in {source.subfolder or 'its root'}"
        case errors.OfflineModeIsEnabled() | errors.LocalEntryNotFoundError():
            reason = "cannot be reached: no connection to the hub, or HF_HUB_OFFLINE is set"
        case errors.HfHubHTTPError():
            reason = f"cannot be fetched: the hub answered {error.response.status_code}; try again later"
        case _:
            detail = " ".join(str(error).split())[:150] or type(error).__name__
            reason = f"could not be fetched ({detail}); try again, what has arrived is kept"
    return f"{source.hub} {reason}"
