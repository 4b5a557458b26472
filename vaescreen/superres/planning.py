"""Which reference points are missing, and about how long they will take."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import NamedTuple

import torch

from vaescreen.autoencoders.contract import Geometry
from vaescreen.images.dataset import DataSet
from vaescreen.registry.candidate import Candidate
from vaescreen.storage import read_json
from vaescreen.superres.finished import finished_point
from vaescreen.superres.latents import LatentPairs
from vaescreen.superres.paths import point_files
from vaescreen.superres.recipe import Recipe
from vaescreen.superres.training import train
from vaescreen.superres.variants import vary

_TIMED_STEPS = 4


@dataclass(frozen=True)
class Missing:
    """A point that is not there, and the samples that its training takes."""

    data: str
    candidate: Candidate
    seed: int
    samples: int


class Speed(NamedTuple):
    """Samples a second in training, and where that is known from: "finished points" or "a short timing"."""

    samples_per_second: float
    source: str


def missing_points(
    candidates: Sequence[Candidate], data: DataSet, recipe: Recipe, seeds: Sequence[int], results: Path
) -> list[Missing]:
    """Points of candidates and seeds on one data set that are not there, or no longer valid.

    Raises
    ------
    CandidateError
        If a candidate is not on this machine.
    ResultError
        If a file is damaged.
    """
    samples = recipe.steps_on(len(data.ids("train"))) * recipe.batch
    return [
        Missing(data.name, candidate, seed, samples)
        for candidate in candidates
        for seed in seeds
        if finished_point(candidate, data, recipe, results, seed) is None
    ]


class Speeds:
    """How fast a recipe trains on a device, from finished points of like latents, or else measured now."""

    def __init__(self, recipe: Recipe, results: Path, device: str) -> None:
        self._recipe, self._device = recipe, device
        self._known: dict[int, list[float]] = {}
        self._timed: dict[Geometry, float] = {}
        for file in point_files(results, recipe.name):
            point = read_json(file.path)
            if point["environment"]["device"] == device:
                factor = point["geometry"]["factor"]
                self._known.setdefault(factor, []).append(point["training"]["samples_per_second"])

    def of(self, geometry: Geometry) -> Speed:
        """Give the median over finished points of the same factor, else time some steps on latents of noise."""
        known = self._known.get(geometry.factor)
        if known:
            return Speed(median(known), "finished points")
        if geometry not in self._timed:
            self._timed[geometry] = self._time(geometry)
        return Speed(self._timed[geometry], "a short timing")

    def _time(self, geometry: Geometry) -> float:
        shape = geometry.latent_shape(self._recipe.size, self._recipe.size)
        noise = torch.randn(2, *shape, generator=torch.Generator().manual_seed(0)).to(self._device)
        pixels = max(1, geometry.factor // self._recipe.degradation.scale) ** 2
        told = [pixels if part == "lr-pixels" else shape[0] for part in self._recipe.conditioning]
        condition = torch.zeros(2, sum(told), *shape[1:], device=self._device)
        short = vary(self._recipe, samples=_TIMED_STEPS * self._recipe.batch)
        with tempfile.TemporaryDirectory() as folder:
            trained = train(
                short, LatentPairs(noise, condition), geometry.factor, Path(folder) / "checkpoint"
            )
        return short.batch * _TIMED_STEPS / trained.seconds
