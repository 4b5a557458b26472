"""The candidates of all registry files: reading, validation with file and line, look-up by name.

A registry is made of up to four files, each laid over those before it; an entry replaces one of the same name:

1. the one that comes with the package,
2. `registry.yaml` in the user's configuration folder (see `vaescreen.storage.config_dir`),
3. `registry.yaml` in the current folder,
4. the file that is asked for (`--registry FILE`).
"""

import importlib.resources
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from vaescreen.candidate import (
    BundledSource,
    Candidate,
    HubSource,
    LinearSource,
    ModuleSource,
    PathSource,
    WebSource,
    did_you_mean,
    known_keys,
)
from vaescreen.errors import RegistryError
from vaescreen.marked_yaml import MarkedYaml, load_marked
from vaescreen.sources import SOURCES
from vaescreen.storage import config_dir

__all__ = [
    "BundledSource",
    "Candidate",
    "HubSource",
    "LinearSource",
    "ModuleSource",
    "PathSource",
    "Registry",
    "WebSource",
]

FILE_NAME = "registry.yaml"
SECTIONS = ("candidates", "data")


@dataclass(frozen=True)
class Registry:
    """Candidates by name, in the order of the files and within them.

    Attributes
    ----------
    files : tuple of Path
        What was read; a later file wins over an earlier one.
    candidates : dict
        Name to entry.
    origins : dict
        Name to the file that its entry stands in.
    """

    files: tuple[Path, ...]
    candidates: dict[str, Candidate]
    origins: dict[str, Path]

    @classmethod
    def load(cls, file: Path | None = None) -> "Registry":
        """Read all registry files, `file` as the last.

        Raises
        ------
        RegistryError
            If a file cannot be read or an entry is invalid; the message names file and line.
        """
        return cls.read(*registry_files(file))

    @classmethod
    def read(cls, *files: Path) -> "Registry":
        """Read these files and no others.

        Raises
        ------
        RegistryError
            As for `load`.
        """
        candidates: dict[str, Candidate] = {}
        origins: dict[str, Path] = {}
        for file in files:
            found = read_candidates(load_marked(file))
            candidates |= found
            origins |= dict.fromkeys(found, file)
        return cls(files, candidates, origins)

    def candidate(self, name: str) -> Candidate:
        """Look a candidate up.

        Raises
        ------
        RegistryError
            If there is none of that name; the message suggests the nearest.
        """
        if name not in self.candidates:
            hint = did_you_mean(name, self.candidates) or "; `vaescreen registry list` shows them all"
            files = ", ".join(map(str, self.files))
            raise RegistryError(f"no candidate is called {name!r} in {files}{hint}")
        return self.candidates[name]


def registry_files(file: Path | None = None) -> tuple[Path, ...]:
    """Registry files in the order in which they are laid over each other; those that do not exist are left out.

    Parameters
    ----------
    file
        One that is asked for; it is named even if it does not exist.
    """
    optional = (user_file(), Path(FILE_NAME))
    wanted = [shipped_file(), *(path for path in optional if path.is_file()), *([file] if file else [])]
    return tuple(path for place, path in enumerate(wanted) if not _among(path, wanted[:place]))


def shipped_file() -> Path:
    """Registry inside an installed package, or at the root of a checkout."""
    package = Path(str(importlib.resources.files("vaescreen")))
    installed = package / FILE_NAME
    return installed if installed.is_file() else package.parent / FILE_NAME


def user_file() -> Path:
    """Registry of the user, which need not exist."""
    return config_dir() / FILE_NAME


def read_candidates(document: MarkedYaml) -> dict[str, Candidate]:
    """Entries of section `candidates` of a registry file, validated; section `data` is left to others.

    Raises
    ------
    RegistryError
        If an entry is invalid or the file has another section; the message names file and line.
    """
    sections = document.value if isinstance(document.value, dict) else {}
    for key in sections:
        if key not in SECTIONS:
            raise document.error(f"unknown section {key[:40]!r}{did_you_mean(key, SECTIONS)}", (key,))
    entries = sections.get("candidates")
    if entries is None and sections:
        return {}
    if not isinstance(entries, dict):
        raise document.error("expected a mapping `candidates:` from names to entries", ("candidates",))
    return {name: _candidate(document, name, entry) for name, entry in entries.items()}


def _among(path: Path, others: Sequence[Path]) -> bool:
    return any(path.exists() and other.exists() and path.samefile(other) for other in others)


def make_candidate(name: str, fields: Mapping[str, Any], folder: Path | None = None) -> Candidate:
    """Candidate of a name and the fields of its entry; paths in it count from `folder`.

    Raises
    ------
    RegistryError
        If the entry is invalid.
    """
    context = {"folder": (folder or Path()).absolute()}
    try:
        return Candidate.model_validate({**fields, "name": name}, context=context)
    except ValidationError as error:
        raise RegistryError(f"candidate {name!r}: {_problem(error)[1]}") from error


def _candidate(document: MarkedYaml, name: str, entry: Any) -> Candidate:
    where = ("candidates", name)
    if not isinstance(entry, dict):
        raise document.error(f"candidate {name!r} must be a mapping of fields", where)
    if "name" in entry:
        problem = "unknown key 'name'; the key of the entry is its name"
        raise document.error(f"candidate {name!r}: {problem}", (*where, "name"))
    context = {"folder": document.path.parent.absolute()}
    try:
        return Candidate.model_validate(entry | {"name": name}, context=context)
    except ValidationError as error:
        inside, problem = _problem(error)
        raise document.error(f"candidate {name!r}: {problem}", (*where, *inside)) from error


def _problem(error: ValidationError) -> tuple[tuple[str | int, ...], str]:
    """Where in the entry the first problem is, and what it is; an unknown key goes before a missing one."""
    errors = sorted(error.errors(include_url=False), key=lambda e: e["type"] != "extra_forbidden")
    kind, message = errors[0]["type"], errors[0]["msg"].removeprefix("Value error, ")
    location = errors[0]["loc"]
    if location[:1] == ("source",) and location[1:2] and location[1] in SOURCES:
        location = (*location[:1], *location[2:])
    field = ".".join(map(str, location))
    if kind == "extra_forbidden":
        hint = did_you_mean(str(location[-1]), known_keys(location[:-1]))
        problem = f"unknown key {field!r}{hint}"
    elif kind == "missing":
        problem = f"key {field!r} is missing"
    else:
        problem = f"{field}: {message}" if field else message
    more = f" (and {len(errors) - 1} more in this entry)" if len(errors) > 1 else ""
    return location, problem + more
