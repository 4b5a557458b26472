"""Crops, levels and noise of one step."""

import itertools
from dataclasses import replace

import pytest
import torch

from vaescreen.images.degradation import Degradation
from vaescreen.superres.diffusion import KAPPA, Process, shifts
from vaescreen.superres.draws import crop_cells, draw
from vaescreen.superres.latents import LatentPairs
from vaescreen.superres.recipes import Recipe
from vaescreen.superres.variants import vary


@pytest.fixture
def recipe(recipe) -> Recipe:
    return replace(recipe, conditioning=("lr-latent",), target="latent")


@pytest.fixture
def pairs() -> LatentPairs:
    condition = torch.randn(6, 2, 8, 8, generator=torch.Generator().manual_seed(0))
    return LatentPairs(condition.flip(1).contiguous(), condition)


def drawn(recipe, pairs, *, seed=0, step=0, cells=4, share=slice(None)):
    return draw(recipe, Process.of(recipe), pairs, cells, seed=seed, step=step, share=share)


def test_noise_is_of_unit_variance_and_added_at_the_level(recipe, pairs):
    recipe = replace(recipe, samples=10**6, batch=500)
    examples = drawn(recipe, pairs)
    process = Process.of(recipe)
    signal, sigma = (table[examples.level][:, None, None, None] for table in (process.signal, process.sigma))
    noise = (examples.noisy - signal * examples.target) / sigma
    high = examples.level > 300
    assert noise[high].std() == pytest.approx(1, abs=0.02)
    assert noise[high].mean() == pytest.approx(0, abs=0.02)


def test_levels_are_uniform_over_all(recipe, pairs):
    level = drawn(replace(recipe, samples=10**6, batch=20_000), pairs).level
    assert level.min() == 0
    assert level.max() == 999
    assert level.float().mean() == pytest.approx(499.5, abs=8)


def test_latent_and_condition_are_cut_in_the_same_place_of_the_same_image(recipe, pairs):
    examples = drawn(replace(recipe, samples=10**6, batch=50), pairs)
    assert examples.target.shape == (50, 2, 4, 4)
    assert torch.equal(examples.target, examples.condition.flip(1))


def test_crops_are_of_every_image_and_begin_at_every_lr_cell(recipe):
    number, down, right = torch.meshgrid(
        torch.arange(2.0), torch.arange(12.0), torch.arange(12.0), indexing="ij"
    )
    latents = torch.stack([number, down, right], 1)
    crops = drawn(replace(recipe, samples=10**6, batch=500), LatentPairs(latents, latents)).target
    begin = {tuple(corner) for corner in crops[..., 0, 0].tolist()}
    assert begin == set(itertools.product((0, 1), (0, 4, 8), (0, 4, 8)))
    assert torch.equal(crops[..., 1:, 1:][:, 1:] - crops[..., :-1, :-1][:, 1:], torch.ones(500, 2, 3, 3))


def test_seed_and_step_decide_them(recipe, pairs):
    first = drawn(recipe, pairs, seed=1, step=2).noisy
    assert torch.equal(drawn(recipe, pairs, seed=1, step=2).noisy, first)
    for other in ({"seed": 2, "step": 2}, {"seed": 1, "step": 3}):
        assert not torch.equal(drawn(recipe, pairs, **other).noisy, first)


def test_shares_make_up_the_batch(recipe, pairs):
    recipe = replace(recipe, samples=10**6, batch=6)
    whole = drawn(recipe, pairs)
    parts = [drawn(recipe, pairs, share=slice(begin, begin + 2)) for begin in (0, 2, 4)]
    for name in ("noisy", "condition", "target", "level"):
        assert torch.equal(torch.cat([getattr(part, name) for part in parts]), getattr(whole, name))


@pytest.mark.parametrize(
    ("factor", "image_cells", "cells"), [(4, 32, 16), (8, 16, 8), (16, 8, 4), (32, 4, 4), (64, 2, 2)]
)
def test_a_crop_holds_an_lr_cell_and_no_more_than_the_image(recipe, factor, image_cells, cells):
    recipe = replace(recipe, size=128, crop=64, degradation=Degradation("lanczos", 4))
    assert crop_cells(recipe, factor, image_cells) == cells


def test_residual_shift_is_drawn_between_the_latent_and_the_upsampled_one(recipe, pairs):
    recipe = vary(replace(recipe, conditioning=("upsampled-latent",)), objective="residual-shift")
    examples = drawn(replace(recipe, samples=10**6, batch=500), pairs)
    eta = shifts(15).float()[examples.level][:, None, None, None]
    shown = examples.noisy * (1 + KAPPA**2 * eta).sqrt()
    noise = (shown - examples.target - eta * (examples.condition - examples.target)) / (KAPPA * eta.sqrt())
    assert noise.std() == pytest.approx(1, abs=0.03)
    assert noise.mean() == pytest.approx(0, abs=0.03)
