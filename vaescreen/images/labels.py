"""What is no picture though it lies among pictures: label maps, by where they lie and by what they hold."""

import re

import numpy as np
from numpy.typing import NDArray

from vaescreen.images.pixels import NoPictureError
from vaescreen.registry.reading import Reading

LABELS = "label map"

_FOLDERS = re.compile(
    r"(?:labels?|[a-z]*masks?|segs?|segmentations?|annotations?|ground_?truths?)(?:_?(?:tr|ts|train|test|val|valid))?",
    re.IGNORECASE,
)
_WORD = r"(?:segs?|segmentations?|masks?|labels?|labelmap|gt|groundtruth|ground_truth|annotation|aseg|aparc\+aseg|dseg)"
_STEM = re.compile(rf"(?:.*[-_. ])?{_WORD}(?:[-_. ]?\d+)?", re.IGNORECASE)
_MARK = re.compile(rf"[-_. ]{_WORD}(?=[-_. ]?\d*$)", re.IGNORECASE)
FEW, SOME = 8, 64
"""Distinct values of what is always, and of what may be, a label map."""
_SAMPLES = (128, 4096)
"""Evenly spaced values that are looked at first: most pictures show enough of them in few."""
_EVEN = 0.8
"""Share of neighbours, background apart, that are equal in a label map: it is made of areas."""


def is_label_file(file: str, stem: str) -> bool:
    """Whether a file's name or a folder it lies in is one that data sets give to label maps.

    Parameters
    ----------
    file
        Path relative to the data set, with forward slashes.
    stem
        The file's name without its suffix.
    """
    return _STEM.fullmatch(stem) is not None or any(map(_FOLDERS.fullmatch, file.split("/")[:-1]))


def image_stem(stem: str) -> str:
    """Name of the image that a label map's name is made from."""
    return _MARK.sub("", stem)


def refuse_label_map(values: NDArray[np.generic], reading: Reading) -> None:
    """Refuse an image or a volume that holds a few distinct integers in areas, as label maps do.

    Parameters
    ----------
    values
        Stored values, [..., H, W], or gray that is proportional to them.
    reading
        Nothing is refused if it keeps labels, or if its window clips: then too little is left to tell by.

    Raises
    ------
    NoPictureError
        With the bare reason.
    """
    clipped = reading.window.kind in {"level", "percentile", "auto"} and values.dtype == np.float32
    if not (reading.keep_labels or clipped) and _is_label_map(values):
        raise NoPictureError(LABELS, "not a picture: a label map, by its few distinct values")


def _is_label_map(values: NDArray[np.generic]) -> bool:
    flat = values.reshape(-1)
    for size in _SAMPLES:
        if len(set(flat[:: max(flat.size // size, 1)].tolist())) > SOME:
            return False
    distinct = np.unique(flat)
    if len(distinct) < 2 or not np.isfinite(distinct).all():
        return False
    if len(distinct) <= FEW:
        return True
    if len(distinct) > SOME:
        return False
    left, right = values[..., :-1], values[..., 1:]
    inside = (left != distinct[0]) | (right != distinct[0])
    return bool((left == right)[inside].mean() >= _EVEN)
