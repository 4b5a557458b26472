"""Schema of a data set's registry entry: where its images come from, what may be done with them, how they are read."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import PositiveFloat, PositiveInt, field_validator, model_validator

from vaescreen.errors import DataError
from vaescreen.registry.candidate import did_you_mean
from vaescreen.registry.data_sources import DATA_SOURCES, DataSource, FolderData, WebFile
from vaescreen.registry.layouts import LAYOUTS
from vaescreen.registry.reading import Axis, Reading, Window, check_size, compiled
from vaescreen.registry.sources import Entry, Name, Strict, Text, formed, path_below

DOMAINS = ("chest", "brain", "knee", "natural", "other")

Inside = Annotated[
    str,
    formed(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)*", "a folder inside what is fetched is expected", 200),
]


class ReadingFields(Strict):
    """How volumes are cut and values become gray: the fields of `vaescreen.registry.reading.Reading`."""

    axis: Axis = "auto"
    slices: tuple[float, float] | None = None
    window: Text = "file"

    @model_validator(mode="after")
    def _sound(self) -> "ReadingFields":
        try:
            self.reading()
        except DataError as error:
            raise ValueError(str(error)) from error
        return self

    def reading(self) -> Reading:
        """Give these choices as the readers of files take them."""
        return Reading(self.axis, self.slices, Window.parse(self.window))


class Counts(Strict):
    """At most so many images of a split, whole patients in seeded order; None for all."""

    train: PositiveInt | None = None
    test: PositiveInt | None = None


_PARTS: dict[str, set[str]] = {
    "source": {key for source in DATA_SOURCES.values() for key in source.model_fields},
    "reading": set(ReadingFields.model_fields),
    "counts": set(Counts.model_fields),
}


class DataEntry(Entry):
    """A data set with an entry in `registry.yaml`.

    `layout` says how its folders are laid out (see `vaescreen.registry.layouts`), and `series` which of the images of a
    patient are taken where there are several kinds. `subfolder` is the part of the folder that holds the images,
    `slices_per_volume` how many are taken of each volume, evenly, and `size` the native side of the images in pixels.
    `preparation` says in words what is done to the images and what of that is not known of the published
    preparation. `size_mb` is the size of the download in MB (10^6 bytes). `stands_for` is the short name, such as
    `chest`, that means this data set once it is on this machine. `unverified` names the fields that could not be
    confirmed at their source.
    """

    name: Name
    title: Text
    domain: Literal["chest", "brain", "knee", "natural", "other"]
    source: DataSource
    licence: Text
    terms: Text | None = None
    citation: Text | None = None
    size_mb: PositiveFloat | None = None
    layout: Name = "folder"
    series: Name | None = None
    subfolder: Inside | None = None
    patients: str | None = None
    reading: ReadingFields = ReadingFields()
    slices_per_volume: PositiveInt | None = None
    size: PositiveInt | None = None
    counts: Counts = Counts()
    preparation: Text | None = None
    stands_for: Name | None = None
    unverified: tuple[str, ...] = ()

    @field_validator("patients")
    @classmethod
    def _is_pattern(cls, pattern: str | None) -> str | None:
        if pattern is not None:
            _as_value_error(compiled, pattern)
        return pattern

    @field_validator("size")
    @classmethod
    def _is_size(cls, size: int | None) -> int | None:
        _as_value_error(check_size, size)
        return size

    @field_validator("stands_for")
    @classmethod
    def _is_short_name(cls, name: str | None) -> str | None:
        if name is not None and name.endswith("-phantom"):
            raise ValueError(f"{name} always means the phantoms")
        return name

    @field_validator("name")
    @classmethod
    def _is_no_phantom(cls, name: str) -> str:
        if name.endswith("-phantom"):
            raise ValueError("names that end in -phantom mean phantoms; choose another")
        return name

    @field_validator("unverified")
    @classmethod
    def _names_fields(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        known = known_data_keys(()).union(WebFile.model_fields, *_PARTS.values())
        for name in names:
            if name not in known:
                raise ValueError(f"no field is called {name[:40]!r}{did_you_mean(name, known)}")
        return names

    @model_validator(mode="after")
    def _layout_has_series(self) -> "DataEntry":
        layout = LAYOUTS.get(self.layout)
        if layout is None and self.layout != "folder":
            known = ("folder", *LAYOUTS)
            hint = did_you_mean(self.layout, known) or f"; give one of {', '.join(known)}"
            raise ValueError(f"no layout is called {self.layout!r}{hint}")
        series = layout.series if layout else ()
        if self.series is not None and self.series not in series:
            wanted = f"give one of {', '.join(series)}" if series else "leave it out"
            raise ValueError(f"layout {self.layout} has no series {self.series!r}; {wanted}")
        if self.patients is not None and layout is not None:
            raise ValueError(f"layout {self.layout} names the patients itself; leave `patients` out")
        return self

    def entry(self, folder: Path) -> dict[str, Any]:
        """Give the entry as it is written in a registry file in `folder`: what is unset is left out."""
        fields = self.model_dump(mode="json", exclude_defaults=True, exclude={"name"})
        if isinstance(self.source, FolderData):
            fields["source"]["path"] = path_below(folder, self.source.path)
        return fields


def _as_value_error(check: Any, value: Any) -> None:
    try:
        check(value)
    except DataError as error:
        raise ValueError(str(error)) from error


def known_data_keys(inside: tuple[str | int, ...]) -> set[str]:
    """Keys that an entry may have at its top `()`, or inside one of its parts, or in a file of `source`."""
    if inside[:2] == ("source", "urls"):
        return set(WebFile.model_fields)
    if inside:
        return _PARTS.get(str(inside[0]), set())
    return set(DataEntry.model_fields) - {"name"}


class Absent(DataEntry):
    """An entry as it is printed of a data set that is not on this machine: with why, and the file it stands in."""

    state: str
    file: str
