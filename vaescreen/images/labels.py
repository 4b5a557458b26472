"""What is no picture though it lies among pictures: label maps, by where they lie and by what they hold."""

import re
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from vaescreen.images.pixels import FloatImage
from vaescreen.images.reading import Window

LABELS = "label map"

_FOLDERS = re.compile(
    r"(?:labels?|masks?|segs?|segmentations?|annotations?|ground_?truths?|gts?)(?:_?(?:tr|ts|train|test|val|valid))?",
    re.IGNORECASE,
)
_WORD = r"(?:seg|segmentation|mask|label|labels|labelmap|gt|groundtruth|ground_truth|annotation|aseg|aparc\+aseg|dseg)"
_STEM = re.compile(rf"(?:.*[-_. ])?{_WORD}(?:[-_. ]?\d+)?", re.IGNORECASE)
_MARK = re.compile(rf"[-_. ]{_WORD}(?=[-_. ]?\d*$)", re.IGNORECASE)
_FEW, _SOME = 8, 64
"""Distinct values of what is always, and of what may be, a label map."""
_SAMPLE = 1024
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
    return _STEM.fullmatch(stem) is not None or any(map(_FOLDERS.fullmatch, PurePosixPath(file).parts[:-1]))


def image_stem(stem: str) -> str:
    """Name of the image that a label map's name is made from."""
    return _MARK.sub("", stem)


def is_label_map(values: NDArray[np.generic] | FloatImage, window: Window) -> bool:
    """Whether an image or a volume holds a few distinct values in areas, as label maps do.

    Parameters
    ----------
    values
        Stored or measured values, [H, W] or [S, H, W], or gray that is proportional to them.
    window
        What made them gray: one that clips leaves too little to tell by.
    """
    if window.kind not in {"file", "full", "measured"}:
        return False
    flat = values.reshape(-1)
    sample = flat[:: max(flat.size // _SAMPLE, 1)]
    if len(np.unique(sample)) > _SOME:
        return False
    distinct = np.unique(flat)
    if len(distinct) <= _FEW:
        return True
    if len(distinct) > _SOME:
        return False
    left, right = values[..., :-1], values[..., 1:]
    inside = (left != distinct[0]) | (right != distinct[0])
    return bool((left == right)[inside].mean() >= _EVEN)
