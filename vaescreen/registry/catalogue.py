"""The candidates and data sets of all registry files: reading, look-up by name.

A registry is made of up to four files, each laid over those before it; an entry replaces one of the same name:

1. the one that comes with the package,
2. `registry.yaml` in the user's configuration folder (see `vaescreen.storage.config_dir`),
3. `registry.yaml` in the current folder,
4. the file that is asked for (`--registry FILE`).
"""

import importlib.resources
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from vaescreen.errors import RegistryError
from vaescreen.registry.candidate import Candidate, did_you_mean, known_keys
from vaescreen.registry.data_entry import DataEntry, known_data_keys
from vaescreen.registry.data_sources import DATA_SOURCES
from vaescreen.registry.document import Document, read_text
from vaescreen.registry.sections import Section
from vaescreen.registry.sources import SOURCES
from vaescreen.registry.trust import is_trusted
from vaescreen.storage import config_dir

FILE_NAME = "registry.yaml"
CANDIDATES = Section("candidates", "candidate", Candidate, known_keys, SOURCES)
DATA = Section("data", "data set", DataEntry, known_data_keys, DATA_SOURCES)
SECTIONS = (CANDIDATES.key, DATA.key)


Named = TypeVar("Named", Candidate, DataEntry)


class Entries(NamedTuple):
    """What one registry file holds, by name."""

    candidates: dict[str, Candidate]
    data: dict[str, DataEntry]


@dataclass(frozen=True)
class Registry:
    """Candidates and data sets by name, in the order of the files and within them.

    Attributes
    ----------
    files : tuple of Path
        What was read; a later file wins over an earlier one.
    candidates : dict
        Name to entry.
    origins : dict
        Name of a candidate to the file that its entry stands in.
    data : dict
        Name to entry of a data set.
    data_origins : dict
        Name of a data set to the file that its entry stands in.
    """

    files: tuple[Path, ...]
    candidates: dict[str, Candidate]
    origins: dict[str, Path]
    data: dict[str, DataEntry]
    data_origins: dict[str, Path]

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
        data: dict[str, DataEntry] = {}
        data_origins: dict[str, Path] = {}
        for file in files:
            found = _entries(file, read_text(file))
            candidates |= {name: _checked(file, each) for name, each in found.candidates.items()}
            origins |= dict.fromkeys(found.candidates, file)
            data |= {name: _checked(file, each) for name, each in found.data.items()}
            data_origins |= dict.fromkeys(found.data, file)
        return cls(files, candidates, origins, data, data_origins)

    def candidate(self, name: str) -> Candidate:
        """Look a candidate up.

        Raises
        ------
        RegistryError
            If there is none of that name; the message suggests the nearest.
        """
        return self._named(self.candidates, name, CANDIDATES.noun, "registry")

    def data_set(self, name: str) -> DataEntry:
        """Look the entry of a data set up.

        Raises
        ------
        RegistryError
            If there is none of that name; the message suggests the nearest.
        """
        return self._named(self.data, name, DATA.noun, "data")

    def _named(self, entries: Mapping[str, Named], name: str, noun: str, command: str) -> Named:
        if name not in entries:
            hint = did_you_mean(name, entries) or f"; `vaescreen {command} list` shows them all"
            raise RegistryError(f"no {noun} is called {name!r} in {', '.join(map(str, self.files))}{hint}")
        return entries[name]


@lru_cache(maxsize=8)
def _entries(file: Path, text: str) -> "Entries":
    """Entries of a text: a command that asks again does not wait for them again."""
    return read_sections(Document.parse(file, text))


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


def read_sections(document: Document) -> "Entries":
    """All entries of a registry file, validated.

    Raises
    ------
    RegistryError
        If an entry is invalid or the file has another section; the message names file and line.
    """
    sections = document.value if isinstance(document.value, dict) else {}
    for key in sections:
        if key not in SECTIONS:
            raise document.error(f"unknown section {key[:40]!r}{did_you_mean(key, SECTIONS)}", (key,))
    if not sections:
        raise document.error("expected a mapping `candidates:` or `data:` from names to entries")
    return Entries(CANDIDATES.read(document), DATA.read(document))


def _checked(file: Path, entry: Named) -> Named:
    own = _among(file, (shipped_file(), user_file()))
    return entry if own or is_trusted(file, entry) else entry.doubted(file)


def _among(path: Path, others: Sequence[Path]) -> bool:
    return any(path.exists() and other.exists() and path.samefile(other) for other in others)


def make_candidate(name: str, fields: Mapping[str, Any], folder: Path | None = None) -> Candidate:
    """Candidate of a name and the fields of its entry; paths in it count from `folder`.

    Raises
    ------
    RegistryError
        If the entry is invalid.
    """
    return CANDIDATES.make(name, fields, folder)
