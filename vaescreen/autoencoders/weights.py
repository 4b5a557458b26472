"""Where the files of a candidate are (package, folder, cache of the hub) and how they get there."""

import importlib.resources
import importlib.util
import re
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

from vaescreen.autoencoders import hub
from vaescreen.autoencoders.files import WeightFiles, read_json_object, weights_sha256
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

__all__ = ["WeightFiles", "available", "locate", "pull"]

CONFIG = "config.json"
_STEM = "diffusion_pytorch_model"
_LOOSE_SUFFIXES = (".safetensors", ".bin", ".pt", ".pth", ".ckpt")
_YAML_SUFFIXES = (".yaml", ".yml")
_PLAIN_NAME = re.compile(r"\w[\w.-]*")


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
            return _in_folder(source.path, source, candidate)
        case BundledSource():
            return _in_folder(_local_path(source), None, candidate)
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
                f"{name}: lies at {source.download}; fetch and unpack it, then give its folder as `path` instead"
            )
        case LinearSource():
            raise CandidateError(f"{name}: a linear codec has no weights")
        case _:
            raise CandidateError(f"{name}: {source.module} brings its own weights")


def pull(candidate: Candidate) -> WeightFiles:
    """Download a hub candidate into the hub's cache, with progress on stderr; others are only located.

    A connection that breaks is taken up where it broke. What arrives is checked: against the hash of the registry
    entry and the one that the hub itself gives, and for pages or pointers in place of a file; what is wrong is
    removed from the cache.

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
    config_name, weight_names = _names(source, candidate)
    config = hub.fetch(source, (config_name,), name)
    weights = hub.fetch(source, weight_names, name)
    files = _with_shards(config, weights, name, lambda file: hub.fetch(source, (file,), name))
    pinned = candidate.sha256
    if pinned is not None and weights_sha256(files, name) != pinned:
        for path in (files.weights, *files.shards):
            hub.discard(path)
        raise CandidateError(
            f"{name}: {source.hub} sent weights whose sha256 is not {pinned[:12]}..., which the registry pins; "
            "they are removed"
        )
    return files


def _names(source: HubSource | PathSource | None, candidate: Candidate) -> tuple[str, tuple[str, ...]]:
    """Names of the configuration, and of the weights by preference."""
    variant = f".{source.variant}" if source is not None and source.variant else ""
    weights: tuple[str, ...] = (
        f"{_STEM}{variant}.safetensors",
        f"{_STEM}.safetensors.index{variant}.json",
        f"{_STEM}{variant}.bin",
        f"{_STEM}.bin.index{variant}.json",
    )
    config = CONFIG
    if candidate.adapter == "ldm":
        config, weights = "config.yaml", ("model.safetensors", "model.ckpt")
    if isinstance(source, HubSource) and source.weights:
        weights = (source.weights,)
    return (source.config if source is not None and source.config else config), weights


def _local_path(source: PathSource | BundledSource) -> Path:
    if isinstance(source, PathSource):
        return source.path
    return Path(str(importlib.resources.files("vaescreen.autoencoders"))) / "bundled" / source.bundled


def _in_folder(path: Path, source: PathSource | None, candidate: Candidate) -> WeightFiles:
    name = candidate.name
    if not path.exists():
        raise CandidateError(f"{name}: {path} does not exist")
    folder = path.parent if path.is_file() else path
    config_name, weight_names = _names(source, candidate)
    config = folder / config_name
    if candidate.adapter == "ldm" and not config.is_file():
        config = _only(folder, _YAML_SUFFIXES, name, "config") or config
    if not config.is_file():
        form = (
            "a checkpoint with its YAML file"
            if candidate.adapter == "ldm"
            else "a folder in diffusers format"
        )
        raise CandidateError(f"{name}: {folder} has no {config.name}; {form} is expected")
    chosen = (
        path if path.is_file() else next((folder / n for n in weight_names if (folder / n).is_file()), None)
    )
    weights = chosen or _only(folder, _LOOSE_SUFFIXES, name, "path")
    if weights is None:
        raise CandidateError(f"{name}: {folder} has no weights; {weight_names[0]} is expected")
    return _with_shards(config, weights, name, lambda file: folder / file)


def _only(folder: Path, suffixes: tuple[str, ...], name: str, key: str) -> Path | None:
    """The one file with the first of `suffixes` that any has; several are not guessed between."""
    for suffix in suffixes:
        found = sorted(folder.glob(f"*{suffix}"))
        if len(found) > 1:
            listed = ", ".join(file.name for file in found[:4])
            kind = "weight" if key == "path" else "YAML"
            raise CandidateError(f"{name}: {folder} has several {kind} files ({listed}); name one as `{key}`")
        if found:
            return found[0]
    return None


def _cached(source: HubSource | GithubSource, candidate: Candidate) -> WeightFiles | None:
    if isinstance(source, GithubSource):
        return published.located(source, candidate.name)
    config_name, weight_names = _names(source, candidate)
    config = hub.cached(source, config_name)
    weights = next(filter(None, (hub.cached(source, file) for file in weight_names)), None)
    if config is None or weights is None:
        return None
    try:
        return _with_shards(config, weights, candidate.name, lambda file: weights.parent / file)
    except CandidateError:
        return None


def _with_shards(config: Path, weights: Path, name: str, find: Callable[[str], Path]) -> WeightFiles:
    """Files of a network; where `weights` is an index, with the shards that `find` gives for their names."""
    if weights.suffix != ".json":
        return WeightFiles(config, weights)
    table = read_json_object(weights, name).get("weight_map")
    shards = sorted({str(file) for file in table.values()}) if isinstance(table, dict) else []
    if not shards:
        raise CandidateError(f"{name}: {weights} is no index of weights: it has no `weight_map`")
    for file in shards:
        if not _PLAIN_NAME.fullmatch(file):
            raise CandidateError(f"{name}: {weights} names {file[:60]!r}, which is no file beside it")
    paths = tuple(find(file) for file in shards)
    for path in paths:
        if not path.exists():
            raise CandidateError(f"{name}: {path} is missing; {weights.name} lists it")
    return WeightFiles(config, weights, paths)


def _module_exists(source: ModuleSource) -> bool:
    top = source.module.partition(":")[0].partition(".")[0]
    if source.folder is not None:
        return (source.folder / top).is_dir() or (source.folder / f"{top}.py").is_file()
    try:
        return importlib.util.find_spec(top) is not None
    except (ImportError, ValueError):
        return False
