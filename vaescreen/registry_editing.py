"""Writing into registry files: an entry goes in or out, every other byte stays as it is."""

from collections.abc import Callable
from pathlib import Path

from vaescreen.candidate import Candidate
from vaescreen.errors import RegistryError
from vaescreen.marked_yaml import parse_marked, read_text
from vaescreen.registry import Registry, read_candidates, shipped_file
from vaescreen.storage import write_bytes
from vaescreen.yaml_editing import CannotEdit, add_to_section, remove_from_section

_HEAD = "# Candidates of vaescreen; `vaescreen registry add` and `remove` edit this file, and so may you.\n\n"
_SECTION = "candidates"


def add_entry(file: Path, candidate: Candidate) -> None:
    """Write `candidate` as the last entry of a registry file, which is made if it does not exist.

    Raises
    ------
    RegistryError
        If the file is invalid, has an entry of that name, or is laid out so that none can be put in.
    CacheError
        If it cannot be written.
    """
    file = file.resolve()
    text = read_text(file) if file.exists() else _HEAD
    known = _parsed(file, text)
    if candidate.name in known:
        raise RegistryError(
            f"{file} has a candidate {candidate.name!r}; choose another name, "
            f"or take that one out with `vaescreen registry remove {candidate.name}`"
        )
    fields = candidate.entry(file.parent)
    edited = _edited(file, lambda: add_to_section(text, _SECTION, candidate.name, fields))
    _write(file, edited, known | {candidate.name: candidate})


def remove_entry(file: Path, name: str) -> None:
    """Take the entry `name` out of a registry file; comments outside it stay.

    Raises
    ------
    RegistryError
        If the file is invalid or laid out so that none can be taken out.
    CacheError
        If it cannot be written.
    """
    file = file.resolve()
    text = read_text(file)
    known = _parsed(file, text)
    edited = _edited(file, lambda: remove_from_section(text, _SECTION, name))
    _write(file, edited, {key: entry for key, entry in known.items() if key != name})


def remove_candidate(name: str, file: Path | None = None) -> Path:
    """Take the entry of a candidate out of `file`, by default out of the file that it counts from; gives the file.

    Raises
    ------
    RegistryError
        If there is no such entry, it came with the package (and `file` does not name that very file), or the
        file cannot be edited.
    CacheError
        If it cannot be written.
    """
    known = Registry.load() if file is None else Registry.read(file)
    known.candidate(name)
    place = known.origins[name]
    if file is None and place == shipped_file():
        raise RegistryError(f"{name!r} comes with the package; only your own entries can be removed")
    remove_entry(place, name)
    return place


def _parsed(file: Path, text: str) -> dict[str, Candidate]:
    document = parse_marked(file, text)
    return read_candidates(document) if document.value is not None else {}


def _edited(file: Path, edit: Callable[[], str]) -> str:
    try:
        return edit()
    except CannotEdit as error:
        raise RegistryError(f"{file} cannot be edited: {error}; edit it by hand") from error


def _write(file: Path, text: str, expected: dict[str, Candidate]) -> None:
    """Write the edited text if it says what it should, entry by entry and in this order."""
    try:
        found = _parsed(file, text)
    except RegistryError as error:
        raise RegistryError(f"{file} cannot be edited ({error}); edit it by hand") from error
    if list(found.items()) != list(expected.items()):
        raise RegistryError(f"{file} cannot be edited without changing other entries; edit it by hand")
    write_bytes(file, text.encode())
