"""Schema of a registry entry: what must be known of an autoencoder before it may be ranked."""

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    PositiveFloat,
    StringConstraints,
    Tag,
    ValidationInfo,
    field_validator,
    model_validator,
)

from vaescreen.autoencoders.contract import Geometry

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=64)]
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
HubId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*$")]
Revision = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][\w.-]*$")]
Subfolder = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][\w-]*(/[A-Za-z0-9][\w-]*)*$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class HubSource(_Entry):
    """A repository on the Hugging Face hub; `revision` is a commit, or a branch while none is confirmed."""

    hub: HubId
    revision: Revision
    subfolder: Subfolder | None = None


class PathSource(_Entry):
    """A local folder or weight file; a relative path counts from the folder of the registry file."""

    path: Path

    @field_validator("path")
    @classmethod
    def _from_registry_folder(cls, path: Path, info: ValidationInfo) -> Path:
        base: Path = info.context["folder"] if info.context else Path()
        try:
            return base / path.expanduser()
        except RuntimeError as error:
            raise ValueError(str(error)) from error


class BundledSource(_Entry):
    """Weights that the package carries: a folder under `vaescreen/autoencoders/bundled`."""

    bundled: Name


class LinearSource(_Entry):
    """A training-free linear codec: first coefficients of a patch PCA, a block DCT or a Haar transform."""

    basis: Literal["pca", "dct", "haar"]


SOURCES: dict[str, type[_Entry]] = {
    "hub": HubSource,
    "path": PathSource,
    "bundled": BundledSource,
    "basis": LinearSource,
}
_SOURCE_KEYS = {"diffusers": ("hub", "path"), "bundled": ("bundled",), "linear": ("basis",)}


def _source_key(value: Any) -> str | None:
    if isinstance(value, _Entry):
        return next((key for key, kind in SOURCES.items() if isinstance(value, kind)), None)
    return next((key for key in SOURCES if isinstance(value, dict) and key in value), None)


Source = Annotated[
    Annotated[HubSource, Tag("hub")]
    | Annotated[PathSource, Tag("path")]
    | Annotated[BundledSource, Tag("bundled")]
    | Annotated[LinearSource, Tag("basis")],
    Discriminator(
        _source_key,
        custom_error_type="source",
        custom_error_message="must be a mapping with one of the keys hub, path, bundled, basis",
    ),
]


class Candidate(_Entry):
    """An autoencoder with an entry in `registry.yaml`.

    `size_mb` is the size of the weights in MB (10^6 bytes), `sha256` the hash of the weight file,
    `unverified` the names of the fields that could not be confirmed at their source.
    """

    name: Name
    adapter: Literal["diffusers", "linear", "bundled"]
    source: Source
    geometry: Geometry
    domain: Literal["natural", "medical", "generic", "none"]
    family: Name
    licence: Text
    training_data: Text
    gated: bool = False
    size_mb: PositiveFloat | None = None
    sha256: Sha256 | None = None
    citation: Text | None = None
    unverified: tuple[str, ...] = ()

    @field_validator("geometry")
    @classmethod
    def _plausible(cls, geometry: Geometry) -> Geometry:
        if geometry.channels < 1:
            raise ValueError("channels must be at least 1")
        if geometry.factor < 1 or geometry.factor & (geometry.factor - 1):
            raise ValueError("factor must be a power of two")
        return geometry

    @field_validator("unverified")
    @classmethod
    def _names_fields(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        known = known_keys(()) | known_keys(("source",)) | known_keys(("geometry",))
        for name in names:
            if name not in known:
                raise ValueError(f"no field is called {name!r}{did_you_mean(name, known)}")
        return names

    @model_validator(mode="after")
    def _source_fits_adapter(self) -> "Candidate":
        keys = _SOURCE_KEYS[self.adapter]
        if _source_key(self.source) not in keys:
            raise ValueError(f"adapter {self.adapter} needs a source with {' or '.join(keys)}")
        return self


def known_keys(inside: tuple[str | int, ...]) -> set[str]:
    """Keys that an entry may have at its top `()`, inside `("source",)` or inside `("geometry",)`."""
    if inside == ("source",):
        return {key for source in SOURCES.values() for key in source.model_fields}
    if inside == ("geometry",):
        return set(Geometry._fields)
    return set(Candidate.model_fields) - {"name"}


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """End of an error message: `; did you mean 'x'?`, or nothing when no known word is near."""
    nearest = difflib.get_close_matches(word.lower()[:100], list(known), n=1)
    return f"; did you mean {nearest[0]!r}?" if nearest else ""
