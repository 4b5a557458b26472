"""A named, split collection of gray images with image and patient ids, streamed at constant memory."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from vaescreen.errors import DataError
from vaescreen.images.gray_range import complaints, used
from vaescreen.images.pixels import FloatImage, Picture
from vaescreen.images.scanning import Item, OnImages, Scan, Skipped, Source, counted, ignore, scan
from vaescreen.images.splits import SPLITS

if TYPE_CHECKING:
    from torch import Tensor

IN_WORDS = {"real": "real", "phantom": "generated"}
"""The kinds of images, as titles call them."""

_NAMED = 5
"""At most so many groups of patients with the same images are named, and so many of a group."""

__all__ = ["IN_WORDS", "Batch", "DataSet", "Item", "Skipped", "Source"]


@dataclass(frozen=True)
class Batch:
    """Images of one size with their ids.

    Attributes
    ----------
    ids
        Image ids, unique within a data set.
    patients
        Patient of each image.
    images
        float32 `[B, 1, H, W]` in [0, 1].
    """

    ids: tuple[str, ...]
    patients: tuple[str, ...]
    images: "Tensor"


class DataSet:
    """Images of a source, checked once, delivered again and again.

    Opening reads every image that will be delivered: those that cannot be used are set aside in `skipped`,
    the others make up the fingerprint. The outcome is remembered in the cache until a file changes.

    Parameters
    ----------
    name
        What tables and results call the data.
    source
        Where the images come from.
    size
        Side of the images in pixels; None if they keep their own.
    seed
        Decides which images are taken where `limits` leaves some out.
    limits
        Largest number of images of a split; a split that is absent is taken whole.
    on_progress
        Called for every image that is looked at.

    Attributes
    ----------
    kind : "real" or "phantom"
    description : dict
        How the images were made and how many there are, JSON-able and without paths.
    fingerprint : str
        Hash of splits, ids, patients and pixels delivered: the same declaration on the same files gives the
        same one anywhere.
    skipped : tuple of Skipped
        Files and images that cannot be used.
    left_out : tuple of Skipped
        Those that are no pictures, such as segmentations and localizers.
    passed_over : tuple of Skipped
        Files of a folder that are no images.
    private : bool
        Whether ids are hashes, and nothing may be shown or recorded that tells whose images these are.
    warnings : tuple of str
        What makes results doubtful though all images can be used, such as patients that were not found.

    Raises
    ------
    DataError
        If more than half of the images cannot be used, or train or test ends up empty.
    """

    def __init__(
        self,
        name: str,
        source: Source,
        *,
        size: int | None,
        seed: int,
        limits: Mapping[str, int],
        on_progress: OnImages = ignore,
    ) -> None:
        result = scan(name, source, limits, seed, on_progress)
        self.name = name
        self.kind: Literal["real", "phantom"] = source.kind
        self.size = size
        self.skipped: tuple[Skipped, ...] = result.skipped
        self.left_out: tuple[Skipped, ...] = result.left_out
        self.passed_over: tuple[Skipped, ...] = source.passed_over
        self.private: bool = source.description.get("private", False)
        seen = () if self.kind == "phantom" else complaints(result.look)
        self.warnings: tuple[str, ...] = (
            *source.description.get("warnings", ()),
            *seen,
            *_copied(result),
            *_not_scored(result),
        )
        self.fingerprint: str = result.fingerprint
        self._source = source
        self._items = {split: tuple(i for i in result.items if i.split == split) for split in SPLITS}
        counts = {
            split: {"images": len(items), "patients": len({item.patient for item in items})}
            for split, items in self._items.items()
        }
        chosen = {
            "images": dict(limits),
            "rule": "whole patients in seeded order, cut at the number",
            "seed": seed,
        }
        self.description: dict[str, Any] = {
            **source.description,
            **_what_was_seen(self, result),
            "limits": chosen if limits else None,
            "counts": counts,
        }

    def ids(self, split: str) -> tuple[str, ...]:
        """Image ids of a split, in the order in which `batches` delivers them."""
        return tuple(item.id for item in self._split(split))

    def patients(self, split: str) -> tuple[str, ...]:
        """Patient of each image, aligned with `ids`."""
        return tuple(item.patient for item in self._split(split))

    @property
    def record(self) -> dict[str, Any]:
        """What result files say of the data: `name`, `kind`, `fingerprint` and `description`."""
        return {
            "name": self.name,
            "kind": self.kind,
            "fingerprint": self.fingerprint,
            "description": self.description,
        }

    def batches(self, split: str, batch_size: int, *, only: Sequence[str] | None = None) -> Iterator[Batch]:
        """Decode the images of a split on the fly; neighbours of equal size share a batch.

        Parameters
        ----------
        split
            "train", "val" or "test".
        batch_size
            Largest number of images in a batch; fewer where the size changes, and at the end.
        only
            Ids of the images that are wanted, delivered in this order; no other is decoded. All by default.

        Raises
        ------
        DataError
            If the split is unknown, or an image that was good when the data set was opened no longer is.
        """
        items: list[Item] = []
        arrays: list[FloatImage] = []
        chosen = self._split(split)
        if only is not None:
            known = {item.id: item for item in chosen}
            chosen = tuple(known[image_id] for image_id in only)
        for item in chosen:
            pixels = self._load(item).pixels
            if arrays and (len(arrays) >= batch_size or arrays[0].shape != pixels.shape):
                yield _batch(items, arrays)
                items, arrays = [], []
            items.append(item)
            arrays.append(pixels)
        if arrays:
            yield _batch(items, arrays)

    def _split(self, split: str) -> tuple[Item, ...]:
        if split not in self._items:
            raise DataError(f"unknown split {split!r}; give one of {', '.join(SPLITS)}")
        return self._items[split]

    def _load(self, item: Item) -> Picture:
        try:
            return self._source.load(item)
        except DataError as error:
            raise DataError(f"{item.key} of {self.name} changed while it was in use: {error}") from error


def _copied(result: Scan) -> Iterator[str]:
    for patients, images in result.copies[:_NAMED]:
        few = ", ".join(patients[:_NAMED]) + (
            f" and {len(patients) - _NAMED} more" if len(patients) > _NAMED else ""
        )
        yield (
            f"patients {few} have {images} image{'s' if images > 1 else ''} in common, pixel for pixel: tests count "
            "each of them as a patient; take copies out, or give them one patient_id in manifest.csv"
        )
    if len(result.copies) > _NAMED:
        yield f"{len(result.copies) - _NAMED} more groups of patients have images in common"


def _not_scored(result: Scan) -> list[str]:
    if not result.left_out:
        return []
    return [f"left out, since they are no pictures ({counted(result.left_out)}); --keep-labels takes them in"]


def _what_was_seen(data: DataSet, result: Scan) -> dict[str, Any]:
    """Gray range, warnings and what was not used, for the record of a folder; phantoms have none of these."""
    if data.kind == "phantom":
        return {}
    return {
        "warnings": list(data.warnings),
        "gray_range": list(used(result.look)),
        "left_out": dict(Counter(entry.kind for entry in data.left_out)),
        "passed_over": dict(Counter(entry.kind for entry in data.passed_over)),
    }


def _batch(items: list[Item], arrays: list[FloatImage]) -> Batch:
    import torch  # here, so that what is known of data sets can be read without waiting for it

    images = torch.from_numpy(np.stack(arrays)[:, None])
    return Batch(tuple(item.id for item in items), tuple(item.patient for item in items), images)
