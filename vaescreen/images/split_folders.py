"""Splits by the names of folders, as data sets are unpacked: `train`, `Training`, `images/val`, `imagesTr`, ..."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from vaescreen.images.splits import split_named

_DEPTHS = (0, 1)
"""At the top, below folders that all files share, and one level deeper."""
_DECATHLON = {"imagestr": "train", "labelstr": "train", "imagests": "test", "labelsts": "test"}
_LONGER = re.compile(
    r"(?:.*[-_. ])?(?P<name>train|training|val|valid|validation|test|testing)"
    r"(?:[-_. ]?(?:images?|imgs?|data|set|hr|jpe?g|png))?\d*"
)
"""Names that only count if they name a split of every file: `DIV2K_train_HR`, `MICCAI_BraTS2020_TrainingData`."""


class Named(NamedTuple):
    """Split by file; None for files outside the folders that name one."""

    splits: dict[str, str | None]

    @property
    def found(self) -> set[str]:
        """The splits that are named."""
        return {split for split in self.splits.values() if split}


def named_by_folders(files: Sequence[str]) -> Named:
    """Find the split of every file by one of the folders it lies in.

    Parameters
    ----------
    files
        Paths relative to the data set, with forward slashes.
    """
    shared = shared_folders(files)
    folders = {file: file.split("/")[shared:-1] for file in files}
    for exact in (True, False):
        for depth in _DEPTHS:
            names = {
                file: _split(parts[depth] if len(parts) > depth else "", exact)
                for file, parts in folders.items()
            }
            if any(names.values()) and (exact or all(names.values())):
                return Named(names)
    return Named(dict.fromkeys(files))


def _split(folder: str, exact: bool) -> str | None:
    name = folder.strip().lower()
    if exact:
        return split_named(name) or _DECATHLON.get(name)
    match = _LONGER.fullmatch(name)
    return split_named(match["name"]) if match else None


def shared_folders(files: Sequence[str]) -> int:
    """How many leading folders, none of which names a split, all files share."""
    parts = [file.split("/")[:-1] for file in files]
    count = 0
    for level in zip(*parts, strict=False):
        if len(set(level)) > 1 or _split(level[0], exact=True):
            break
        count += 1
    return count
