"""What a layout is to the rest of the package."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

Find = Callable[[str], Path | None]


class Chosen(NamedTuple):
    """A file that is taken: its path relative to the folder, whose it is, and its split if the layout says."""

    file: str
    patient: str
    split: str | None = None


@dataclass(frozen=True)
class Layout:
    """How a published data set lies on disk.

    Attributes
    ----------
    name
        What registry entries call it.
    example
        Path of a file, for messages.
    series
        Kinds of image of one patient, of which one is taken; the first by default. Empty where there is one kind.
    select : (find, files, series) -> list of Chosen
        The files that are taken among all images of the folder (relative paths with forward slashes); `find` gives the
        path of a table that comes with the images, or None. Raises `DataError` if one cannot be read.
    patient_rule
        Where patients come from, in words.
    split_rule
        Where the splits come from, in words, if the layout gives any.
    """

    name: str
    example: str
    series: tuple[str, ...]
    select: Callable[[Find, Sequence[str], str | None], list[Chosen]]
    patient_rule: str
    split_rule: str
