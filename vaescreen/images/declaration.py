"""What is known of a data set before its files are looked at."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vaescreen.registry.layouts import Layout
from vaescreen.registry.reading import AS_FILES_SAY, Reading


@dataclass(frozen=True)
class Declaration:
    """A folder of images, and what need not be guessed of it.

    Attributes
    ----------
    name
        What tables call the data.
    folder
        Where the images are.
    layout, series
        Published layout of the folder and which of its series is taken, or None for any folder of images.
    patient_pattern
        As for `open_data`, unless the caller gives another; likewise `reading`, `train_images`, `test_images`.
    slices_per_volume
        How many images are taken of a file that holds more, evenly.
    about
        What the description is to say of the data set, JSON-able.
    """

    name: str
    folder: Path
    layout: Layout | None = None
    series: str | None = None
    patient_pattern: str | None = None
    reading: Reading = AS_FILES_SAY
    slices_per_volume: int | None = None
    train_images: int | None = None
    test_images: int | None = None
    about: dict[str, Any] = field(default_factory=dict)
