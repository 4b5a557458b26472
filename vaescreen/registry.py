"""The candidates of `registry.yaml`: reading, validation with file and line, look-up by name."""

import importlib.resources
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from vaescreen.candidate import (
    SOURCES,
    BundledSource,
    Candidate,
    HubSource,
    LinearSource,
    PathSource,
    did_you_mean,
    known_keys,
)
from vaescreen.errors import RegistryError
from vaescreen.marked_yaml import MarkedYaml, load_marked

__all__ = ["BundledSource", "Candidate", "HubSource", "LinearSource", "PathSource", "Registry"]


@dataclass(frozen=True)
class Registry:
    """All candidates of one registry file, by name and in the order of the file."""

    path: Path
    candidates: dict[str, Candidate]

    @classmethod
    def load(cls, path: Path | None = None) -> "Registry":
        """Read and validate a registry file, by default the one that comes with the package.

        Raises
        ------
        RegistryError
            If the file cannot be read or an entry is invalid; the message names file and line.
        """
        document = load_marked(path or _shipped())
        sections = document.value if isinstance(document.value, dict) else {}
        for key in sections:
            if key != "candidates":
                hint = did_you_mean(key, ["candidates"])
                raise document.error(f"unknown section {key!r}{hint}", (key,))
        entries = sections.get("candidates")
        if not isinstance(entries, dict):
            raise document.error("expected a mapping `candidates:` from names to entries", ("candidates",))
        candidates = {name: _candidate(document, name, entry) for name, entry in entries.items()}
        return cls(document.path, candidates)

    def candidate(self, name: str) -> Candidate:
        """Look a candidate up.

        Raises
        ------
        RegistryError
            If there is none of that name; the message suggests the nearest.
        """
        if name not in self.candidates:
            hint = did_you_mean(name, self.candidates) or "; `vaescreen registry list` shows them all"
            raise RegistryError(f"no candidate is called {name!r} in {self.path}{hint}")
        return self.candidates[name]


def _shipped() -> Path:
    """Registry inside an installed package, or at the root of a checkout."""
    package = Path(str(importlib.resources.files("vaescreen")))
    installed = package / "registry.yaml"
    return installed if installed.is_file() else package.parent / "registry.yaml"


def _candidate(document: MarkedYaml, name: str, entry: Any) -> Candidate:
    where = ("candidates", name)
    if not isinstance(entry, dict):
        raise document.error(f"candidate {name!r} must be a mapping of fields", where)
    if "name" in entry:
        problem = "unknown key 'name'; the key of the entry is its name"
        raise document.error(f"candidate {name!r}: {problem}", (*where, "name"))
    try:
        return Candidate.model_validate(entry | {"name": name}, context={"folder": document.path.parent})
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
