"""Sections of a registry file: entries by name, validated, every mistake reported with its line."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from vaescreen.errors import RegistryError
from vaescreen.registry.candidate import did_you_mean
from vaescreen.registry.document import Document
from vaescreen.registry.sources import Strict
from vaescreen.registry.wording import in_words

Entry = TypeVar("Entry", bound=Strict)


@dataclass(frozen=True)
class Section(Generic[Entry]):
    """One section of a registry file.

    Attributes
    ----------
    key
        Under which it stands.
    noun
        What messages call an entry.
    model
        Schema of an entry; its field `name` is the entry's key.
    keys : (place in an entry) -> set of str
        Keys that there may be at a place, for suggestions.
    sources
        Keys that tell the kinds of `source` apart.
    """

    key: str
    noun: str
    model: type[Entry]
    keys: Callable[[tuple[str | int, ...]], set[str]]
    sources: Collection[str]

    def read(self, document: Document) -> dict[str, Entry]:
        """Entries of this section of a registry file; none if it has no such section.

        Raises
        ------
        RegistryError
            If an entry is invalid; the message names file and line.
        """
        sections = document.value if isinstance(document.value, dict) else {}
        entries = sections.get(self.key)
        if entries is None:
            return {}
        if not isinstance(entries, dict):
            raise document.error(f"expected a mapping `{self.key}:` from names to entries", (self.key,))
        return {name: self._entry(document, name, entry) for name, entry in entries.items()}

    def make(self, name: str, fields: Mapping[str, Any], folder: Path | None = None) -> Entry:
        """Entry of a name and its fields; paths in it count from `folder`.

        Raises
        ------
        RegistryError
            If the entry is invalid.
        """
        context = {"folder": (folder or Path()).absolute()}
        try:
            return self.model.model_validate({**fields, "name": name}, context=context)
        except ValidationError as error:
            raise RegistryError(f"{self.noun} {name!r}: {self._problem(error)[1]}") from error

    def _entry(self, document: Document, name: str, entry: Any) -> Entry:
        where = (self.key, name)
        if not isinstance(entry, dict):
            raise document.error(f"{self.noun} {name!r} must be a mapping of fields", where)
        if "name" in entry:
            problem = "unknown key 'name'; the key of the entry is its name"
            raise document.error(f"{self.noun} {name!r}: {problem}", (*where, "name"))
        context = {"folder": document.path.parent.absolute()}
        try:
            return self.model.model_validate(entry | {"name": name}, context=context)
        except ValidationError as error:
            inside, problem = self._problem(error)
            raise document.error(f"{self.noun} {name!r}: {problem}", (*where, *inside)) from error

    def _problem(self, error: ValidationError) -> tuple[tuple[str | int, ...], str]:
        """Where in the entry the first problem is, and what it is; an unknown key goes before a missing one."""
        errors = sorted(error.errors(include_url=False), key=lambda e: e["type"] != "extra_forbidden")
        kind = errors[0]["type"]
        location = errors[0]["loc"]
        if location[:1] == ("source",) and location[1:2] and location[1] in self.sources:
            location = (*location[:1], *location[2:])
        field = ".".join(map(str, location))
        if kind == "extra_forbidden":
            hint = did_you_mean(str(location[-1]), self.keys(location[:-1]))
            problem = f"unknown key {field!r}{hint}"
        elif kind == "missing":
            problem = f"key {field!r} is missing"
        else:
            problem = f"{field}: {in_words(errors[0])}" if field else in_words(errors[0])
        more = f" (and {len(errors) - 1} more in this entry)" if len(errors) > 1 else ""
        return location, problem + more
