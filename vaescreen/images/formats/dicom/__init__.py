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
from vaescreen.registry.reading import PERCENTILES, Reading

SAMPLED = 64
"""Percentiles of a file of more frames are those of so many of them, evenly spaced."""
RELATIVE = ("MR", "NM", "PT")
"""Modalities whose values have no scale that images share: without a window in the file, percentiles decide."""
_LONGEST_FIRST = 256
"""Bytes that the first element of a data set may hold."""
VOLUMES = ("CT", "MR", "NM", "OPT", "PT")
"""Modalities whose frames lie side by side rather than follow each other in time."""


_FIRST_ELEMENTS = {
    (0x0008, element) for element in (0x0000, 0x0001, 0x0005, 0x0006, 0x0008, 0x0012, 0x0016, 0x0018)
}


def begins_as_data_set(head: bytes) -> bool:
    """Whether the first bytes of a file are an element with which data sets begin, in any encoding.

    Scanners and archives write files without preamble; what they begin with is the file meta information, or the
    first elements of group 8 (PS3.6, chapter 6).
    """
    group, element = (int.from_bytes(head[at : at + 2], "little") for at in (0, 2))
    swapped = tuple(int.from_bytes(head[at : at + 2], "big") for at in (0, 2))
    explicit = head[4:6] in {b"UL", b"UI", b"CS", b"DA", b"SQ", b"SH", b"LO", b"OB"}
    if (group, element) in {(2, 0), (2, 1), (2, 2)} or swapped in _FIRST_ELEMENTS:
        return explicit
    short = int.from_bytes(head[4:8], "little") < _LONGEST_FIRST
    return (group, element) in _FIRST_ELEMENTS and len(head) > 8 and (explicit or short)


def _frames(path: Path, reading: Reading) -> list[Frame]:
    return _reader().frames(path, reading)  # type: ignore[no-any-return]


def _read(path: Path, key: str, reading: Reading) -> FloatImage:
    return _reader().read(path, key, reading)  # type: ignore[no-any-return]


def _reader() -> Any:
    imported("pydicom", "DICOM")
    return imported("vaescreen.images.formats.dicom.frames", "DICOM")


FORMAT = Format(
    name="dicom",
    suffixes=frozenset({".dcm", ".dicom", ".ima", ".dcm.gz"}),
    frames=_frames,
    read=_read,
    description={
        "values": "modality LUT, or rescale slope and intercept, of the file or the frame",
        "file": "VOI LUT of the file, else its first window (of the frame, if it has its own), else "
        f"percentiles {PERCENTILES[0]} and {PERCENTILES[1]} for {', '.join(RELATIVE)}, else full",
        "full": "all values that the stored bits could have",
        "padding": "PixelPaddingValue to PixelPaddingRangeLimit: no data, drawn black",
        "percentiles": f"of the file; of {SAMPLED} of its frames, evenly spaced, if it has more",
        "inverted": "MONOCHROME1",
        "luma": list(LUMA),
        "colour": "red, green and blue by the full scale of the stored bits",
        "frames": f"as acquired, numbered from 1, whatever the axis; volumes ({', '.join(VOLUMES)}, or with "
        f"frames at several positions): slices {SLICES}; others: all",
        "patient": "PatientID",
    },
    recognises=lambda head: head[128:132] == b"DICM" or begins_as_data_set(head),
    obeys=frozenset({"slices"}),
)
