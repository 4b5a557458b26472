"""The user's own folder becomes a data set with a name: looked at first, then written into a registry file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vaescreen.errors import DataError
from vaescreen.images.dataset import DataSet
from vaescreen.images.naming import declaration
from vaescreen.images.opening import open_data
from vaescreen.registry.catalogue import DATA, Registry
from vaescreen.registry.data_entry import DOMAINS, DataEntry
from vaescreen.registry.editing import add_entry
from vaescreen.storage import ensure_writable

_STATED = (
    *("title", "domain", "licence", "terms", "citation", "stands_for"),
    *("layout", "series", "patients", "slices_per_volume"),
)
_READING = ("axis", "slices", "window")
LOOKED_AT = 16
"""Images of a split that are decoded before a folder is taken: enough to see that it can be read as is said."""
_SIDE = 64


@dataclass(frozen=True)
class Statement:
    """What only the user knows of a data set; None for what is not stated.

    What is missing is taken from the entry of that name, if the registry has one, such as that of a published data set
    that registered users fetch themselves.
    """

    title: str | None = None
    domain: str | None = None
    licence: str | None = None
    terms: str | None = None
    citation: str | None = None
    stands_for: str | None = None
    layout: str | None = None
    series: str | None = None
    patients: str | None = None
    axis: str | None = None
    slices: tuple[float, float] | None = None
    window: str | None = None
    slices_per_volume: int | None = None


@dataclass(frozen=True)
class Addition:
    """A data set that was added, where its entry stands, and the images that were looked at."""

    entry: DataEntry
    file: Path
    images: DataSet


def add_data_set(name: str, folder: Path, file: Path, statement: Statement | None = None) -> Addition:
    """Look at a folder, and write its entry.

    Parameters
    ----------
    name
        What the data set is to be called.
    folder
        Where its images are: a folder, a file that holds many, or a list of files.
    file
        Registry file that the entry goes into; it is made if it does not exist.
    statement
        What the entry is to say beside that.

    Raises
    ------
    DataError
        If the folder cannot be used as stated. Nothing is written then.
    RegistryError
        If the entry would be invalid, or the file is, or has one of that name.
    """
    entry = draft(name, folder, statement or Statement())
    if not folder.exists():
        raise DataError(
            f"{folder} is not there; give a folder of images, or a list of files in .csv or .json"
        )
    ensure_writable(file.absolute().parent, "give another file with --registry")
    declared = declaration(entry)
    images = open_data(declared, size=_SIDE, train_images=LOOKED_AT, test_images=LOOKED_AT)
    add_entry(file, entry)
    return Addition(entry, file, images)


def draft(name: str, folder: Path, statement: Statement) -> DataEntry:
    """Entry of a folder: what is stated, over what is known of a data set of that name.

    Raises
    ------
    RegistryError
        If what is stated is invalid.
    """
    known = Registry.load().data.get(name)
    inherited: dict[str, Any] = known.entry(Path("/")) if known else {}
    if statement.layout not in (None, inherited.get("layout")):
        inherited.pop("series", None)  # it is one of another layout
    stated = {key: value for key in _STATED if (value := getattr(statement, key)) is not None}
    reading = {key: value for key in _READING if (value := getattr(statement, key)) is not None}
    fields = {
        "title": name,
        "domain": statement.stands_for if statement.stands_for in DOMAINS else "other",
        "licence": "unknown",
        **{key: value for key, value in inherited.items() if key not in ("source", "size_mb", "subfolder")},
        **stated,
        "source": {"path": str(folder.resolve())},
    }
    if reading:
        fields["reading"] = fields.get("reading", {}) | reading
    doubted = [*fields.get("unverified", ()), *(() if inherited else ("licence",))]
    fields["unverified"] = [key for key in doubted if key in fields and key not in {*stated, "source"}]
    return DATA.make(name, fields)
