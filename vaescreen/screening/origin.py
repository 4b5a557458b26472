"""What names an autoencoder to `registry add` (a path, a factory, a hub id) as the adapter and source of an entry."""

import re
import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from vaescreen.autoencoders.hub import is_weights
from vaescreen.autoencoders.medvae import HUB, MODELS
from vaescreen.autoencoders.published.files import WEIGHTS_FOLDER, owner
from vaescreen.errors import RegistryError
from vaescreen.registry.candidate import did_you_mean
from vaescreen.registry.catalogue import Registry

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_HUB_PAGE = re.compile(
    r"https?://(?:www\.)?(?:huggingface\.co|hf\.co)/(?P<hub>[\w.-]+/[\w.-]+)"
    r"(?:/(?P<kind>tree|blob|resolve)/(?P<revision>[^/?]+)(?:/(?P<inside>[^?]+?))?)?/?(?:\?.*)?"
)
_FACTORY = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
_MEDVAE = "medvae:"
_OF_FILES = ("subfolder", "weights", "config", "variant")
_YAML = (".yaml", ".yml")


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


class Origin(NamedTuple):
    """Where an autoencoder comes from, as its entry says it, and the last part of that, which names it."""

    adapter: str
    source: dict[str, Any]
    place: str


def origin_of(spec: str, statement: Statement) -> Origin:
    """Adapter and source for what the user named.

    Raises
    ------
    RegistryError
        If it names nothing, an option has no meaning for it, or its weights are of an entry that there is already.
    """
    if page := _HUB_PAGE.fullmatch(spec):
        return _of_page(page, statement)
    path = Path(spec.removeprefix("file://")).expanduser()
    if path.exists():
        return _of_path(path.resolve(), statement)
    if spec.startswith(_MEDVAE):
        return _of_medvae(spec.removeprefix(_MEDVAE), statement)
    if _FACTORY.fullmatch(spec):
        return _of_factory(spec, statement)
    if _HUB_ID.fullmatch(spec) and not _is_meant_as_path(path):
        return _of_hub(spec, statement)
    if "://" in spec:
        raise RegistryError(
            f"{spec} is an address; fetch what lies there, and give its folder or weight file"
        )
    raise RegistryError(
        f"{spec!r} is no existing folder or file, no `module:factory`, and no hub id ORG/NAME{_nearest(path)}"
    )


def _of_path(path: Path, statement: Statement) -> Origin:
    _refuse_idle(statement, "a path", ("revision",))
    if path.is_file():
        _refuse_idle(statement, "a weight file", ("weights", "variant", "subfolder"))
    if statement.subfolder:
        inside = path / statement.subfolder
        if not inside.is_dir():
            folders = ", ".join(sorted(p.name for p in path.iterdir() if p.is_dir())[:6]) or "none"
            raise RegistryError(f"{path} has no folder {statement.subfolder!r}; its folders: {folders}")
        path = inside
    _refuse_known(path)
    stated = _in_bundle(path) | _stated(statement, ("weights", "config", "variant"))
    adapter = statement.adapter or _adapter(path, statement.config)
    return Origin(adapter, {"path": str(path), **stated}, path.stem if path.is_file() else path.name)


def _in_bundle(path: Path) -> dict[str, str]:
    """Weights of the autoencoder in a MONAI bundle, which has a folder of models, its diffusion model among them."""
    if not (path / "models").is_dir():
        return {}
    found = [each for each in sorted(path.glob("models/*autoencoder*")) if is_weights(each.name)]
    return {"weights": found[0].relative_to(path).as_posix()} if len(found) == 1 else {}


def _of_medvae(model: str, statement: Statement) -> Origin:
    _refuse_idle(statement, "a model of medvae", ("adapter", *_OF_FILES))
    if model not in MODELS:
        raise RegistryError(
            f"medvae has no 2-D model {model!r}{did_you_mean(model, MODELS)}; it has {', '.join(MODELS)}"
        )
    source = {"hub": HUB, "revision": statement.revision or "main", "subfolder": "model_weights"}
    return Origin("medvae", {**source, **MODELS[model]._asdict()}, model)


def _of_factory(spec: str, statement: Statement) -> Origin:
    _refuse_idle(statement, "a factory", ("adapter", *_OF_FILES, "revision"))
    module, _, factory = spec.partition(":")
    top = module.partition(".")[0]
    here = Path(f"{top}.py").is_file() or Path(top).is_dir()
    return Origin("module", {"module": spec} | ({"folder": str(Path.cwd())} if here else {}), factory)


def _of_hub(spec: str, statement: Statement) -> Origin:
    source = {"hub": spec, "revision": statement.revision or "main", **_stated(statement, _OF_FILES)}
    is_ldm = (statement.config or "").endswith(_YAML)
    return Origin(statement.adapter or ("ldm" if is_ldm else "diffusers"), source, spec.partition("/")[2])


def _of_page(page: re.Match[str], statement: Statement) -> Origin:
    """A repository by the address of one of its pages, which may name a revision and a folder or file in it."""
    folder, file = page["inside"], None
    if page["kind"] in ("blob", "resolve") and folder:
        folder, _, file = folder.rpartition("/")
    named = {"revision": page["revision"], "subfolder": folder or None, "weights": file}
    for option, value in named.items():
        if value and getattr(statement, option) not in (None, value):
            raise RegistryError(f"--{option} contradicts the address {page[0]}; leave one out")
    stated = replace(
        statement,
        revision=named["revision"] or statement.revision,
        subfolder=named["subfolder"] or statement.subfolder,
        weights=named["weights"] or statement.weights,
    )
    return _of_hub(page["hub"], stated)


def _stated(statement: Statement, options: tuple[str, ...]) -> dict[str, str]:
    if statement.weights and statement.variant:
        raise RegistryError("--variant means nothing beside --weights, which names the file; leave one out")
    return {key: value for key in options if (value := getattr(statement, key))}


def _refuse_known(path: Path) -> None:
    """Weights of a published network need its own entry, which the registry has."""
    found = owner(path, Registry.load().candidates.values())
    if found is not None:
        file, candidate = found
        folder = shlex.quote(str(file.parent))
        raise RegistryError(
            f"{file} is of {candidate.name}, which the registry has: "
            f"`{WEIGHTS_FOLDER}={folder} vaescreen registry check {candidate.name}`"
        )


def _refuse_idle(statement: Statement, what: str, options: tuple[str, ...]) -> None:
    """An option that would do nothing is an error."""
    for option in options:
        if getattr(statement, option) is not None:
            raise RegistryError(f"--{option} means nothing for {what}; leave it out")


def _is_meant_as_path(path: Path) -> bool:
    """Whether what could be ORG/NAME is a path that is mistyped: its folder is here, or it ends as weights do."""
    return path.parent.is_dir() or is_weights(path.name)


def _nearest(path: Path) -> str:
    if not path.parent.is_dir():
        return ""
    return did_you_mean(path.name, [each.name for each in path.parent.iterdir()])


def _adapter(path: Path, config: str | None) -> str:
    folder = path.parent if path.is_file() else path
    if config is not None:
        return "ldm" if config.endswith(_YAML) else "diffusers"
    is_ldm = not (folder / "config.json").is_file() and any(each.suffix in _YAML for each in folder.glob("*"))
    return "ldm" if is_ldm else "diffusers"
