"""From a hub id, a folder or a factory to a complete registry entry: what can be measured is not asked for."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vaescreen.autoencoders.contract import Geometry
from vaescreen.autoencoders.files import WeightFiles, weights_sha256
from vaescreen.autoencoders.hub import LOOSE_SUFFIXES
from vaescreen.autoencoders.measuring import measure_module
from vaescreen.autoencoders.medvae import HUB, MODELS
from vaescreen.autoencoders.networks import NetworkAutoencoder, load_files
from vaescreen.autoencoders.weights import pull
from vaescreen.errors import CandidateError, RegistryError
from vaescreen.images import DataSet
from vaescreen.registry.candidate import Candidate, HubSource, did_you_mean
from vaescreen.registry.editing import add_entry
from vaescreen.registry.registry import make_candidate
from vaescreen.registry.trust import trust
from vaescreen.screening.doctor import Examination, examine_candidate
from vaescreen.storage import ensure_writable

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_FACTORY = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
_MEDVAE = "medvae:"
_COMMIT = re.compile(r"[0-9a-f]{40}")
_OF_FILES = ("subfolder", "weights", "config", "variant")
_UNSTATED = {"domain": "generic", "licence": "unknown", "training_data": "unknown"}


@dataclass(frozen=True)
class Statement:
    """What only the user knows of a candidate; None for what is not stated.

    `name` and `family` follow from where it comes from; whatever else is missing is marked as unverified.
    """

    name: str | None = None
    adapter: str | None = None
    revision: str | None = None
    subfolder: str | None = None
    weights: str | None = None
    config: str | None = None
    variant: str | None = None
    value_range: tuple[float, float] | None = None
    domain: str | None = None
    family: str | None = None
    licence: str | None = None
    training_data: str | None = None
    citation: str | None = None


@dataclass(frozen=True)
class Addition:
    """A candidate that was added, where its entry stands, and what was found about it."""

    candidate: Candidate
    file: Path
    examination: Examination


def add_candidate(
    spec: str, file: Path, data: DataSet, *, statement: Statement | None = None, device: str = "cpu"
) -> Addition:
    """Measure an autoencoder, examine it, and write its entry.

    A value range or normalisation that the examination finds to be the right one is written into the entry, unless
    one is stated.

    Parameters
    ----------
    spec
        A folder or weight file, `module:factory`, or the id of a repository on the hub, which is downloaded.
    file
        Registry file that the entry goes into; it is made if it does not exist.
    data
        Images that the candidate is examined on.
    statement
        What the entry is to say that cannot be measured.
    device
        Where networks run.

    Raises
    ------
    CandidateError
        If it cannot be opened, or the examination refuses it. Nothing is written then.
    RegistryError
        If the entry would be invalid, or the file is, or has one of that name.
    """
    ensure_writable(file.absolute().parent, "give another file with --registry")
    candidate = draft(spec, statement or Statement())
    examination = examine_candidate(candidate, data, device=device)
    better = examination.measured.get("better_settings")
    if better and candidate.settings.value_range is None:
        settings = candidate.settings.model_copy(update={key: tuple(v) for key, v in better.items()})
        candidate = candidate.model_copy(update={"settings": settings})
        examination = examine_candidate(candidate, data, device=device)
    if examination.refused:
        raise CandidateError(examination.refusal)
    add_entry(file, candidate)
    trust(file, candidate)
    return Addition(candidate, file, examination)


def draft(spec: str, statement: Statement) -> Candidate:
    """Complete entry of an autoencoder: its files are found or fetched, opened and measured.

    Raises
    ------
    CandidateError
        If it cannot be fetched or opened.
    RegistryError
        If what is stated is invalid.
    """
    adapter, source, place = _source(spec, statement)
    name = statement.name or _name(place)
    stated = {key: getattr(statement, key) for key in ("citation", *_UNSTATED) if getattr(statement, key)}
    fields: dict[str, Any] = {
        "adapter": adapter,
        "source": source,
        "geometry": Geometry(1, 1)._asdict(),
        "family": statement.family or name,
        "unverified": [key for key in _UNSTATED if key not in stated],
        **_UNSTATED,
        **stated,
    }
    if statement.value_range is not None:
        fields["settings"] = {"value_range": list(statement.value_range)}
    provisional = make_candidate(name, fields)
    if adapter == "module":
        geometry, channels = measure_module(provisional)
        if channels is not None:
            fields["input"] = {"channels": channels, "multiple": geometry.factor}
        return make_candidate(name, fields | {"geometry": geometry._asdict()})
    files = pull(provisional)
    if adapter == "medvae":
        model = MODELS[spec.removeprefix(_MEDVAE)]
        geometry, taken = (
            model.geometry,
            {"channels": model.image_channels, "multiple": model.geometry.factor},
        )
    else:
        network = load_files(files, name, adapter=adapter, settings=provisional.settings)
        geometry, taken = network.geometry, _input(network)
    fields |= {
        "geometry": geometry._asdict(),
        "input": taken,
        "size_mb": round(sum(path.stat().st_size for path in _weights(files)) / 1e6, 2),
        "sha256": weights_sha256(files, name),
    }
    if isinstance(provisional.source, HubSource):
        _pin(fields, provisional.source, files)
    return make_candidate(name, fields)


def _source(spec: str, statement: Statement) -> tuple[str, dict[str, Any], str]:
    """Adapter, source, and the last part of where it comes from."""
    path = Path(spec).expanduser()
    if path.exists():
        return _local(path.resolve(), statement)
    if spec.startswith(_MEDVAE):
        return "medvae", _of_medvae(spec.removeprefix(_MEDVAE), statement), spec.removeprefix(_MEDVAE)
    if _FACTORY.fullmatch(spec):
        _refuse_idle(statement, "a factory", ("adapter", *_OF_FILES, "revision"))
        module, _, factory = spec.partition(":")
        top = module.partition(".")[0]
        here = Path(f"{top}.py").is_file() or Path(top).is_dir()
        return "module", {"module": spec} | ({"folder": str(Path.cwd())} if here else {}), factory
    if _HUB_ID.fullmatch(spec) and not _is_meant_as_path(path):
        _refuse_together(statement)
        stated = {key: value for key in _OF_FILES if (value := getattr(statement, key))}
        source = {"hub": spec, "revision": statement.revision or "main", **stated}
        is_ldm = (statement.config or "").endswith((".yaml", ".yml"))
        return statement.adapter or ("ldm" if is_ldm else "diffusers"), source, spec.partition("/")[2]
    raise RegistryError(
        f"{spec!r} is no existing folder or file, no `module:factory`, and no hub id ORG/NAME{_nearest(path)}"
    )


def _of_medvae(model: str, statement: Statement) -> dict[str, Any]:
    _refuse_idle(statement, "a model of medvae", ("adapter", *_OF_FILES))
    if model not in MODELS:
        raise RegistryError(
            f"medvae has no 2-D model {model!r}{did_you_mean(model, MODELS)}; it has {', '.join(MODELS)}"
        )
    return {
        "hub": HUB,
        "revision": statement.revision or "main",
        "subfolder": "model_weights",
        "config": MODELS[model].config,
        "weights": MODELS[model].weights,
    }


def _local(path: Path, statement: Statement) -> tuple[str, dict[str, Any], str]:
    _refuse_idle(statement, "a path", ("revision",))
    if path.is_file():
        _refuse_idle(statement, "a weight file", ("weights", "variant", "subfolder"))
    if statement.subfolder:
        inside = path / statement.subfolder
        if not inside.is_dir():
            folders = ", ".join(sorted(p.name for p in path.iterdir() if p.is_dir())[:6]) or "none"
            raise RegistryError(f"{path} has no folder {statement.subfolder!r}; its folders: {folders}")
        path = inside
    _refuse_together(statement)
    stated = {key: value for key in ("weights", "config", "variant") if (value := getattr(statement, key))}
    return (
        statement.adapter or _adapter(path, statement.config),
        {"path": str(path), **stated},
        path.stem if path.is_file() else path.name,
    )


def _refuse_idle(statement: Statement, what: str, options: tuple[str, ...]) -> None:
    """An option that would do nothing is an error."""
    for option in options:
        if getattr(statement, option) is not None:
            raise RegistryError(f"--{option} means nothing for {what}; leave it out")


def _refuse_together(statement: Statement) -> None:
    if statement.weights and statement.variant:
        raise RegistryError("--variant means nothing beside --weights, which names the file; leave one out")


def _is_meant_as_path(path: Path) -> bool:
    """Whether what could be ORG/NAME is a path that is mistyped: its folder is here, or it ends as weights do."""
    return path.parent.is_dir() or path.name.endswith(LOOSE_SUFFIXES)


def _nearest(path: Path) -> str:
    if not path.parent.is_dir():
        return ""
    return did_you_mean(path.name, [each.name for each in path.parent.iterdir()])


def _adapter(path: Path, config: str | None) -> str:
    folder = path.parent if path.is_file() else path
    if config is not None:
        return "ldm" if config.endswith((".yaml", ".yml")) else "diffusers"
    is_ldm = not (folder / "config.json").is_file() and any(
        next(folder.glob(pattern), None) for pattern in ("*.yaml", "*.yml")
    )
    return "ldm" if is_ldm else "diffusers"


def _name(place: str) -> str:
    return re.sub(r"[^a-z0-9._-]+", "-", place.lower()).strip("-._")[:64] or "candidate"


def _weights(files: WeightFiles) -> tuple[Path, ...]:
    return files.shards or (files.weights,)


def _input(network: NetworkAutoencoder) -> dict[str, int]:
    return {"channels": network.image_channels, "multiple": network.fixed_size or network.geometry.factor}


def _pin(fields: dict[str, Any], source: HubSource, files: WeightFiles) -> None:
    """Name the commit that was fetched, and take licence and gating from the hub where it says them."""
    from huggingface_hub import HfApi

    commit = next((part for part in files.config.parts if _COMMIT.fullmatch(part)), None)
    if commit:
        fields["source"] = fields["source"] | {"revision": commit}
    try:
        info = HfApi().model_info(source.hub, revision=commit or source.revision)
    except Exception:  # it is only asked for what the entry can do without
        return
    fields["gated"] = bool(info.gated)
    licence = info.card_data.get("license") if info.card_data else None
    if isinstance(licence, str) and "licence" in fields["unverified"]:
        fields["licence"] = licence
        fields["unverified"] = [key for key in fields["unverified"] if key != "licence"]
