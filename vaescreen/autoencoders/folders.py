"""The files of an autoencoder in a folder: which is the configuration, which the weights, what else may be meant."""

import re
from collections.abc import Callable
from pathlib import Path

from vaescreen.autoencoders.files import MAX_TEXT_BYTES, WeightFiles, read_json_object
from vaescreen.autoencoders.hub import LOOSE_SUFFIXES, is_weights
from vaescreen.errors import CandidateError
from vaescreen.registry.candidate import Candidate
from vaescreen.registry.sources import HubSource, PathSource

CONFIG = "config.json"
_STEM = "diffusion_pytorch_model"
_YAML_SUFFIXES = (".yaml", ".yml")
_BY_YAML = ("ldm", "medvae")
"""Adapters whose configuration is a YAML file."""
_PLAIN_NAME = re.compile(r"\w[\w.-]*")


def file_names(source: HubSource | PathSource | None, candidate: Candidate) -> tuple[str, tuple[str, ...]]:
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


def may_lack_config(source: HubSource | PathSource) -> bool:
    """Whether a first stage may be told by its tensors: its file is named, and no configuration."""
    return source.weights is not None and source.config is None


def in_folder(path: Path, source: PathSource | None, candidate: Candidate) -> WeightFiles:
    """Files of a candidate in the folder `path`, or with the weight file `path`; `source` may name them.

    Raises
    ------
    CandidateError
        If there are none, or several that could be meant; the message says what there is and how it is named.
    """
    name = candidate.name
    if not path.exists():
        raise CandidateError(f"{name}: {path} does not exist")
    folder = path.parent if path.is_file() else path
    config_name, weight_names = file_names(source, candidate)
    config = folder / config_name
    if not config.is_file() and (candidate.adapter in _BY_YAML or not (folder / CONFIG).is_file()):
        config = _described(folder, name) or config
    named = source.weights if source is not None else None
    chosen = (
        path if path.is_file() else next((folder / n for n in weight_names if (folder / n).is_file()), None)
    )
    if chosen is None and (named or (source is not None and source.variant)):
        raise CandidateError(f"{name}: {folder} has no {' or '.join(weight_names)}{_has_instead(folder)}")
    weights = chosen or _only(folder, name)
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
            f"{name}: {folder} has no weights{_others(folder)}; {weight_names[0]} is expected{_has_instead(folder)}"
        )
    return with_shards(config, weights, name, lambda file: folder / file)


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
    return f"{_others(folder)}; {form} is expected"


def _has_instead(folder: Path) -> str:
    """Weight files and configurations below a folder, to end a message with."""
    below = sorted(p for depth in ("*/*", "*/*/*", "*/*/*/*") for p in folder.glob(depth) if p.is_file())
    weights = [p for p in below if is_weights(p.name)]
    if not weights:
        return ""
    whole = [p for p in weights if (p.parent / CONFIG).is_file()]
    if whole:
        return f"; its folders hold some: name one with `--subfolder {whole[0].parent.relative_to(folder)}`"
    options = f"--weights {weights[0].relative_to(folder)}"
    configs = [p for p in below if _describes(p)]
    if configs:
        options += f" --config {configs[0].relative_to(folder)}"
    return f"; its folders hold some: name them with `{options}`"


def _others(folder: Path) -> str:
    """Files of other kinds in a folder without weights, to go on with a message."""
    names = sorted(
        p.name for p in folder.iterdir() if p.is_file() and p.suffix not in (".json", *_YAML_SUFFIXES)
    )
    return f", but {', '.join(names[:4])}" if names else ""


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


def _only(folder: Path, name: str) -> Path | None:
    """The one weight file with the first of the usual endings that any has; several are not guessed between."""
    files = sorted(path for path in folder.iterdir() if is_weights(path.name))
    for suffix in LOOSE_SUFFIXES:
        found = [path for path in files if path.name.lower().endswith(suffix)]
        if len(found) > 1:
            listed = ", ".join(file.name for file in found[:4])
            raise CandidateError(
                f"{name}: {folder} has several weight files ({listed}); name one, such as `--weights {found[0].name}`"
            )
        if found:
            return found[0]
    return None


def with_shards(config: Path, weights: Path, name: str, find: Callable[[str], Path]) -> WeightFiles:
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
