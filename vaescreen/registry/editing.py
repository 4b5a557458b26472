"""Writing into registry files: an entry goes in or out, every other byte stays as it is."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from vaescreen.errors import RegistryError
from vaescreen.registry.candidate import Candidate
from vaescreen.registry.catalogue import CANDIDATES, DATA, Entries, Registry, read_sections, shipped_file
from vaescreen.registry.data_entry import DataEntry
from vaescreen.registry.document import Document, read_text
from vaescreen.registry.trust import trust
from vaescreen.registry.yaml_editing import CannotEdit, add_to_section, remove_from_section
from vaescreen.storage import locked, write_bytes

_HEAD = (
    "# Candidates and data sets of vaescreen; `vaescreen registry add` and `remove`, `vaescreen data add` and\n"
    "# `remove` edit this file, and so may you.\n\n"
)
_COMMANDS = {CANDIDATES.key: "vaescreen registry remove", DATA.key: "vaescreen data remove"}


def add_entry(file: Path, entry: Candidate | DataEntry) -> None:
    """Write the last entry of its section of a registry file, which is made if it does not exist.

    What the user adds is trusted, wherever its path leads.

    Raises
    ------
    RegistryError
        If the file is invalid, has an entry of that name, or is laid out so that none can be put in.
    CacheError
        If it cannot be written.
    """
    file = file.resolve()
    with locked(file):
        text = read_text(file) if file.exists() else _HEAD
        known = _parsed(file, text)
        section = CANDIDATES if isinstance(entry, Candidate) else DATA
        if entry.name in known[section.key]:
            raise RegistryError(
                f"{file} has a {section.noun} {entry.name!r}; choose another name, "
                f"or take that one out with `{_COMMANDS[section.key]} {entry.name}`"
            )
        fields = entry.entry(file.parent)
        edited = _edited(file, lambda: add_to_section(text, section.key, entry.name, fields))
        known[section.key][entry.name] = entry
        _write(file, edited, known)
    trust(file, entry)


def remove_entry(file: Path, name: str, section: str = CANDIDATES.key) -> None:
    """Take the entry `name` out of a section of a registry file; comments outside it stay.

    Raises
    ------
    RegistryError
        If the file is invalid or laid out so that none can be taken out.
    CacheError
        If it cannot be written.
    """
    file = file.resolve()
    with locked(file):
        text = read_text(file)
        known = _parsed(file, text)
        edited = _edited(file, lambda: remove_from_section(text, section, name))
        known[section].pop(name, None)
        _write(file, edited, known)


def remove_named(name: str, file: Path | None = None, section: str = CANDIDATES.key) -> Path:
    """Take the entry `name` out of `file`, by default out of the file that it counts from; gives the file.

    Raises
    ------
    RegistryError
        If there is no such entry, it came with the package (and `file` does not name that very file), or the
        file cannot be edited.
    CacheError
        If it cannot be written.
    """
    known = Registry.load() if file is None else Registry.read(file)
    if section == DATA.key:
        known.data_set(name)
        place = known.data_origins[name]
    else:
        known.candidate(name)
        place = known.origins[name]
    if file is None and place == shipped_file():
        raise RegistryError(f"{name!r} comes with the package; only your own entries can be removed")
    remove_entry(place, name, section)
    return place


def _parsed(file: Path, text: str) -> dict[str, dict[str, Any]]:
    """Entries by section and name."""
    document = Document.parse(file, text)
    return (read_sections(document) if document.value is not None else Entries({}, {}))._asdict()


def _edited(file: Path, edit: Callable[[], str]) -> str:
    try:
        return edit()
    except CannotEdit as error:
        raise RegistryError(f"{file} cannot be edited: {error}; edit it by hand") from error


def _write(file: Path, text: str, expected: dict[str, dict[str, Any]]) -> None:
    """Write the edited text if it says what it should, entry by entry and in this order."""
    try:
        found = _parsed(file, text)
    except RegistryError as error:
        raise RegistryError(f"{file} cannot be edited ({error}); edit it by hand") from error
    if any(list(found[section].items()) != list(expected[section].items()) for section in expected):
        raise RegistryError(f"{file} cannot be edited without changing other entries; edit it by hand")
    write_bytes(file, text.encode())
