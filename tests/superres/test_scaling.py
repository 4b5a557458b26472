"""The scale of latents: measured per channel, or left alone; pixels have one of their own."""

from dataclasses import replace

import pytest
import torch

from vaescreen.superres.latents import LatentPairs
from vaescreen.superres.recipes import Recipe
from vaescreen.superres.scaling import Scale


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def recipe(recipe) -> Recipe:
    return replace(recipe, conditioning=("lr-latent",), target="latent")


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
    torch.testing.assert_close(scale.undo(scaled, raw.condition), raw.hr)
    assert scale.limit == scaled.abs().max()


class TestResidual:
    @pytest.fixture(
        params=[("upsampled-latent",), ("lr-pixels", "upsampled-latent"), ("upsampled-latent", "lr-pixels")]
    )
    def recipe(self, recipe, request) -> Recipe:
        return replace(recipe, conditioning=request.param, target="residual")

    @pytest.fixture
    def told(self, recipe, raw) -> LatentPairs:
        parts = {"upsampled-latent": raw.condition, "lr-pixels": noise(20, 4, 8, 8, seed=2)}
        return LatentPairs(raw.hr, torch.cat([parts[name] for name in recipe.conditioning], 1))

    def test_what_is_generated_is_the_step_from_the_upsampled_latent(self, recipe, raw, told):
        step = raw.hr - raw.condition
        expected = (step - step.mean((0, 2, 3), keepdim=True)) / step.std(
            (0, 2, 3), correction=0, keepdim=True
        )
        torch.testing.assert_close(Scale.of(recipe, told).apply(told).hr, expected, atol=1e-4, rtol=0)

    def test_undo_adds_it_to_the_upsampled_latent(self, recipe, raw, told):
        scale = Scale.of(recipe, told)
        torch.testing.assert_close(scale.undo(scale.apply(told).hr, told.condition), raw.hr)

    def test_latents_ten_times_as_large_are_the_same_task(self, recipe, raw, told):
        pixels = [slice(0, 0), slice(0, 4), slice(3, 7)][
            [
                ("upsampled-latent",),
                ("lr-pixels", "upsampled-latent"),
                ("upsampled-latent", "lr-pixels"),
            ].index(recipe.conditioning)
        ]
        ten = LatentPairs(10 * told.hr, 10 * told.condition)
        ten.condition[:, pixels] = told.condition[:, pixels]
        one, other = Scale.of(recipe, told).apply(told), Scale.of(recipe, ten).apply(ten)
        torch.testing.assert_close(other.hr, one.hr, atol=1e-4, rtol=0)
        torch.testing.assert_close(other.condition, one.condition, atol=1e-4, rtol=0)
