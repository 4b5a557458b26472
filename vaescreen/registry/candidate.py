"""Schema of a registry entry: what must be known of an autoencoder before it may be ranked."""

import difflib
from collections.abc import Iterable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Literal

from pydantic import PositiveFloat, PositiveInt, field_validator, model_validator

from vaescreen.registry.geometry import Geometry
from vaescreen.registry.settings import Settings
from vaescreen.registry.sources import (
    SOURCES,
    Entry,
    Name,
    Sha256,
    Source,
    Strict,
    Text,
    path_below,
    source_key,
)

ADAPTERS: dict[str, tuple[str, ...]] = {
    "diffusers": ("hub", "path"),
    "ldm": ("hub", "path", "download"),
    "medvae": ("hub", "path"),
    "published": ("github",),
    "module": ("module",),
    "bundled": ("bundled",),
    "linear": ("basis",),
}
"""Adapters of this package, and the kinds of source that each takes."""
PLUGINS = "vaescreen.autoencoders"
"""Entry-point group in which an installed package offers adapters."""


class Input(Strict):
    """What a network takes: images of so many `channels`, whose sides are multiples of `multiple` pixels."""

    channels: PositiveInt
    multiple: PositiveInt


_PARTS: dict[str, set[str]] = {
    "source": {key for source in SOURCES.values() for key in source.model_fields},
    "geometry": set(Geometry._fields),
    "input": set(Input.model_fields),
    "settings": set(Settings.model_fields),
}


class Candidate(Entry):
    """An autoencoder with an entry in `registry.yaml`.

    `adapter` is one of `ADAPTERS`, or an entry point of group `PLUGINS` that another package brings. `input`
    is what the network takes, and `settings` how it must be run where that is not its class's own way. `parent`
    is the candidate that it was adapted from, `size_mb` the size of the weights in MB (10^6 bytes), `sha256` the
    hash of the weight file, `unverified` the names of the fields that could not be confirmed at their source.
    """

    name: Name
    adapter: Name
    source: Source
    geometry: Geometry
    input: Input | None = None
    domain: Literal["natural", "medical", "generic", "none"]
    family: Name
    parent: Name | None = None
    licence: Text
    training_data: Text
    gated: bool = False
    size_mb: PositiveFloat | None = None
    sha256: Sha256 | None = None
    citation: Text | None = None
    settings: Settings = Settings()
    unverified: tuple[str, ...] = ()

    @property
    def is_control(self) -> bool:
        """Whether it is there to be compared with, not to be built on: a linear codec, or one made to fail."""
        return self.adapter == "linear" or self.family.startswith("control-")

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
        known = known_keys(()).union(*_PARTS.values())
        for name in names:
            if name not in known:
                raise ValueError(f"no field is called {name[:40]!r}{did_you_mean(name, known)}")
        return names

    @field_validator("adapter")
    @classmethod
    def _known_adapter(cls, adapter: str) -> str:
        if adapter not in ADAPTERS and adapter not in {plugin.name for plugin in entry_points(group=PLUGINS)}:
            hint = did_you_mean(adapter, ADAPTERS)
            if hint:
                raise ValueError(f"no adapter is called {adapter!r}{hint}")
        return adapter

    @model_validator(mode="after")
    def _source_fits_adapter(self) -> "Candidate":
        keys = ADAPTERS.get(self.adapter)
        if keys is not None and source_key(self.source) not in keys:
            raise ValueError(f"adapter {self.adapter} needs a source with {' or '.join(keys)}")
        return self

    @property
    def runs_code(self) -> bool:
        """Whether it is opened by code that is not the library's own."""
        return self.adapter == "module" or self.adapter not in ADAPTERS

    def entry(self, folder: Path) -> dict[str, Any]:
        """Give the entry as it is written in a registry file in `folder`: what is unset is left out."""
        fields = self.model_dump(mode="json", exclude_defaults=True, exclude={"name"})
        fields["geometry"] = self.geometry._asdict()
        for key in ("path", "folder"):
            place = getattr(self.source, key, None)
            if place is not None:
                fields["source"][key] = path_below(folder, place)
        return fields


class Shown(Candidate):
    """An entry as it is printed: with whether the candidate is on this machine, and the file the entry stands in."""

    available: bool
    file: str


def known_keys(inside: tuple[str | int, ...]) -> set[str]:
    """Keys that an entry may have at its top `()`, or inside `("source",)`, `("geometry",)`, `("input",)`."""
    if len(inside) == 1:
        return _PARTS.get(str(inside[0]), set())
    return set(Candidate.model_fields) - {"name"}


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """End of an error message: `; did you mean 'x'?`, or nothing when no known word is near."""
    nearest = difflib.get_close_matches(word.lower()[:100], list(known), n=1)
    return f"; did you mean {nearest[0]!r}?" if nearest else ""
