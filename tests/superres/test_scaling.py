"""The scale of latents: measured per channel, or left alone; pixels have one of their own."""

from dataclasses import replace

import pytest
import torch

from vaescreen.superres.latents import LatentPairs
from vaescreen.superres.scaling import Scale


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def raw() -> LatentPairs:
    hr = noise(20, 3, 8, 8) * torch.tensor([5.0, 1.0, 0.1])[:, None, None] + 2
    return LatentPairs(hr, hr + 0.1 * noise(20, 3, 8, 8, seed=1))


def test_standardised_latents_have_unit_channels(recipe, raw):
    scaled = Scale.of(recipe, raw).apply(raw)
    assert scaled.hr.mean((0, 2, 3)).abs().max() < 1e-5
    torch.testing.assert_close(scaled.hr.std((0, 2, 3), correction=0), torch.ones(3))


def test_the_lr_latent_is_scaled_as_the_hr_latent_is(recipe, raw):
    scale = Scale.of(recipe, raw)
    same = scale.apply(LatentPairs(raw.hr, raw.hr))
    assert torch.equal(same.hr, same.condition)


def test_no_scaling_changes_nothing(recipe, raw):
    scale = Scale.of(replace(recipe, latent_scaling="none"), raw)
    scaled = scale.apply(raw)
    assert torch.equal(scaled.hr, raw.hr)
    assert torch.equal(scaled.condition, raw.condition)


@pytest.mark.parametrize("order", [("lr-latent", "lr-pixels"), ("lr-pixels", "lr-latent")])
@pytest.mark.parametrize("scaling", ["standardised", "none"])
def test_pixels_are_standardised_by_themselves(recipe, raw, order, scaling):
    pixels = 0.3 + 0.05 * noise(20, 4, 8, 8, seed=2)
    parts = {"lr-latent": raw.condition, "lr-pixels": pixels}
    both = LatentPairs(raw.hr, torch.cat([parts[name] for name in order], 1))
    recipe = replace(recipe, conditioning=order, latent_scaling=scaling)
    told = Scale.of(recipe, both).apply(both).condition
    place = slice(3, None) if order[1] == "lr-pixels" else slice(0, 4)
    torch.testing.assert_close(told[:, place].std((0, 2, 3), correction=0), torch.ones(4))


@pytest.mark.parametrize("scaling", ["standardised", "none"])
def test_undo_gives_raw_latents_back_and_the_limit_is_the_largest_value(recipe, raw, scaling):
    scale = Scale.of(replace(recipe, latent_scaling=scaling), raw)
    scaled = scale.apply(raw).hr
    torch.testing.assert_close(scale.undo(scaled), raw.hr)
    assert scale.limit == scaled.abs().max()
