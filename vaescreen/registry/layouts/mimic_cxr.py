"""MIMIC-CXR-JPG (chest X-ray): `files/p10/p10000032/s50414267/<dicom>.jpg`, with tables of splits and views."""

import csv
import gzip
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from vaescreen.errors import DataError
from vaescreen.registry.layouts.base import Chosen, Find, Layout

SPLIT_TABLE = "mimic-cxr-2.0.0-split.csv"
VIEW_TABLE = "mimic-cxr-2.0.0-metadata.csv"
FRONTAL = frozenset({"PA", "AP"})

_FILE = re.compile(r"(?:^|/)p\d{2}/p(?P<subject>\d{8})/s\d{8}/(?P<image>[0-9a-f-]+)\.(jpg|dcm)$")
_SPLITS = {"train": "train", "validate": "val", "test": "test"}


def select(find: Find, files: Sequence[str], series: str | None) -> list[Chosen]:
    """Take frontal views where the table of views is there, all images otherwise; and the published splits, likewise.

    Raises
    ------
    DataError
        If a table is damaged, or says nothing of an image.
    """
    splits = _column(find, SPLIT_TABLE, "split")
    views = _column(find, VIEW_TABLE, "ViewPosition")
    chosen = []
    for file in files:
        match = _FILE.search(file)
        if match is None or (views is not None and views.get(match["image"]) not in FRONTAL):
            continue
        split = None if splits is None else _SPLITS.get(splits.get(match["image"], ""))
        if splits is not None and split is None:
            raise DataError(f"{SPLIT_TABLE} does not say which split {file} is in; fetch it again")
        chosen.append(Chosen(file, f"p{match['subject']}", split))
    return chosen


def _column(find: Find, table: str, column: str) -> dict[str, str] | None:
    """One column of a table by image, whether the table is packed or not; None if it is not there."""
    path = find(f"{table}.gz") or find(table)
    if path is None:
        return None
    try:
        return dict(_rows(path, column))
    except (OSError, EOFError, UnicodeDecodeError, csv.Error, KeyError) as error:
        raise DataError(f"{path.name} cannot be read ({error}); fetch it again") from error


def _rows(path: Path, column: str) -> Iterator[tuple[str, str]]:
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            yield row["dicom_id"], row[column]


LAYOUT = Layout(
    name="mimic-cxr",
    example="files/p10/p10000032/s50414267/02aa804e-bde0afdd-112c0b34-7bc16630-4e384014.jpg",
    series=(),
    select=select,
    patient_rule="MIMIC subject",
    split_rule=f"published: {SPLIT_TABLE}",
)
