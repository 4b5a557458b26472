"""Images in memory, entries of a registry, and autoencoders whose behaviour is known."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from vaescreen.autoencoders.contract import Geometry
from vaescreen.images import DataSet
from vaescreen.images.dataset import Item
from vaescreen.images.degradation import Degradation
from vaescreen.images.phantoms import generate
from vaescreen.images.pixels import Picture
from vaescreen.registry.candidate import Candidate
from vaescreen.screening.view import View

SIZE = 32


class MemorySource:
    """A source of given images; every second image shares its patient with the one before."""

    kind: Literal["real", "phantom"] = "real"
    unusable = left_out = passed_over = ()

    def __init__(self, splits: dict[str, Sequence[np.ndarray]], reverse: bool = False) -> None:
        self._pixels = {f"{split}-{i:02d}": p for split, all_ in splits.items() for i, p in enumerate(all_)}
        items = [
            Item(id=name, patient=f"{name[:-2]}{int(name[-2:]) // 2}", split=name[:-3], key=name)
            for name in self._pixels
        ]
        self.items = tuple(reversed(items) if reverse else items)
        self.description: dict[str, Any] = {"source": "memory"}
        self.origin: dict[str, Any] = {}

    def load(self, item: Item) -> Picture:
        return Picture(self._pixels[str(item.key)])

    def stamps(self) -> list[Any]:
        return [[name, float(pixels.sum())] for name, pixels in self._pixels.items()]


class Fake:
    """Encodes by average pooling, decodes by repetition; counts what it is asked, and can be told to fail."""

    def __init__(
        self,
        *,
        factor: int = 1,
        gain: float = 1.0,
        fingerprint: str = "fake-fingerprint",
        spoil: Callable[[Tensor], Tensor] | None = None,
        most: int = 1000,
    ) -> None:
        self.geometry = Geometry(1, factor)
        self.fingerprint = fingerprint
        self.encoded = self.decoded = 0
        self._gain, self._spoil, self._most = gain, spoil, most

    def encode(self, images: Tensor) -> Tensor:
        self._use_memory(images)
        self.encoded += len(images)
        return self._gain * F.avg_pool2d(images, self.geometry.factor, ceil_mode=True)

    def decode(self, latents: Tensor, size: tuple[int, int]) -> Tensor:
        self._use_memory(latents)
        self.decoded += len(latents)
        images = (latents / self._gain).clamp(0, 1)
        for dim in (2, 3):
            images = images.repeat_interleave(self.geometry.factor, dim=dim)
        images = images[..., : size[0], : size[1]]
        return self._spoil(images) if self._spoil else images

    def _use_memory(self, batch: Tensor) -> None:
        if len(batch) > self._most:
            raise torch.OutOfMemoryError(f"{len(batch)} images are more than {self._most}")


@pytest.fixture(scope="session")
def fake() -> type[Fake]:
    return Fake


@pytest.fixture(scope="session")
def view() -> View:
    return View(SIZE, Degradation("lanczos", 4))


@pytest.fixture(scope="session")
def entry() -> Callable[..., Candidate]:
    def make(name: str = "mine", *, basis: str = "dct", channels: int = 3, factor: int = 4) -> Candidate:
        return Candidate.model_validate(
            {
                "name": name,
                "adapter": "linear",
                "source": {"basis": basis},
                "geometry": {"channels": channels, "factor": factor},
                "domain": "none",
                "family": "test",
                "licence": "Apache-2.0",
                "training_data": "none",
            }
        )

    return make


@pytest.fixture(scope="session")
def pixels() -> dict[str, list[np.ndarray]]:
    """Phantoms: 6 to train on, 5 to test on."""
    return {
        "train": [generate("chest", i, SIZE) for i in range(6)],
        "test": [generate("chest", i, SIZE) for i in range(100, 105)],
    }


@pytest.fixture(scope="session")
def dataset(
    pixels: dict[str, list[np.ndarray]], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., DataSet]:
    def make(*, reverse: bool = False, **splits: Sequence[np.ndarray]) -> DataSet:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("VAESCREEN_CACHE", str(tmp_path_factory.mktemp("cache")))
            return DataSet("memory", MemorySource(pixels | splits, reverse), size=SIZE, seed=0, limits={})

    return make
