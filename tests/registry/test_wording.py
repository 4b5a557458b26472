"""Whatever stands in an entry, the message is in our own words: nothing of the schema library's reaches a user."""

import re
from typing import Any

import pytest

from vaescreen.errors import RegistryError
from vaescreen.registry.catalogue import CANDIDATES, DATA
from vaescreen.registry.data_sources import DATA_SOURCES
from vaescreen.registry.sources import SOURCES

WRONG: list[Any] = [None, "", 5, -1, 1.5, 1e400, True, [], {}, ["x"], [1, 2], {"a": 1}, [{"a": 1}], "x" * 500]
WRONG += ["two\nlines", "../up", "^", "Ümlaut ☃", [None], [[0.2, 0.8]], [0.8, 0.2], [0.1, 0.2, 0.3], b"bytes"]
SCHEMAS = re.compile(
    r"pydantic|should|[Vv]alue error|Input|\bstr\b|\bint\b|\bfloat\b|\bdict\b|tuple|instance of|[\^\\]"
)
BASE = {
    CANDIDATES.key: {
        "adapter": "diffusers",
        "source": {"path": "x"},
        "geometry": {"channels": 4, "factor": 8},
        "domain": "none",
        "family": "x",
        "licence": "MIT",
        "training_data": "x",
    },
    DATA.key: {"title": "x", "domain": "chest", "source": {"path": "x"}, "licence": "MIT"},
}
PARTS = {CANDIDATES.key: ("geometry", "input", "settings"), DATA.key: ("reading", "counts")}
SOURCE_KINDS = {CANDIDATES.key: SOURCES, DATA.key: DATA_SOURCES}


def entries(section: Any):
    """Entries with one wrong value each: in every field, in every part, and in every key of every kind of source."""
    base = BASE[section.key]
    for key in section.keys(()):
        yield from ((key, base | {key: wrong}) for wrong in WRONG)
    for part in PARTS[section.key]:
        for key in section.keys((part,)):
            stated = base.get(part) or {}
            yield from ((key, base | {part: {**stated, key: wrong}}) for wrong in WRONG)
    for kind, source in SOURCE_KINDS[section.key].items():
        for key in source.model_fields:
            yield from ((key, base | {"source": {kind: "x", key: wrong}}) for wrong in WRONG)


@pytest.mark.parametrize("section", [CANDIDATES, DATA], ids=lambda each: each.key)
def test_no_wrong_value_brings_out_the_schema(section: Any) -> None:
    refused = 0
    for key, entry in entries(section):
        try:
            section.make("mine", entry)
        except RegistryError as error:
            refused += 1
            said = str(error)
            own = re.sub(r"'[^']*'", "", said)  # what was written is quoted
            assert not SCHEMAS.search(own), f"{key}: {said}"
            assert "\n" not in said
    assert refused > 200


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        (
            {"source": {"urls": [{"url": "ftp://a/b"}]}},
            "source.urls.0.url: 'ftp://a/b' is none; the https:// address",
        ),
        ({"source": {"urls": [{"url": "https://a/b", "md5": "1"}]}}, "the 32 digits of an md5 are expected"),
        ({"source": {"hub": "a/b", "revision": "main", "files": ["/x"]}}, "such as images/*.png"),
        ({"subfolder": "/x"}, "subfolder: '/x' is none; a folder inside what is fetched"),
        ({"reading": {"axis": "up"}}, "reading.axis: must be 'auto'"),
    ],
)
def test_data_sets(fields: dict[str, Any], says: str) -> None:
    with pytest.raises(RegistryError, match=re.escape(says)):
        DATA.make("mine", BASE[DATA.key] | fields)
