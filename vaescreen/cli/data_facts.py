"""What the registry says of a data set, as it is printed."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from typing_extensions import TypedDict

from vaescreen.cli.printing import Sheet

if TYPE_CHECKING:
    from vaescreen.registry.data_entry import DataEntry


class Seen(TypedDict):
    """What is seen of a data set that is on this machine."""

    name: str
    kind: str
    fingerprint: str
    description: dict[str, Any]
    skipped: list[dict[str, str]]
    left_out: list[dict[str, str]]
    passed_over: Any
    warnings: list[str]


def absent_sheet(entry: "DataEntry", file: str) -> Sheet:
    """What is printed of a data set that is not on this machine: what is known of it, and how it gets there."""
    from vaescreen.errors import DataError
    from vaescreen.images.naming import place_of, state_of

    payload = entry.model_dump(mode="json", exclude_none=True) | {"state": state_of(entry), "file": file}
    try:
        place_of(entry)
        mend = ""
    except DataError as error:
        mend = str(error)
    facts = facts_of(entry) | {"entry": file}
    return Sheet(
        headers=("what", "known"),
        cells=[[key, value] for key, value in facts.items()],
        records=[facts],
        payload=payload,
        title=f"{entry.name} (not on this machine)",
        notes=[mend],
        text_columns=2,
    )


def facts_of(entry: "DataEntry") -> dict[str, str]:
    """What the registry says of a data set, in words."""
    source = entry.source.model_dump(mode="json", exclude_defaults=True)
    facts = {
        "title": entry.title,
        "from": ", ".join(f"{key} {_plainly(value)}" for key, value in source.items()),
        "licence": entry.licence,
        "terms": entry.terms,
        "size": f"{entry.size_mb:.0f} MB" if entry.size_mb else None,
        "citation": entry.citation,
        "preparation": entry.preparation,
        "not confirmed": ", ".join(entry.unverified),
    }
    return {key: value for key, value in facts.items() if value}


def _plainly(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(_plainly, value))
    return str(value["url"]) if isinstance(value, dict) else str(value)


def in_words(value: Any) -> str:
    """A described value as people write it; empty for what is not there."""
    if value is None or value in ({}, []):
        return ""
    if isinstance(value, Mapping):
        parts = {str(key).replace("_", " "): in_words(part) for key, part in value.items()}
        return "; ".join(f"{key} {part}" for key, part in parts.items() if part)
    if isinstance(value, list | tuple):
        return ", ".join(map(in_words, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
