"""The denoising probe learns to take noise off, at every level, with the help of what it is told."""

import math

import pytest
import torch
from torch.nn import functional as F

from vaescreen.screening.probes.denoising import DenoisingProbe, fit_denoising


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def pairs():
    """Conditions, and targets of which they tell half the variance."""
    known = F.interpolate(noise(60, 1, 4, 4), scale_factor=4, mode="bilinear")
    return known, math.sqrt(0.5) * (known / known.std() + noise(60, 1, 16, 16, seed=1))


@pytest.fixture(scope="module")
def probe(pairs):
    told, target = pairs
    return fit_denoising(list(told[:50]), list(target[:50]), 4, 4, 0, steps=300)


def test_error_falls_with_the_noise_and_stays_below_that_of_the_mean(pairs, probe):
    told, target = pairs[0][50:], pairs[1][50:]
    errors = []
    for level in (0.2, 0.5, 0.8, 1.0):
        angle = level * math.pi / 2
        noisy = math.cos(angle) * target + math.sin(angle) * noise(10, 1, 16, 16, seed=2)
        errors.append(float((probe.denoise(noisy, told, level) - target).square().mean()))
    assert errors == sorted(errors)
    assert errors[0] < 0.25
    # Nothing but the condition is left to go by: half of the variance stays.
    assert 0.4 < errors[-1] < 0.75


def test_one_step_from_noise_hardly_depends_on_the_noise(pairs, probe):
    told = pairs[0][50:]
    one, other = (probe.denoise(noise(10, 1, 16, 16, seed=seed), told, 1.0) for seed in (3, 4))
    assert (one - other).square().mean() < 0.05


def test_a_sample_is_worse_than_the_mean_and_has_more_variance(pairs, probe):
    told, target = pairs[0][50:], pairs[1][50:]
    start = noise(10, 1, 16, 16, seed=3)
    mean, sample = probe.denoise(start, told, 1.0), probe.sample(told, start)
    assert (sample - target).square().mean() > (mean - target).square().mean()
    assert sample.var() > mean.var()


def test_sampler_is_ddim():
    """Where the clean latent is known, every step leads to it; diffusers' DDIM takes the same steps."""

    class Half(torch.nn.Module):
        def forward(self, x: torch.Tensor, level: torch.Tensor) -> torch.Tensor:
            return 0.5 * x[:, :1]

    start = noise(2, 1, 4, 4)
    found = DenoisingProbe(Half(), 4, torch.device("cpu")).sample(torch.zeros(2, 1, 4, 4), start)
    x = start
    for step in range(5, 0, -1):
        angle, following = (math.pi / 2 * part / 5 for part in (step, step - 1))
        epsilon = (x - math.cos(angle) * 0.5 * x) / math.sin(angle)
        x = math.cos(following) * 0.5 * x + math.sin(following) * epsilon
    torch.testing.assert_close(found, x)


def test_same_seed_same_bytes_and_global_generator_left_alone(pairs):
    told, target = list(pairs[0][:4]), list(pairs[1][:4])

    def estimate(seed: int) -> torch.Tensor:
        return fit_denoising(told, target, 4, 4, seed, steps=3).denoise(
            noise(4, 1, 16, 16), pairs[0][:4], 0.5
        )

    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    assert torch.equal(estimate(0), estimate(0))
    assert not torch.equal(estimate(0), estimate(1))
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("factor", [1, 2, 4, 8, 64])
def test_any_factor(factor):
    told, target = [noise(3, 8, 9)] * 2, [noise(1, 8, 9)] * 2
    probe = fit_denoising(told, target, 4, factor, 0, steps=1)
    assert probe.sample(told[0][None], noise(1, 1, 8, 9)).shape == (1, 1, 8, 9)
