"""How volumes are cut into images, and how measured values become gray: what a file itself leaves open."""

import math
import re
from dataclasses import dataclass
from typing import Any, Literal, get_args

from vaescreen.errors import DataError

Axis = Literal["auto", "axial", "coronal", "sagittal"]

AXES: tuple[Axis, ...] = get_args(Axis)
PERCENTILES = (0.5, 99.5)
"""Values outside are clipped where nothing better is known: MR has no unit, and a few voxels are very bright."""

MULTIPLE = 8
"""Sides that are asked for are multiples of this, so that degradations by 2, 4 and 8 are exact."""

_NUMBER = r"\s*([-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?)\s*"


@dataclass(frozen=True)
class Window:
    """Which values become black and white; in between, gray is linear.

    `file` is what the file says (DICOM's window, the full scale of an integer format), else percentiles;
    `full` is the full scale of the format; `level` is black and white in the file's unit (Hounsfield for CT);
    `percentile` clips to two percentiles of the volume, or of the image if it stands alone; `auto` is one level for a
    whole data set, the percentiles of its train images, which whoever knows those images makes a `level` of;
    `measured` leaves values as they are measured, for finding such levels.
    """

    kind: Literal["file", "full", "level", "percentile", "auto", "measured"] = "file"
    values: tuple[float, float] = PERCENTILES

    @classmethod
    def parse(cls, text: str) -> "Window":
        """Read `file`, `full`, `auto`, `LOW,HIGH`, `level CENTRE,WIDTH` or `percentile LOW,HIGH`.

        Raises
        ------
        DataError
            If the text is none of these, the width is not positive, or two limits do not rise.
        """
        simple = {"file": cls(), "full": cls("full"), "auto": cls("auto")}
        if text.strip() in simple:
            return simple[text.strip()]
        match = re.fullmatch(rf"\s*(level|percentile|){_NUMBER},{_NUMBER}", text)
        if match:
            first, second = float(match[2]), float(match[3])
            if match[1] == "percentile":
                if 0 <= first < second <= 100:
                    return cls("percentile", (first, second))
            elif match[1] == "level":
                if second > 0:
                    return cls("level", (first - second / 2, first + second / 2))
            elif first < second and math.isfinite(first) and math.isfinite(second):
                return cls("level", (first, second))
        raise DataError(
            f"window {text!r} is not understood; give LOW,HIGH (-160,240), auto, file, full, level CENTRE,WIDTH "
            "(level 40,400) or percentile LOW,HIGH (percentile 1,99)"
        )

    def __str__(self) -> str:
        low, high = (f"{value:.10g}" for value in self.values)
        return {"level": f"{low},{high}", "percentile": f"percentile {low},{high}"}.get(self.kind, self.kind)


@dataclass(frozen=True)
class Reading:
    """Choices for files that hold more, or other, than one gray image.

    Parameters
    ----------
    axis
        Direction across the slices of a volume; `auto` is that of the largest voxel spacing, axial if all are alike.
    slices
        Part of a volume's slices that is used, as fractions of their number: (0.25, 0.75) is the middle half. None:
        those that are not nearly empty.
    window
        Values that become black and white.
    keep_labels
        Whether segmentations, doses, localizers and their like are read as if they were pictures.

    Raises
    ------
    DataError
        If the axis is unknown or the fractions do not rise within 0 to 1.
    """

    axis: Axis = "auto"
    slices: tuple[float, float] | None = None
    window: Window = Window()
    keep_labels: bool = False

    def __post_init__(self) -> None:
        if self.axis not in AXES:
            raise DataError(f"unknown axis {self.axis!r}; give one of {', '.join(AXES)}")
        if self.slices is not None and not 0 <= self.slices[0] < self.slices[1] <= 1:
            raise DataError(
                f"slices {self.slices} must be two rising fractions of a volume, such as 0.25 and 0.75"
            )

    def description(self) -> dict[str, Any]:
        """Say what was chosen, JSON-able, so that the same can be chosen again."""
        said = {"axis": self.axis, "slices": self.slices, "window": str(self.window)}
        return said | ({"keep_labels": True} if self.keep_labels else {})


AS_FILES_SAY = Reading()


def check_size(size: int | None) -> None:
    """Refuse a size that not every degradation divides.

    Raises
    ------
    DataError
        If `size` is neither None (native) nor a positive multiple of `MULTIPLE`.
    """
    if size is not None and (size <= 0 or size % MULTIPLE):
        raise DataError(f"size {size} is not a positive multiple of {MULTIPLE}; give 256, for instance")


def compiled(pattern: str) -> re.Pattern[str]:
    """Give a patient pattern as a regular expression.

    Raises
    ------
    DataError
        If it is none, or has no group.
    """
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise DataError(f"patient pattern {pattern!r} is not a regular expression: {error}") from error
    if not expression.groups:
        raise DataError(
            f"patient pattern {pattern!r} has no group; put parentheses around the patient's part"
        )
    return expression
