"""The sampler against what is known in closed form, and the network that it asks."""

import math
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from vaescreen.superres.diffusion import build_network, build_scheduler, denoise, posterior_mean, sample, walk

MU, SD = 0.7, 0.5


class OracleOf(nn.Module):
    """In the place of the network: `estimate(noisy, condition, level)`."""

    def __init__(self, estimate):
        super().__init__()
        self.estimate = estimate

    def forward(self, joined, level):
        noisy, condition = joined.chunk(2, 1)
        return SimpleNamespace(sample=self.estimate(noisy, condition, level))


class Gaussian:
    """Data of N(MU, SD^2) in each cell: the exact mean of the clean value given the noisy one."""

    def __init__(self, recipe):
        self.alphas = build_scheduler(recipe).alphas_cumprod.double()

    def __call__(self, noisy, condition, level):
        a = float(self.alphas[level])
        gain = SD**2 * math.sqrt(a) / (a * SD**2 + 1 - a)
        return MU + gain * (noisy - math.sqrt(a) * MU)


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("steps", [1, 5, 20, 100])
def test_levels_are_evenly_strided_from_the_last_one(recipe, steps):
    visited = []

    def estimate(noisy, level):
        visited.append(level)
        return torch.zeros_like(noisy)

    scheduler = build_scheduler(recipe)
    scheduler.set_timesteps(steps)
    walk(scheduler, noise(1, 1, 2, 2), estimate)
    assert visited == list(range(999, -1, -1000 // steps))


@pytest.mark.parametrize("steps", [1, 5, 20, 100])
def test_the_last_step_leaves_no_noise(recipe, steps):
    """Whatever came before, the result is the estimate at the last level visited."""
    scheduler = build_scheduler(recipe)
    scheduler.set_timesteps(steps)
    clean = noise(1, 1, 4, 4)
    last = 1000 // steps - 1
    result = walk(
        scheduler, noise(1, 1, 4, 4), lambda x, level: clean if level == last else torch.zeros_like(x)
    )
    torch.testing.assert_close(result, clean, atol=1e-6, rtol=0)


@pytest.mark.parametrize(("steps", "spread"), [(100, SD), (20, 0.924 * SD)])
def test_samples_of_a_gaussian_have_its_mean_and_spread(recipe, steps, spread):
    """Within 2 % of the SD at 100 steps; the 20 of recipe nano are so coarse that the spread is 7.6 % too small."""
    recipe = replace(recipe, sampler_steps=steps)
    empty = torch.zeros(1, 1, 400, 500)
    samples = sample(recipe, OracleOf(Gaussian(recipe)), empty, noise(*empty.shape))
    assert samples.mean() == pytest.approx(MU, abs=0.02 * SD)
    assert samples.std() == pytest.approx(spread, rel=0.02)


def test_the_posterior_mean_of_a_gaussian_is_its_mean(recipe):
    empty = torch.zeros(1, 1, 40, 50)
    mean = posterior_mean(recipe, OracleOf(Gaussian(recipe)), empty, noise(*empty.shape))
    torch.testing.assert_close(mean, torch.full_like(mean, MU), atol=1e-3, rtol=0)


@pytest.mark.parametrize("generate", [sample, posterior_mean])
def test_what_the_condition_decides_is_returned_exactly(recipe, generate):
    condition = noise(2, 3, 4, 4)
    oracle = OracleOf(lambda noisy, condition, level: condition)
    assert torch.equal(generate(recipe, oracle, condition, noise(2, 3, 4, 4)), condition)


def test_sampling_is_deterministic(recipe):
    torch.manual_seed(0)
    network, condition = build_network(recipe, 3).eval(), noise(2, 3, 8, 8)
    first, again = (sample(recipe, network, condition, noise(2, 3, 8, 8)) for _ in range(2))
    assert torch.equal(first, again)


def test_the_network_is_as_wide_as_the_recipe_says(recipe):
    network = build_network(replace(recipe, channels=(8, 16, 24)), 3)
    assert tuple(network.config.block_out_channels) == (8, 16, 24)
    estimate = denoise(network, noise(2, 3, 8, 8), noise(2, 3, 8, 8), torch.tensor([0, 999]))
    assert estimate.shape == (2, 3, 8, 8)
    assert estimate.dtype == torch.float32


def test_the_network_knows_condition_and_level(recipe):
    torch.manual_seed(0)
    network, x = build_network(recipe, 3).eval(), noise(1, 3, 8, 8)
    plain = denoise(network, x, torch.zeros_like(x), 10)
    assert (denoise(network, x, torch.ones_like(x), 10) - plain).abs().max() > 0.01
    assert (denoise(network, x, torch.zeros_like(x), 900) - plain).abs().max() > 0.01
