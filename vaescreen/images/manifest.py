"""`manifest.csv`: which image is for training and which for testing, and whose image it is."""

import csv
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from vaescreen.errors import DataError
from vaescreen.images.splits import SPLITS

MANIFEST = "manifest.csv"
COLUMNS = ("file", "split", "patient_id")


class Entry(NamedTuple):
    """One row: the file relative to the manifest's folder (with /), its split, its patient."""

    file: str
    split: str
    patient: str


def read_manifest(folder: Path) -> list[Entry]:
    """Read and check `manifest.csv` of a folder; columns other than `COLUMNS` are ignored.

    Raises
    ------
    DataError
        Naming the line: a missing column or value, an unknown split, a file that is absent, outside the
        folder or listed twice, a patient in two splits.
    """
    path = folder / MANIFEST
    entries: list[Entry] = []
    line_of_file: dict[str, int] = {}
    split_of_patient: dict[str, str] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, strict=True)
            missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
            if missing:
                found = ", ".join(reader.fieldnames or ["nothing"])
                raise DataError(f"{path} line 1: no column {', '.join(missing)}; found {found}")
            for row in reader:
                where = f"{path} line {reader.line_num}"
                entry = _entry(row, folder, where)
                if entry.file in line_of_file:
                    raise DataError(f"{where}: {entry.file} is already in line {line_of_file[entry.file]}")
                line_of_file[entry.file] = reader.line_num
                known = split_of_patient.setdefault(entry.patient, entry.split)
                if known != entry.split:
                    raise DataError(
                        f"{where}: patient {entry.patient} is in {entry.split} and, further up, in {known}; "
                        "all images of a patient belong in one split"
                    )
                entries.append(entry)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"cannot read {path} ({error}); it must be comma-separated UTF-8 text") from error
    return entries


def _entry(row: dict[str, str | None], folder: Path, where: str) -> Entry:
    file, split, patient = ((row[column] or "").strip() for column in COLUMNS)
    for column, value in zip(COLUMNS, (file, split, patient), strict=True):
        if not value:
            raise DataError(f"{where}: {column} is empty")
    if split not in SPLITS:
        raise DataError(f"{where}: unknown split {split!r}; give one of {', '.join(SPLITS)}")
    relative = PurePosixPath(file)
    if relative.is_absolute() or ".." in relative.parts:
        raise DataError(f"{where}: {file} is not inside the folder; give a path relative to the manifest")
    if not (folder / relative).is_file():
        raise DataError(f"{where}: {file} does not exist")
    return Entry(str(relative), split, patient)
