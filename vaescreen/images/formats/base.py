"""What a format is to the rest of the package."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from vaescreen.errors import VaescreenError
from vaescreen.images.pixels import FloatImage, NoPictureError
from vaescreen.registry.reading import Reading

HEAD = 560
"""Bytes that tell what a file is."""


__all__ = ["HEAD", "Format", "Frame", "NoPictureError", "imported"]


class Frame(NamedTuple):
    """One image of a file.

    Attributes
    ----------
    key
        Names the image within its file and in its id; empty where the file is one image.
    patient
        Whose it is, if the file says. Empty if each image of the file stands for a patient of its own; None makes
        all images of the file one patient's, as slices of a volume are.
    split
        "train", "val" or "test", if the file says.
    study
        What was examined, if the file says: images of one study are of one patient.
    """

    key: str = ""
    patient: str | None = None
    split: str | None = None
    study: str = ""


@dataclass(frozen=True, eq=False)
class Format:
    """How one kind of file is read.

    Attributes
    ----------
    name
        What messages call it.
    suffixes
        Lower-case, with the dot.
    frames : (path, reading) -> list of Frame, or None
        The images of a file, in order, without decoding them where the header suffices. None: a file is one image.
    read : (path, key, reading) -> FloatImage
        One of them, by the `key` of its `Frame`: float32 [H, W] in [0, 1], passed by `pixels.checked`.
    description
        What is done to the values of such files: JSON-able, for the record.
    recognises : (head) -> bool
        Whether a file is of this format by its first `HEAD` bytes, unpacked if it is a gzip file: content decides,
        and the name only where it tells nothing.
    obeys
        Which choices of a `Reading` besides the window matter to such files: "axis", "slices".
    beside : (path) -> path or None, or None
        The other file that the pixels are in, if a file is a header only. None: none ever is.

    Both functions raise `DataError` with the bare reason, which the caller puts beside the path. What a library
    raises on damaged input they may leave to `vaescreen.images.files`.
    """

    name: str
    suffixes: frozenset[str]
    frames: Callable[[Path, Reading], list[Frame]] | None
    read: Callable[[Path, str, Reading], FloatImage]
    description: dict[str, Any]
    recognises: Callable[[bytes], bool]
    obeys: frozenset[str] = frozenset()
    beside: Callable[[Path], Path | None] | None = None


def imported(module: str, kind: str) -> Any:
    """Import a library that reads one kind of file.

    Raises
    ------
    VaescreenError
        If it is not installed: the run stops, rather than pass over all files of the kind.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise VaescreenError(
            f"{kind} files are read by {module}, which cannot be imported; pip install 'vaescreen[medical]'"
        ) from error
