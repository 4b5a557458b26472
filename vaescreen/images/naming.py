"""From the word behind `--data` to images: what a name means on this machine."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from vaescreen.errors import DataError
from vaescreen.images.declaration import Declaration
from vaescreen.images.fetching import store
from vaescreen.images.generated import PHANTOMS
from vaescreen.registry.candidate import did_you_mean
from vaescreen.registry.catalogue import Registry
from vaescreen.registry.data_entry import DataEntry
from vaescreen.registry.data_sources import CredentialedData, FolderData
from vaescreen.registry.layouts import LAYOUTS
from vaescreen.registry.trust import untrusted

State = Literal["here", "fetchable", "needs registration", "folder missing"]

_PHANTOM = "-phantom"
_TOLD = ("title", "domain", "licence", "terms", "citation", "preparation", "stands_for")


def declared(spec: str | Path | Declaration, registry: Path | None = None) -> str | Path | Declaration:
    """What `spec` means: the data set of that name if the registry has one, else what it says itself.

    A short name such as `chest` means the data set on this machine that stands for it, of several the last in the
    order of the registry files, so that the user's own goes before a fetched one; and phantoms if there is none.

    Parameters
    ----------
    spec
        A name, or the path of a folder; text with a slash, and a `Path`, is always a path.
    registry
        Registry file that is laid over the others.

    Returns
    -------
    str or Path or Declaration
        What `vaescreen.images.open_data` takes.

    Raises
    ------
    DataError
        If the name is unknown, or means a data set that is not on this machine.
    RegistryError
        If a registry file is invalid.
    """
    if not isinstance(spec, str) or "/" in spec or "\\" in spec or spec in PHANTOMS:
        return spec
    known = Registry.load(registry).data
    if spec in known:
        return declaration(known[spec])
    if standing := standing_for(spec, known):
        return declaration(standing)
    if f"{spec}{_PHANTOM}" in PHANTOMS or os.path.exists(spec):  # noqa: PTH110 (of any text)
        return spec
    raise _unknown(spec, known)


def standing_for(short: str, known: Mapping[str, DataEntry]) -> DataEntry | None:
    """Data set that a short name means on this machine, if any.

    A folder that the user has named counts even if it is gone just now: that is an error to be told of, not a reason
    to take other images.
    """
    counting = [
        entry
        for entry in known.values()
        if entry.stands_for == short and state_of(entry) in ("here", "folder missing")
    ]
    return counting[-1] if counting else None


def state_of(entry: DataEntry) -> State:
    """Whether a data set is on this machine, and if not, how it comes there."""
    match entry.source:
        case FolderData(path=path):
            return "here" if path.exists() else "folder missing"
        case CredentialedData():
            return "needs registration"
        case _:
            return "here" if store.is_complete(entry) else "fetchable"


def place_of(entry: DataEntry) -> Path:
    """Folder of a data set on this machine.

    Raises
    ------
    DataError
        If it is not there; the message says how it gets there.
    """
    state = state_of(entry)
    path = entry.source.path if isinstance(entry.source, FolderData) else store.home(entry.name)
    if reason := untrusted(entry, path):
        raise DataError(f"{entry.name}: {reason}")
    match state:
        case "here":
            return path / entry.subfolder if entry.subfolder else path
        case "fetchable":
            size = f" ({entry.size_mb:.0f} MB)" if entry.size_mb else ""
            raise DataError(
                f"{entry.name} is not on this machine; `vaescreen data fetch {entry.name}`{size} brings it, "
                f"or write ./{entry.name} if you mean a folder"
            )
        case "needs registration":
            assert isinstance(entry.source, CredentialedData)
            raise DataError(
                f"{entry.name} is given out to registered users only: fetch it from {entry.source.credentialed}, "
                f"then `vaescreen data add {entry.name} FOLDER`"
            )
        case _:
            raise DataError(
                f"{entry.name} is the folder {path}, which does not exist; bring it back, "
                f"or take the entry out with `vaescreen data remove {entry.name}`"
            )


def declaration(entry: DataEntry) -> Declaration:
    """What an entry says of a data set, as images are opened by.

    Raises
    ------
    DataError
        If it is not on this machine.
    """
    layout = LAYOUTS.get(entry.layout)
    return Declaration(
        name=entry.name,
        folder=place_of(entry),
        layout=layout,
        series=entry.series or (layout.series[0] if layout and layout.series else None),
        patient_pattern=entry.patients,
        reading=entry.reading.reading(),
        slices_per_volume=entry.slices_per_volume,
        train_images=entry.counts.train,
        test_images=entry.counts.test,
        about=_about(entry),
    )


def _about(entry: DataEntry) -> dict[str, Any]:
    """What result files say of a named data set; no path of this machine is among it."""
    told = entry.model_dump(mode="json", include={"source", *_TOLD}, exclude_defaults=True)
    if isinstance(entry.source, FolderData):
        told["source"] = "a folder of the user"
    return {"name": entry.name, **told}


def _unknown(spec: str, known: Mapping[str, DataEntry]) -> DataError:
    standing = [entry for entry in known.values() if entry.stands_for == spec]
    if standing:
        names = ", ".join(entry.name for entry in standing)
        return DataError(
            f"no {spec} images are on this machine; `vaescreen data fetch NAME` brings one of {names}, "
            "and `vaescreen data add NAME FOLDER` takes your own"
        )
    short = [phantom.removesuffix(_PHANTOM) for phantom in PHANTOMS]
    hint = did_you_mean(spec, [*short, *PHANTOMS, *known])
    return DataError(
        f"unknown data set {spec!r}{hint}{'.' if not hint else ''} Give the path of a folder, "
        "or a name that `vaescreen data list` shows"
    )
