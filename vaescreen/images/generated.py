"""Phantom data sets: images that the package draws itself, for a machine without data."""

from typing import Any, Literal

from vaescreen.errors import DataError
from vaescreen.images.phantoms import ANATOMIES, generate
from vaescreen.images.pixels import FloatImage, Picture
from vaescreen.images.scanning import Item, Skipped
from vaescreen.images.splits import SPLITS

PHANTOMS = tuple(f"{anatomy}-phantom" for anatomy in ANATOMIES)
COUNTS = {"train": 200, "val": 20, "test": 60}
MEMORY = 64 * 2**20
"""Bytes of drawn images that a data set keeps: drawing one takes far longer than decoding a file."""


class PhantomSource:
    """Phantoms of one anatomy, one image a patient.

    Index 0, 3, 6, ... is train, 1, 4, 7, ... val, 2, 5, 8, ... test, so that splits never share a phantom and
    an image stays the same when another number of them is asked for.

    Parameters
    ----------
    anatomy
        One of `ANATOMIES`.
    size
        Side of the images in pixels.
    seed
        Another seed gives another population.
    counts
        Number of images of each split.

    Raises
    ------
    DataError
        If the size is None.
    """

    kind: Literal["real", "phantom"] = "phantom"
    unusable: tuple[Skipped, ...] = ()
    left_out: tuple[Skipped, ...] = ()
    passed_over: tuple[Skipped, ...] = ()

    def __init__(self, anatomy: str, *, size: int | None, seed: int, counts: dict[str, int]) -> None:
        if size is None:
            raise DataError(f"{anatomy} phantoms have no native size; give one, 256 for instance")
        self._anatomy, self._size, self._seed = anatomy, size, seed
        self._drawn: dict[int, FloatImage] = {}
        indices = sorted(
            (len(SPLITS) * number + place, split)
            for place, split in enumerate(SPLITS)
            for number in range(counts[split])
        )
        names = [(f"phantom-{index + 1:04d}", split, index) for index, split in indices]
        self.origin: dict[str, Any] = {"phantom": anatomy, "size": size, "seed": seed}
        self.items = tuple(
            Item(id=name, patient=name, split=split, key=index) for name, split, index in names
        )
        self.description: dict[str, Any] = {
            "source": "phantom",
            "anatomy": anatomy,
            "size": size,
            "crop": None,
            "resize": None,
            "split_rule": "number of the phantom modulo 3",
            "patient_rule": "every image is its own patient",
            "seed": seed,
        }

    def load(self, item: Item) -> Picture:
        """Draw one phantom, or take it from memory."""
        index = int(item.key)
        if index in self._drawn:
            return Picture(self._drawn[index])
        pixels = generate(self._anatomy, index, self._size, self._seed)
        if (len(self._drawn) + 1) * pixels.nbytes <= MEMORY:
            self._drawn[index] = pixels
        return Picture(pixels)

    def stamps(self) -> list[Any]:
        """Give ids and places: `origin` and the code decide the rest."""
        return [[item.id, item.key] for item in self.items]
