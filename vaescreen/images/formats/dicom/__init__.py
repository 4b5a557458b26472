"""DICOM files: single images, series of one-slice files, and files of many frames.

`file` opens a file and decodes a frame, by the library that `codecs` chooses; `values` says what stored values mean
and how gray they are; `frames` says which frames are used and puts it all together. These import pydicom.
"""

from pathlib import Path
from typing import Any

from vaescreen.images.formats.base import Format, Frame, imported
from vaescreen.images.formats.raster import LUMA
from vaescreen.images.formats.volume import SLICES
from vaescreen.images.pixels import FloatImage
from vaescreen.images.reading import PERCENTILES, Reading

SAMPLED = 64
"""Percentiles of a file of more frames are those of so many of them, evenly spaced."""
RELATIVE = ("MR", "NM", "PT")
"""Modalities whose values have no scale that images share: without a window in the file, percentiles decide."""
VOLUMES = ("CT", "MR", "NM", "OPT", "PT")
"""Modalities whose frames lie side by side rather than follow each other in time."""


def _frames(path: Path, reading: Reading) -> list[Frame]:
    return _reader().frames(path, reading)  # type: ignore[no-any-return]


def _read(path: Path, key: str, reading: Reading) -> FloatImage:
    return _reader().read(path, key, reading)  # type: ignore[no-any-return]


def _reader() -> Any:
    imported("pydicom", "DICOM")
    return imported("vaescreen.images.formats.dicom.frames", "DICOM")


FORMAT = Format(
    name="dicom",
    suffixes=frozenset({".dcm", ".dicom", ".ima"}),
    frames=_frames,
    read=_read,
    description={
        "values": "modality LUT, or rescale slope and intercept, of the file or the frame",
        "auto": "VOI LUT of the file, else its first window (of the frame, if it has its own), else "
        f"percentiles {PERCENTILES[0]} and {PERCENTILES[1]} for {', '.join(RELATIVE)}, else full",
        "full": "all values that the stored bits could have",
        "percentiles": f"of the file; of {SAMPLED} of its frames, evenly spaced, if it has more",
        "inverted": "MONOCHROME1",
        "luma": list(LUMA),
        "colour": "red, green and blue by the full scale of the stored bits, whatever the window",
        "frames": f"as acquired, numbered from 1, whatever the axis; volumes ({', '.join(VOLUMES)}, or with "
        f"frames at several positions): slices {SLICES}; others: all",
        "patient": "PatientID",
    },
    magic=(128, b"DICM"),
)
