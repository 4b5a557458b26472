"""Where the files of a candidate are (package, folder, cache of the hub) and how they get there."""

import importlib.resources
import importlib.util
import re
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

from vaescreen.autoencoders import hub
from vaescreen.autoencoders.files import (
    MAX_TEXT_BYTES,
    WeightFiles,
    read_json_object,
    weights_sha256,
)
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
_YAML_SUFFIXES = (".yaml", ".yml")
_BY_YAML = ("ldm", "medvae")
"""Adapters whose configuration is a YAML file."""
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

    What is in the cache already is used before the network is asked. A connection that breaks is taken up where it
    broke. What arrives is checked: against the hash of the registry
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
    pinned = candidate.sha256
    here = _cached(source, candidate)
    if here is not None:
        damaged = [path for path in {here.config, here.weights, *here.shards} if not hub.is_whole(path, name)]
        if not damaged and pinned in (None, weights_sha256(here, name)):
            return here
        for path in damaged:
            hub.discard(path)
    config_name, weight_names = _names(source, candidate)
    config = hub.fetch_if_there(source, (config_name,), name)
    if config is None and not _may_lack_config(source):
        config = hub.fetch(source, (config_name,), name)
    weights = hub.fetch(source, weight_names, name)
    files = _with_shards(config or weights, weights, name, lambda file: hub.fetch(source, (file,), name))
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
    if candidate.adapter in _BY_YAML:
        config, weights = "config.yaml", ("model.safetensors", "model.ckpt")
    if source is not None and source.weights:
        weights = (source.weights,)
    return (source.config if source is not None and source.config else config), weights


def _may_lack_config(source: HubSource | PathSource) -> bool:
    """Whether a first stage may be told by its tensors: its file is named, and no configuration."""
    return source.weights is not None and source.config is None


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
    if not config.is_file() and (candidate.adapter in _BY_YAML or not (folder / CONFIG).is_file()):
        config = _described(folder, name) or config
    named = source.weights if source is not None else None
    chosen = (
        path if path.is_file() else next((folder / n for n in weight_names if (folder / n).is_file()), None)
    )
    if chosen is None and (named or (source is not None and source.variant)):
        raise CandidateError(f"{name}: {folder} has no {' or '.join(weight_names)}{_has_instead(folder)}")
    weights = chosen or _only(folder, hub.LOOSE_SUFFIXES, name)
    if not config.is_file():
        if source is not None and source.config:
            raise CandidateError(
                f"{name}: {folder} has no {source.config}; name its configuration with `--config`"
            )
        if weights is None or weights.suffix == ".json":
            raise CandidateError(f"{name}: {folder} has no {config.name}{_expected(folder, candidate)}")
        config = weights
    if weights is None:
        raise CandidateError(
            f"{name}: {folder} has no weights; {weight_names[0]} is expected{_has_instead(folder)}"
        )
    return _with_shards(config, weights, name, lambda file: folder / file)


def _expected(folder: Path, candidate: Candidate) -> str:
    """What a folder without configuration and weights should hold, or where in it they are."""
    if (folder / "model_index.json").is_file():
        inside = next((part for part in ("vae", "vqvae", "movq") if (folder / part).is_dir()), "vae")
        return f": it is a whole pipeline; its autoencoder is added with `--subfolder {inside}`"
    found = _has_instead(folder)
    if found:
        return found
    form = (
        "a checkpoint with its YAML file" if candidate.adapter in _BY_YAML else "a folder in diffusers format"
    )
    return f"; {form} is expected"


def _has_instead(folder: Path) -> str:
    """Weight files and configurations below a folder, to end a message with."""
    below = sorted(p for p in folder.glob("*/*") if p.is_file())
    weights = [p for p in below if p.name.endswith(hub.LOOSE_SUFFIXES)]
    configs = [p for p in below if _describes(p)]
    if not weights:
        return ""
    options = f"--weights {weights[0].relative_to(folder)}"
    if configs:
        options += f" --config {configs[0].relative_to(folder)}"
    return f"; its folders hold some: name them with `{options}`"


def _described(folder: Path, name: str) -> Path | None:
    """The YAML file of a folder that describes a first stage; of several, none is guessed."""
    files = sorted(path for suffix in _YAML_SUFFIXES for path in folder.glob(f"*{suffix}"))
    found = [path for path in files if _describes(path)] or files
    if len(found) > 1:
        listed = ", ".join(file.name for file in found[:4])
        raise CandidateError(
            f"{name}: {folder} has several YAML files ({listed}); name one, such as `--config {found[0].name}`"
        )
    return found[0] if found else None


def _describes(path: Path) -> bool:
    """Whether a YAML file has the structure of a first stage in it."""
    if path.suffix not in _YAML_SUFFIXES or path.stat().st_size > MAX_TEXT_BYTES:
        return False
    text = path.read_text(encoding="utf-8", errors="replace")
    return "ddconfig" in text or "encoder_config" in text


def _only(folder: Path, suffixes: tuple[str, ...], name: str) -> Path | None:
    """The one file with the first of `suffixes` that any has; several are not guessed between."""
    for suffix in suffixes:
        found = sorted(folder.glob(f"*{suffix}"))
        if len(found) > 1:
            listed = ", ".join(file.name for file in found[:4])
            raise CandidateError(
                f"{name}: {folder} has several weight files ({listed}); name one, such as `--weights {found[0].name}`"
            )
        if found:
            return found[0]
    return None


def _cached(source: HubSource | GithubSource, candidate: Candidate) -> WeightFiles | None:
    if isinstance(source, GithubSource):
        return published.located(source, candidate.name)
    config_name, weight_names = _names(source, candidate)
    config = hub.cached(source, config_name)
    is_absent = _may_lack_config(source) and hub.known_to_be_absent(source, config_name)
    weights = next(filter(None, (hub.cached(source, file) for file in weight_names)), None)
    if weights is None or (config is None and not is_absent):
        return None
    try:
        return _with_shards(config or weights, weights, candidate.name, lambda file: weights.parent / file)
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
