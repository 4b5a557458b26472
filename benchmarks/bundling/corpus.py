"""What a bundled autoencoder sees: images of its domain at two sizes, cut into random crops."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.bundling.dead_leaves import draw_dead_leaves
from vaescreen.images import open_data
from vaescreen.images.phantoms import ANATOMIES, generate

Domain = Literal["medical", "generic"]
DOMAINS: tuple[Domain, ...] = get_args(Domain)

SIZES = (256, 128)
CROP = 64
PHANTOMS_EACH = 100
DEAD_LEAVES = 900
_LEAVES = {"train": (0, DEAD_LEAVES), "val": (1_000_000, 100), "test": (2_000_000, 100)}
"""First index and number of the dead-leaves images of a split."""


class Corpus:
    """Training crops of a domain.

    `medical`: the train split of real chest X-rays, and as many generated chest, brain and knee phantoms as make
    about a third of the whole. `generic`: generated dead-leaves images. Every image is there at both `SIZES`, so
    that the autoencoder serves coarse and fine pixels alike.

    Parameters
    ----------
    domain
        "medical" or "generic".
    chest
        Folder of the real chest X-rays; only the medical domain reads it.

    Raises
    ------
    DataError
        If the folder is not a usable data set.
    """

    def __init__(self, domain: Domain, chest: Path) -> None:
        self.domain = domain
        self.chest = chest
        self._images = {size: np.concatenate(list(self._train(size))) for size in SIZES}
        self.description = self._describe()

    def batch(self, step: int, count: int, seed: int) -> Tensor:
        """Crops `[count, 1, CROP, CROP]` in [-1, 1]; the same for the same step and seed, whatever came before."""
        rng = np.random.default_rng([seed, step])
        crops = []
        for _ in range(count):
            images = self._images[SIZES[rng.integers(len(SIZES))]]
            image = images[rng.integers(len(images))]
            top, left = rng.integers(0, image.shape[-1] - CROP + 1, 2)
            crop = image[top : top + CROP, left : left + CROP]
            crops.append(crop[:, ::-1] if rng.uniform() < 0.5 else crop)
        return _signed(np.stack(crops))

    def sample(self, size: int, count: int) -> Tensor:
        """Evenly spread training images `[count, 1, size, size]` in [-1, 1]."""
        images = self._images[size]
        return _signed(images[np.linspace(0, len(images) - 1, count).astype(int)])

    def _describe(self) -> dict[str, object]:
        described: dict[str, object] = {"domain": self.domain, "sizes": SIZES, "crop": CROP}
        if self.domain == "generic":
            return described | {"dead_leaves": DEAD_LEAVES}
        data = open_data(str(self.chest), size=SIZES[0])
        return described | {
            "real": {"name": data.name, "split": "train", "images": len(data.ids("train"))}
            | {"fingerprint": data.fingerprint},
            "phantoms": dict.fromkeys(ANATOMIES, PHANTOMS_EACH),
        }

    def _train(self, size: int) -> Iterator[NDArray[np.float32]]:
        yield from _judged(self.domain, self.chest, "train", size)
        if self.domain == "medical":
            for anatomy in ANATOMIES:
                yield np.stack([generate(anatomy, index, size) for index in range(PHANTOMS_EACH)])


def domain_images(domain: Domain, chest: Path, split: str, size: int) -> Tensor:
    """The images by which a domain is judged, `[N, 1, size, size]` in [0, 1]: real chest X-rays, or dead leaves.

    Those of `split` "val" and "test" are never trained on.
    """
    return torch.from_numpy(np.concatenate(list(_judged(domain, chest, split, size)))).unsqueeze(1)


def _judged(domain: Domain, chest: Path, split: str, size: int) -> Iterator[NDArray[np.float32]]:
    if domain == "medical":
        for batch in open_data(str(chest), size=size).batches(split, 64):
            yield batch.images[:, 0].numpy()
    else:
        first, count = _LEAVES[split]
        yield np.stack([draw_dead_leaves(index, size) for index in range(first, first + count)])


def _signed(images: NDArray[np.float32]) -> Tensor:
    return torch.from_numpy(images).unsqueeze(1) * 2 - 1
