"""Which image is for training and which for testing, and whose it is: `manifest.csv`, and lists of files anywhere."""

import csv
import json
import os
import re
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from vaescreen.errors import DataError
from vaescreen.images.files import stamp_of
from vaescreen.images.places import Place
from vaescreen.images.splits import SPLITS, split_named

MANIFEST = "manifest.csv"
COLUMNS = ("file", "split", "patient_id")
LIST_SUFFIXES = (".csv", ".json", ".jsonl")

_LONGEST_LINE = 2**16
_BETWEEN = re.compile(r"[\s,]*")


class Entry(NamedTuple):
    """One row: the file relative to a folder (with /), its split, its patient; these are empty if a list is silent."""

    file: str
    split: str
    patient: str


class Table(NamedTuple):
    """Columns of a list, and its rows with the line in which each is."""

    columns: tuple[str, ...]
    rows: list[tuple[int, dict[str, Any]]]


def read_manifest(place: Place) -> list[Entry]:
    """Read and check `manifest.csv` of a folder or an archive; columns other than `COLUMNS` are ignored.

    Raises
    ------
    DataError
        Naming the line: a missing column or value, an unknown split, a file that is absent, outside the
        folder or listed twice, a patient in two splits.
    """

    def inside(file: str) -> str:
        relative = PurePosixPath(file)
        if relative.is_absolute() or ".." in relative.parts:
            raise DataError(f"{file} is not inside the folder; give a path relative to the manifest")
        return relative.as_posix()

    path = place.root / MANIFEST
    table = _csv_table(place.path(MANIFEST), path)
    _require(path, table, [column for column in COLUMNS if column not in table.columns])
    return _entries(path, table, inside, place.has)


def separator(path: Path) -> str:
    """What separates the columns of a CSV file, by its first line: a comma, or a semicolon or tab of a spreadsheet."""
    with path.open("rb") as stream:
        first = stream.readline(_LONGEST_LINE).decode("utf-8-sig", "replace")
    return max(",;\t", key=first.count)


def is_ours(path: Path) -> bool:
    """Whether a `manifest.csv` is of this package: archives of others bring files of that name.

    Ours names the column `file` and one of the others; what else may be wrong with it, `read_manifest` says.
    """
    try:
        with path.open("rb") as stream:
            first = stream.readline(_LONGEST_LINE).decode("utf-8-sig", "replace")
    except OSError:
        return True
    columns = {column.strip().strip('"').lower() for column in re.split(r"[,;\t]", first)}
    return "file" in columns and bool(columns & {"split", "patient_id"})


def read_list(path: Path) -> tuple[Path, list[Entry]]:
    """Read and check a list of files: CSV with a column `file`, or a JSON array, or lines, of objects with that key.

    Paths are relative to the list's folder, or absolute. `split` and `patient_id` may be given, both or neither;
    whatever else is there is ignored.

    Returns
    -------
    tuple
        A folder, which is that of the list if all files are in it, else the nearest that holds them all; and the
        entries, relative to it.

    Raises
    ------
    DataError
        Naming the line: as for `read_manifest`, or one of `split` and `patient_id` without the other.
    """
    home = Path(os.path.abspath(path.parent))  # noqa: PTH100 (links are not followed)
    table = table_of(path)
    missing = [column for column in COLUMNS if column not in table.columns]
    _require(path, table, missing if len(missing) == 1 else [c for c in missing if c == "file"])
    entries = _entries(path, table, lambda file: os.path.normpath(home / file), os.path.isfile)
    folders = {Path(entry.file).parent for entry in entries}
    within = all(folder.is_relative_to(home) for folder in folders)
    try:
        root = home if within else Path(os.path.commonpath(folders))
    except ValueError as error:
        raise DataError(f"{path}: the files are on several drives; make a list for each") from error
    return root, [entry._replace(file=Path(entry.file).relative_to(root).as_posix()) for entry in entries]


def _require(path: Path, table: Table, missing: list[str]) -> None:
    if missing:
        found = ", ".join(table.columns) or "nothing"
        raise DataError(f"{path} line 1: no column {', '.join(missing)}; found {found}")


def _entries(
    path: Path, table: Table, locate: Callable[[str], str], exists: Callable[[str], bool]
) -> list[Entry]:
    """Check all rows; `locate` says where a file is, or raises `DataError` with the bare reason."""
    columns = [column for column in COLUMNS if column in table.columns]
    entries: list[Entry] = []
    line_of_file: dict[str, int] = {}
    split_of_patient: dict[str, str] = {}
    for line, row in table.rows:
        where = f"{path} line {line}"
        given = {column: row.get(column) for column in columns}
        values = {column: "" if value is None else str(value).strip() for column, value in given.items()}
        for column, value in values.items():
            if not value:
                raise DataError(f"{where}: {column} is empty")
        file, split, patient = (values.get(column, "") for column in COLUMNS)
        if split and split_named(split.lower()) is None:
            raise DataError(f"{where}: unknown split {split!r}; give one of {', '.join(SPLITS)}")
        split = split_named(split.lower()) or ""
        file = str(PurePosixPath(file))
        if "\\" in file and not exists(locate(file)):
            file = file.replace("\\", "/")  # as Windows writes paths
        try:
            located = locate(file)
        except DataError as error:
            raise DataError(f"{where}: {error}") from None
        if not exists(located):
            raise DataError(f"{where}: {file} does not exist")
        if located in line_of_file:
            raise DataError(f"{where}: {file} is already in line {line_of_file[located]}")
        line_of_file[located] = line
        known = split_of_patient.setdefault(patient, split)
        if known != split:
            raise DataError(
                f"{where}: patient {patient} is in {split} and, further up, in {known}; "
                "all images of a patient belong in one split"
            )
        entries.append(Entry(located, split, patient))
    return entries


def table_of(path: Path) -> Table:
    """Read a table by its suffix, one of `LIST_SUFFIXES`.

    Raises
    ------
    DataError
        If it is none.
    """
    try:
        stamp_of(path)
    except DataError as error:
        raise DataError(f"cannot read {path}: {error}") from None
    read = {".json": _json_table, ".jsonl": _lines_table}.get(path.suffix.lower(), _csv_table)
    return read(path)


def _csv_table(path: Path, called: Path | None = None) -> Table:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, strict=True, delimiter=separator(path))
            columns = tuple(_column(name) for name in reader.fieldnames or ())
            reader.fieldnames = columns
            rows = [(reader.line_num, dict(row)) for row in reader if any(row.values())]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"cannot read {called or path} ({error}); it must be UTF-8 text, separated by commas, semicolons or tabs"
        ) from error
    return Table(columns, rows)


def _column(name: str) -> str:
    """Name of a column; one of `COLUMNS` however a spreadsheet writes it."""
    plain = name.strip().lower()
    return plain if plain in COLUMNS else name


def _lines_table(path: Path) -> Table:
    """Read JSON lines, an object a line; the keys of the first are the columns."""
    wanted = "it must be JSON lines, an object a line"
    rows: list[tuple[int, dict[str, Any]]] = []
    try:
        with path.open(encoding="utf-8-sig") as stream:
            for line, text in enumerate(stream, start=1):
                row = json.loads(text) if text.strip() else {}
                if not isinstance(row, dict):
                    raise DataError(f"{path} line {line}: not an object; {wanted}")
                rows += [(line, row)] if row else []
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"cannot read {path} ({error}); {wanted}") from error
    return Table(tuple(rows[0][1]) if rows else (), rows)


def _json_table(path: Path) -> Table:
    """Read an array of objects; the keys of the first are the columns."""
    wanted = "it must be a JSON array of objects, one a file"
    try:
        text = path.read_text(encoding="utf-8-sig")
        if not isinstance(json.loads(text), list):
            raise DataError(f"cannot read {path}; {wanted}")
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"cannot read {path} ({error}); {wanted}") from error
    decoder, rows, line, place = json.JSONDecoder(), [], 1, 0
    end = text.index("[") + 1
    while True:
        start = _skipped(text, end)
        line, place = line + text.count("\n", place, start), start
        if text[start] == "]":
            break
        row, end = decoder.raw_decode(text, start)
        if not isinstance(row, dict):
            raise DataError(f"{path} line {line}: not an object; {wanted}")
        rows.append((line, row))
    return Table(tuple(rows[0][1]) if rows else (), rows)


def _skipped(text: str, place: int) -> int:
    match = _BETWEEN.match(text, place)
    return match.end() if match else place
