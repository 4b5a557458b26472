"""Frozen, named, versioned descriptions of an SR training: every choice that moves its outcome."""

import difflib
from dataclasses import asdict, dataclass
from typing import Any

from vaescreen.errors import ResultError
from vaescreen.images.degradation import Degradation


@dataclass(frozen=True)
class Recipe:
    """A latent-diffusion SR training and its evaluation.

    Common to all recipes: the network predicts the clean latent (x0) under a squared error; latents are
    standardised per channel on the train split; the condition is the LR image's latent, resized bilinearly to
    the size of the HR latent and concatenated to the noisy one; the noise schedule is the cosine one with
    `noise_levels` levels; sampling is deterministic DDIM over evenly strided levels that end at zero noise.

    Parameters
    ----------
    name, version
        Identity; results of unlike versions are not compared.
    size
        Side of the HR images in pixels.
    degradation
        From HR to LR.
    channels
        Channels of the `UNet2DModel` at each resolution, one block each way a resolution, without attention.
    crop
        Side in HR pixels of the random crops that the network is trained on; it is sampled on whole images.
    samples
        Training budget: crops seen. Equal for all candidates, whatever their latents cost.
    batch, learning_rate, warm_up
        AdamW with linear warm-up over `warm_up` steps and cosine decay to zero.
    ema
        Decay of the moving average of the weights, which is what is evaluated.
    noise_levels, sampler_steps
        Levels of the schedule, and how many of them DDIM visits.
    """

    name: str
    version: int
    size: int
    degradation: Degradation
    channels: tuple[int, ...]
    crop: int
    samples: int
    batch: int
    learning_rate: float
    warm_up: int
    ema: float
    noise_levels: int
    sampler_steps: int

    @property
    def steps(self) -> int:
        """Optimiser steps that use up the budget."""
        return self.samples // self.batch

    def description(self) -> dict[str, Any]:
        """All choices as JSON-able values."""
        return asdict(self) | {"channels": list(self.channels), "degradation": self.degradation.description()}


NANO = Recipe(
    name="nano",
    version=1,
    size=128,
    degradation=Degradation("lanczos", 4),
    channels=(32, 64, 64),
    crop=64,
    samples=24_000,
    batch=16,
    learning_rate=1e-3,
    warm_up=100,
    ema=0.995,
    noise_levels=1000,
    sampler_steps=20,
)

RECIPES = {recipe.name: recipe for recipe in (NANO,)}


def recipe_named(name: str) -> Recipe:
    """Look a recipe up.

    Raises
    ------
    ResultError
        If there is none of that name.
    """
    if name not in RECIPES:
        near = difflib.get_close_matches(name, RECIPES, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(RECIPES)}"
        raise ResultError(f"unknown recipe {name!r}; {hint}")
    return RECIPES[name]
