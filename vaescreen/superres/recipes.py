"""The recipes of this package: `compact`, `standard`, `published-conditioning` and `paper`."""

import difflib
import re
from dataclasses import replace

from vaescreen.errors import RecipeError
from vaescreen.images.degradation import Degradation
from vaescreen.superres.networks import NETWORKS
from vaescreen.superres.recipe import Recipe
from vaescreen.superres.variants import vary

DEFAULT = "compact"
"""The recipe of commands that are told none."""

__all__ = ["COMPACT", "PAPER", "PUBLISHED_CONDITIONING", "RECIPES", "STANDARD", "Recipe", "recipe_named"]

COMPACT = Recipe(
    name="compact",
    version=1,
    size=128,
    degradation=Degradation("lanczos", 4),
    conditioning=("upsampled-latent", "lr-pixels"),
    latent_scaling="standardised",
    target="residual",
    mirror=True,
    objective="x0",
    preconditioning="wiener",
    schedule="cosine",
    noise_levels=1000,
    loss="l2",
    network=NETWORKS["unet-compact"],
    crop=64,
    samples=24_000,
    epochs=None,
    batch=32,
    learning_rate=2e-3,
    weight_decay=0.01,
    warm_up=100,
    clip=1.0,
    ema=0.995,
    precision="bfloat16",
    compile=False,
    sampler="ddim",
    sampler_steps=20,
    start_noise=1.0,
)
"""Two CPU cores, a few minutes a candidate; conditioned as people build SR models."""

STANDARD = replace(
    COMPACT,
    name="standard",
    size=256,
    network=NETWORKS["unet-small"],
    crop=256,
    samples=400_000,
    batch=64,
    learning_rate=5e-4,
    warm_up=500,
    ema=0.999,
    compile=True,
    sampler_steps=50,
)
"""One GPU, minutes a candidate, whole images of 256 pixels."""

PUBLISHED_CONDITIONING = replace(
    COMPACT,
    name="published-conditioning",
    conditioning=("lr-latent",),
    target="latent",
    preconditioning="none",
    network=NETWORKS["unet-nano"],
    samples=24_000,
    batch=16,
    learning_rate=1e-3,
)
"""As arXiv 2604.12152 conditions, on the latent of the small LR image: what that costs is what its points show."""

PAPER = replace(
    PUBLISHED_CONDITIONING,
    name="paper",
    size=256,
    degradation=Degradation("bicubic", 4),
    mirror=False,
    loss="l1",
    network=NETWORKS["unet-paper"],
    crop=256,
    samples=None,
    epochs=100,
    batch=8,
    learning_rate=1e-4,
    warm_up=0,
    ema=0.0,
    compile=True,
    sampler_steps=100,
)
"""The training of arXiv 2604.12152: network, objective, loss, schedule, optimiser, batch and epochs as published.

Where the published code goes wrong we differ, by switches that put each of its choices back:

- `latent_scaling="none"`: latents as the autoencoder gives them, whose scale then moves the signal-to-noise ratio;
- `sampler="truncated"`: the first T of 1000 levels, which ends near the posterior mean and is no faster schedule;
- `start_noise=0.5`: less noise at the start than the schedule assumes.

Not switches, the same for all recipes: the posterior mean of the autoencoder, never a draw from it; scores against
the true image, with the self-referential ones beside them; bfloat16 in place of float16; samples drawn with
replacement instead of shuffled epochs; the number of sampling steps is one of those published, not their default.
"""

RECIPES = {recipe.name: recipe for recipe in (COMPACT, STANDARD, PUBLISHED_CONDITIONING, PAPER)}


def recipe_named(name: str) -> Recipe:
    """Look a recipe up, or a variant by the name that `vary` gives it.

    Raises
    ------
    RecipeError
        If there is none of that name, or the variant makes no sense.
    """
    base, *changes = re.split(r"\+(?=\w+=)", name)
    if base not in RECIPES:
        near = difflib.get_close_matches(base, RECIPES, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(RECIPES)}"
        raise RecipeError(f"unknown recipe {base!r}; {hint}")
    pairs = [change.partition("=")[::2] for change in changes]
    return vary(RECIPES[base], **dict(pairs)) if pairs else RECIPES[base]
