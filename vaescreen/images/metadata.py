"""Tables beside images in folders for the Hugging Face hub: `metadata.csv` and `metadata.jsonl` say whose each is.

They lie in the folder of the images or above it, and name files relative to themselves (`file_name`); of their columns
those are used that say the patient.
"""

from collections.abc import Iterable

from vaescreen.errors import DataError
from vaescreen.images.formats.table import PATIENT_COLUMNS, letters
from vaescreen.images.manifest import table_of
from vaescreen.images.places import Place

TABLES = ("metadata.csv", "metadata.jsonl")
_FILE = "file_name"


def owners(place: Place, others: Iterable[str]) -> dict[str, str]:
    """Find the patient of each file that a table gives one.

    Parameters
    ----------
    place
        Where the data set lies.
    others
        What it holds beside images.

    Returns
    -------
    dict[str, str]
        Patient by file.
    """
    found: dict[str, str] = {}
    for name in others:
        parent, slash, file = name.rpartition("/")
        if file in TABLES:
            rows = _patients(place, name)
            found |= {f"{parent}{slash}{each.removeprefix('./')}": patient for each, patient in rows.items()}
    return found


def _patients(place: Place, name: str) -> dict[str, str]:
    """Patients by file; none where the table is of another kind, or damaged: then it is one more file passed over."""
    try:
        table = table_of(place.path(name))
    except DataError:
        return {}
    column = next((name for name in table.columns if letters(name) in PATIENT_COLUMNS), None)
    if column is None or _FILE not in table.columns:
        return {}
    pairs = ((str(row.get(_FILE) or ""), str(row.get(column) or "").strip()) for _, row in table.rows)
    return {file: patient for file, patient in pairs if file and patient}
