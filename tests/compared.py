"""Candidates whose flaws are known, on images in memory of a few patients, and entries of a registry."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from vaescreen.autoencoders.contract import Geometry
from vaescreen.images import Batch, DataSet
from vaescreen.images.dataset import Item
from vaescreen.images.pixels import Picture
from vaescreen.ranking.comparison.measurement import Measured, measure
from vaescreen.ranking.comparison.sources import Made
from vaescreen.registry.candidate import Candidate

SIZE, PATIENTS, EACH = 48, 6, 3
ODD = {"0": (71, 66), "1": (17, 100), "2": (64, 65)}
"""Sizes of images by the last letter of their ids, where they are mixed."""


class MemorySource:
    """Waves and texture; `EACH` images a patient."""

    kind: Literal["real", "phantom"] = "real"
    unusable = left_out = passed_over = ()

    def __init__(self, reverse: bool, mixed: bool = False) -> None:
        self._mixed = mixed
        names = [("train-0", "nobody")]
        names += [(f"test-{p}{i}", f"patient-{p}") for p in range(PATIENTS) for i in range(EACH)]
        items = [Item(id=name, patient=who, split=name[: name.index("-")], key=name) for name, who in names]
        self.items = tuple(reversed(items)) if reverse else tuple(items)
        self.description: dict[str, Any] = {"source": "memory"}
        self.origin: dict[str, Any] = {}

    def load(self, item: Item) -> Picture:
        random = np.random.default_rng([ord(letter) for letter in item.id])
        height, width = ODD[item.id[-1]] if self._mixed else (SIZE, SIZE)
        rows, columns = np.mgrid[:height, :width]
        phase = random.uniform(0, 6, 3)
        image = 0.5 + 0.2 * np.sin(rows / 6 + phase[0]) * np.cos(columns / 5 + phase[1])
        image += 0.1 * np.sin((rows + columns) / 1.5 + phase[2]) + random.uniform(-0.05, 0.05, image.shape)
        return Picture(image.astype(np.float32))

    def stamps(self) -> list[Any]:
        return [[item.key, self._mixed] for item in self.items]


@dataclass
class Flawed:
    """A candidate that does something known to every image."""

    name: str
    flaw: Callable[[Tensor], Tensor]

    def make(self, batch: Batch) -> Made:
        images = self.flaw(batch.images).clamp(0, 1)
        return Made(images, images)


def noise(sd: float) -> Callable[[Tensor], Tensor]:
    """Noise that belongs to the image, whatever batch it comes in."""

    def add(images: Tensor) -> Tensor:
        seeds = [int(1e6 * float(image.double().sum()) + 1e5 * sd) % 2**31 for image in images]
        made = [np.random.default_rng(seed).normal(0, sd, images.shape[1:]) for seed in seeds]
        return images + torch.from_numpy(np.stack(made)).float()

    return add


def blur(images: Tensor) -> Tensor:
    return F.avg_pool2d(F.pad(images, (1, 1, 1, 1), mode="reflect"), 3, stride=1)


@pytest.fixture
def make_data(tmp_path, monkeypatch) -> Callable[..., DataSet]:
    monkeypatch.setenv("VAESCREEN_CACHE", str(tmp_path / "cache"))

    def make(reverse: bool = False, mixed: bool = False) -> DataSet:
        size = None if mixed else SIZE
        return DataSet("memory", MemorySource(reverse, mixed), size=size, seed=0, limits={})

    return make


@pytest.fixture
def flawed() -> type[Flawed]:
    return Flawed


@pytest.fixture
def sources() -> list[Flawed]:
    return [Flawed("good", noise(0.01)), Flawed("bad", noise(0.05)), Flawed("blurred", blur)]


@pytest.fixture(scope="session")
def measured(tmp_path_factory) -> Measured:
    """Three candidates measured once for all tests that only read."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAESCREEN_CACHE", str(tmp_path_factory.mktemp("cache")))
        data = DataSet("memory", MemorySource(reverse=False), size=SIZE, seed=0, limits={})
        candidates = [Flawed("good", noise(0.01)), Flawed("bad", noise(0.05)), Flawed("blurred", blur)]
        return measure(candidates, data)


@pytest.fixture
def entry() -> Callable[..., Candidate]:
    """Make a registry entry from a name such as `medical-f8c4`."""

    def make(name: str, family: str | None = None) -> Candidate:
        domain, _, geometry = name.partition("-")
        factor, channels = geometry.removeprefix("f").split("c")
        return Candidate.model_validate(
            {
                "name": name if family is None else f"{family}-{geometry}",
                "adapter": "bundled",
                "source": {"bundled": name},
                "geometry": Geometry(int(channels), int(factor)),
                "domain": domain,
                "family": family or f"family-{domain}",
                "licence": "Apache-2.0",
                "training_data": "none",
            }
        )

    return make
