"""Where the files of a candidate are (package, folder, cache of the hub) and how they get there."""

import importlib.resources
import importlib.util
from importlib.metadata import entry_points
from pathlib import Path

from vaescreen.autoencoders import hub
from vaescreen.autoencoders.files import WeightFiles, weights_sha256
from vaescreen.autoencoders.folders import file_names, in_folder, may_lack_config, with_shards
from vaescreen.autoencoders.published import files as published
from vaescreen.errors import CandidateError
from vaescreen.registry.candidate import ADAPTERS, PLUGINS, Candidate
from vaescreen.registry.sources import (
    BundledSource,
    GithubSource,
    HubSource,
    LinearSource,
    ModuleSource,
    PathSource,
    WebSource,
)
from vaescreen.registry.trust import untrusted

__all__ = ["WeightFiles", "available", "locate", "pull"]


def available(candidate: Candidate) -> bool:
    """Whether the candidate can be used without a download; asks the disk only, never the network."""
    source = candidate.source
    if candidate.adapter not in ADAPTERS:
        return candidate.adapter in entry_points(group=PLUGINS).names
    match source:
        case HubSource() | GithubSource():
            return _cached(source, candidate) is not None
        case PathSource() | BundledSource():
            return _local_path(source).exists()
        case ModuleSource():
            return _module_exists(source)
        case WebSource():
            return False
        case _:
            return True


def locate(candidate: Candidate) -> WeightFiles:
    """Files of a candidate that is on this machine.

    Raises
    ------
    CandidateError
        If they are not, or there are none; the message says how to get them.
    """
    source, name = candidate.source, candidate.name
    match source:
        case PathSource():
            if reason := untrusted(candidate, source.path):
                raise CandidateError(f"{name}: {reason}")
            found = in_folder(source.path, source, candidate)
            if reason := untrusted(candidate, found.config, found.weights, *found.shards):
                raise CandidateError(f"{name}: {reason}")
            return found
        case BundledSource():
            return in_folder(_local_path(source), None, candidate)
        case HubSource() | GithubSource():
            files = _cached(source, candidate)
            if files is None:
                place = source.hub if isinstance(source, HubSource) else f"github.com/{source.github}"
                size = f" ({candidate.size_mb:.3g} MB)" if candidate.size_mb else ""
                raise CandidateError(
                    f"{name}: not on this machine; `vaescreen registry pull {name}` fetches it{size} from {place}"
                )
            return files
        case WebSource():
            raise CandidateError(
                f"{name}: lies at {source.download}; fetch and unpack it, then add its folder with "
                f"`vaescreen registry add FOLDER --adapter {candidate.adapter} --name {name}`"
            )
        case LinearSource():
            raise CandidateError(f"{name}: a linear codec has no weights")
        case _:
            raise CandidateError(f"{name}: {source.module} brings its own weights")


def pull(candidate: Candidate) -> WeightFiles:
    """Download a hub candidate into the hub's cache, with progress on stderr; others are only located.

    What is in the cache already is used before the network is asked. A connection that breaks is taken up where it
    broke. What arrives, and what was there, is checked: against the hash of the registry entry and the one that the
    hub itself gives, and for pages or pointers in place of a file; what is wrong is removed from the cache.

    Raises
    ------
    CandidateError
        If the repository is missing, gated or unreachable, holds no usable files, or sends others than it should.
    """
    source, name = candidate.source, candidate.name
    if isinstance(source, GithubSource):
        return published.fetch(source, name)
    if not isinstance(source, HubSource):
        return locate(candidate)
    pinned = candidate.sha256
    here = _cached(source, candidate)
    if here is not None:
        damaged = [path for path in {here.config, here.weights, *here.shards} if not hub.is_whole(path, name)]
        if not damaged and pinned in (None, weights_sha256(here, name)):
            return here
        for path in damaged:
            hub.discard(path)
    config_name, weight_names = file_names(source, candidate)
    config = hub.fetch_if_there(source, (config_name,), name)
    if config is None and not may_lack_config(source):
        config = hub.fetch(source, (config_name,), name)
    weights = hub.fetch(source, weight_names, name)
    files = with_shards(config or weights, weights, name, lambda file: hub.fetch(source, (file,), name))
    if pinned is not None and weights_sha256(files, name) != pinned:
        for path in (files.weights, *files.shards):
            hub.discard(path)
        raise CandidateError(
            f"{name}: {source.hub} sent weights whose sha256 is not {pinned[:12]}..., which the registry pins; "
            "they are removed"
        )
    return files


def _local_path(source: PathSource | BundledSource) -> Path:
    if isinstance(source, PathSource):
        return source.path
    return Path(str(importlib.resources.files("vaescreen.autoencoders"))) / "bundled" / source.bundled


def _cached(source: HubSource | GithubSource, candidate: Candidate) -> WeightFiles | None:
    if isinstance(source, GithubSource):
        return published.located(source, candidate.name)
    config_name, weight_names = file_names(source, candidate)
    config = hub.cached(source, config_name)
    found = [path for file in weight_names if (path := hub.cached(source, file))]
    if not found or config is None or (config is False and not may_lack_config(source)):
        return None
    weights = found[0]
    try:
        return with_shards(config or weights, weights, candidate.name, lambda file: weights.parent / file)
    except CandidateError:
        return None


def _module_exists(source: ModuleSource) -> bool:
    top = source.module.partition(":")[0].partition(".")[0]
    if source.folder is not None:
        return (source.folder / top).is_dir() or (source.folder / f"{top}.py").is_file()
    try:
        return importlib.util.find_spec(top) is not None
    except (ImportError, ValueError):
        return False
