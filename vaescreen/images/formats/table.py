"""Parquet tables with a column of encoded images, as the image data sets of the Hugging Face hub have it.

The column holds the bytes of an image file, alone or in a struct beside its path; they are decoded as image files are.
"""

import io
import re
from bisect import bisect_right
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from vaescreen.errors import DataError
from vaescreen.images.formats.base import Format, Frame
from vaescreen.images.formats.raster import FORMAT as RASTER
from vaescreen.images.formats.raster import read_image
from vaescreen.images.held import held
from vaescreen.images.pixels import FloatImage
from vaescreen.images.splits import split_named
from vaescreen.registry.reading import Reading

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

MAX_GROUP = 2**30
"""Row groups of more bytes are refused: one is in memory at a time."""
IMAGE_COLUMN = "image"
PATIENT_COLUMNS = frozenset({"patientid", "subjectid"})
"""Names of columns that say whose an image is, in lower case, letters only."""

_NAMES_SHOWN = 10
_WORD = re.compile(r"[a-z]+")


class _Opened:
    """A file, and the images of one of its row groups."""

    def __init__(self, path: Path) -> None:
        self._file = _file(path)
        self._column = _image_column(self._file.schema_arrow)
        metadata = self._file.metadata
        self._ends = list(accumulate(metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)))
        self._group: int | None = None
        self._images: pa.ChunkedArray | None = None

    def image(self, row: int) -> bytes:
        """Give the bytes of one image."""
        group = bisect_right(self._ends, row)
        if group != self._group or self._images is None:
            self._images = None
            self._images, self._group = self._read(group), group
        value = self._images[row - (self._ends[group - 1] if group else 0)].as_py()
        encoded = value["bytes"] if isinstance(value, dict) else value
        if not encoded:
            raise DataError("the row holds no bytes of an image")
        return bytes(encoded)

    def _read(self, group: int) -> "pa.ChunkedArray":
        # of all columns: in damaged files, asking pyarrow for that of one can end the whole process
        size = self._file.metadata.row_group(group).total_byte_size
        if size > MAX_GROUP:
            raise DataError(f"row group {group} holds {size} bytes; write the file with smaller row groups")
        return self._file.read_row_group(group, columns=[self._column]).column(0)


def _frames(path: Path, reading: Reading) -> list[Frame]:
    with _file(path) as file:
        _image_column(file.schema_arrow)
        owner = next((name for name in file.schema_arrow.names if letters(name) in PATIENT_COLUMNS), None)
        patients = (
            file.read(columns=[owner]).column(0).to_pylist() if owner else [""] * file.metadata.num_rows
        )
    split = _split(path)
    return [
        Frame(str(row), "" if patient is None else str(patient).strip(), split)
        for row, patient in enumerate(patients)
    ]


def _read(path: Path, key: str, reading: Reading) -> FloatImage:
    return read_image(io.BytesIO(held(path, "Parquet", lambda: _Opened(path)).image(int(key))))


def _file(path: Path) -> "pq.ParquetFile":
    """Open a file whose numbers of rows can be true: pyarrow allocates memory for as many as are claimed."""
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path)
    metadata, size = file.metadata, path.stat().st_size
    rows = [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]
    if min(rows, default=0) < 0 or sum(rows) != metadata.num_rows or metadata.num_rows > size:
        file.close()
        raise DataError(
            f"damaged: {metadata.num_rows} rows by its footer, {sum(rows)} by its row groups, in {size} bytes"
        )
    return file


def _image_column(schema: "pa.Schema") -> str:
    """Name of the column with the images: `image`, or the only one that could hold any."""
    able = [field.name for field in schema if _holds_bytes(field.type)]
    if IMAGE_COLUMN in able:
        return IMAGE_COLUMN
    if len(able) != 1:
        names = ", ".join(map(ascii, able or schema.names[:_NAMES_SHOWN])) or "nothing"
        number = (
            "several columns of image bytes and none called image" if able else "no column of image bytes"
        )
        raise DataError(f"holds {number}: {names}")
    return str(able[0])


def _holds_bytes(kind: "pa.DataType") -> bool:
    import pyarrow as pa

    if pa.types.is_struct(kind):
        return kind.get_field_index("bytes") >= 0 and _holds_bytes(kind.field("bytes").type)
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _split(path: Path) -> str | None:
    """Split by the first word of the file's name, as in `train-00000-of-00002.parquet`, or by its folder's name."""
    words = _WORD.match(path.name.lower())
    return split_named(words[0] if words else "") or split_named(path.parent.name.lower())


def letters(name: str) -> str:
    """Name of a column as it is compared: `Patient ID`, `patient_id` and `PatientID` are one."""
    return "".join(_WORD.findall(name.lower()))


FORMAT = Format(
    name="Parquet",
    suffixes=frozenset({".parquet"}),
    frames=_frames,
    read=_read,
    recognises=lambda head: head.startswith(b"PAR1"),
    description={
        **RASTER.description,
        "patients": "column patient_id or subject_id, else every row is a patient",
    },
)
