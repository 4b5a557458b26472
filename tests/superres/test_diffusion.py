"""The forward process and what each objective says of it, against diffusers' own schedulers."""

import math
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from diffusers import DDIMScheduler, DDPMScheduler, FlowMatchEulerDiscreteScheduler
from torch import nn

from vaescreen.superres.diffusion import Process, predict, shifts
from vaescreen.superres.variants import vary

SCHEDULES = {
    "cosine": {"beta_schedule": "squaredcos_cap_v2"},
    "linear": {"beta_schedule": "linear", "beta_start": 1e-4, "beta_end": 0.02},
    "zero-terminal-snr": {"beta_schedule": "linear", "rescale_betas_zero_snr": True},
}
LEVELS = torch.tensor([0, 1, 250, 500, 998, 999])
UNBOUNDED = float("inf")


def noise(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


COMBINATIONS = [
    (schedule, objective)
    for schedule in SCHEDULES
    for objective in ("x0", "v", "epsilon")
    if (schedule, objective) != ("zero-terminal-snr", "epsilon")
]


@pytest.fixture(params=COMBINATIONS, ids="-".join)
def setting(request, recipe):
    schedule, objective = request.param
    return replace(recipe, schedule=schedule, objective=objective)


def test_noise_is_added_as_diffusers_does(setting):
    clean, added = noise(0, 6, 2, 4, 4), noise(1, 6, 2, 4, 4)
    expected = DDPMScheduler(1000, **SCHEDULES[setting.schedule]).add_noise(clean, added, LEVELS)
    torch.testing.assert_close(
        Process.of(setting).noised(clean, None, added, LEVELS), expected, atol=1e-5, rtol=0
    )


def test_targets_are_those_of_diffusers(setting):
    clean, added = noise(0, 6, 2, 4, 4), noise(1, 6, 2, 4, 4)
    scheduler = DDPMScheduler(1000, **SCHEDULES[setting.schedule])
    expected = {
        "x0": clean,
        "epsilon": added,
        "v": scheduler.get_velocity(clean, added, LEVELS),
    }
    target = Process.of(setting).target(clean, added, LEVELS)
    torch.testing.assert_close(target, expected[setting.objective], atol=1e-5, rtol=0)


@pytest.mark.parametrize("level", [0, 250, 500, 900])
def test_estimates_of_x0_are_those_of_diffusers(setting, level):
    names = {"x0": "sample", "epsilon": "epsilon", "v": "v_prediction"}
    scheduler = DDIMScheduler(
        1000, **SCHEDULES[setting.schedule], prediction_type=names[setting.objective], clip_sample=False
    )
    scheduler.set_timesteps(1000)
    said, noisy = noise(2, 3, 2, 4, 4), noise(3, 3, 2, 4, 4)
    expected = scheduler.step(said, level, noisy).pred_original_sample
    estimate = Process.of(setting).clean(said, noisy, torch.tensor(level), UNBOUNDED)
    torch.testing.assert_close(estimate, expected, atol=1e-5, rtol=1e-5)


def test_what_the_network_should_say_gives_x0_back(setting):
    """Up to rounding, which epsilon magnifies by the inverse of the signal: those levels are left out."""
    process = Process.of(setting)
    levels = LEVELS[:4]
    clean, added = noise(0, 4, 2, 4, 4), noise(1, 4, 2, 4, 4)
    noisy, target = process.noised(clean, None, added, levels), process.target(clean, added, levels)
    torch.testing.assert_close(process.clean(target, noisy, levels, UNBOUNDED), clean, atol=1e-5, rtol=0)


class TestFlow:
    @pytest.fixture
    def process(self, recipe):
        return Process.of(vary(recipe, objective="flow"))

    def test_noise_is_added_as_diffusers_does(self, process):
        clean, added = noise(0, 6, 2, 4, 4), noise(1, 6, 2, 4, 4)
        scheduler = FlowMatchEulerDiscreteScheduler(1000)
        times = scheduler.timesteps.flip(0)[LEVELS]
        expected = scheduler.scale_noise(clean, times, added)
        torch.testing.assert_close(process.noised(clean, None, added, LEVELS), expected, atol=1e-5, rtol=0)

    def test_the_target_is_the_slope_of_the_straight_line(self, process):
        clean, added = noise(0, 2, 2, 4, 4), noise(1, 2, 2, 4, 4)
        early, late = (process.noised(clean, None, added, torch.tensor([n, n])) for n in (249, 749))
        slope = (late - early) / 0.5
        torch.testing.assert_close(process.target(clean, added, LEVELS[:2]), slope, atol=1e-5, rtol=0)

    def test_it_gives_x0_back(self, process):
        clean, added = noise(0, 6, 2, 4, 4), noise(1, 6, 2, 4, 4)
        noisy, target = process.noised(clean, None, added, LEVELS), process.target(clean, added, LEVELS)
        torch.testing.assert_close(process.clean(target, noisy, LEVELS, UNBOUNDED), clean, atol=1e-5, rtol=0)


def test_epsilon_is_bounded_where_it_says_little_of_x0(recipe):
    process = Process.of(replace(recipe, objective="epsilon"))
    wrong, noisy = 0.9 * noise(0, 1, 1, 4, 4), noise(0, 1, 1, 4, 4)
    assert process.clean(wrong, noisy, torch.tensor(999), UNBOUNDED).abs().max() > 1000
    assert process.clean(wrong, noisy, torch.tensor(999), 4.0).abs().max() == 4


class Scaled(nn.Module):
    """The joined input times a weight, and the type it is multiplied in."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 4, bias=False)
        self.types = []

    def forward(self, joined, level):
        said = self.layer(joined)
        self.types.append(said.dtype)
        return SimpleNamespace(sample=said)


def test_the_precision_is_that_of_the_recipe():
    network, x = Scaled(), noise(0, 1, 1, 4, 4)
    for precision in ("bfloat16", "float32"):
        said = predict(network, x, x, torch.tensor(0), precision)
        assert said.dtype == torch.float32
    assert network.types == [torch.bfloat16, torch.float32]


class TestResidualShift:
    """ResShift (Yue et al., NeurIPS 2023): its equations and the schedule of its section 2.3, written out here."""

    @pytest.fixture
    def process(self, recipe):
        return Process.of(vary(recipe, objective="residual-shift"))

    def test_the_shifts_are_the_published_ones(self):
        """T = 15, kappa = 2, p = 0.3: sqrt(eta_t) = sqrt(eta_1) b0^beta_t, beta_t = ((t-1)/(T-1))^p (T-1)."""
        first, last, steps = min((0.04 / 2) ** 2, 0.001), 0.999, 15
        b0 = math.exp(math.log(last / first) / (2 * (steps - 1)))
        expected = [
            (math.sqrt(first) * b0 ** (((t - 1) / (steps - 1)) ** 0.3 * (steps - 1))) ** 2
            for t in range(1, steps + 1)
        ]
        assert shifts(15).tolist() == pytest.approx(expected, rel=1e-12)
        assert (shifts(15)[0].item(), shifts(15)[-1].item()) == pytest.approx((4e-4, 0.999), rel=1e-12)

    def test_noise_comes_with_the_shift(self, process):
        clean, anchor, added = (noise(seed, 3, 2, 4, 4) for seed in (0, 1, 2))
        levels = torch.tensor([0, 7, 14])
        eta = shifts(15).float()[levels][:, None, None, None]
        expected = clean + eta * (anchor - clean) + 2 * eta.sqrt() * added
        torch.testing.assert_close(process.noised(clean, anchor, added, levels), expected)

    def test_sampling_starts_where_the_chain_ends(self, process):
        anchor, added = noise(1, 1, 2, 4, 4), noise(2, 1, 2, 4, 4)
        expected = 0.999 * anchor + 2 * math.sqrt(0.999) * added
        torch.testing.assert_close(process.start(added, anchor), expected)

    def test_the_network_is_shown_unit_variance(self, process):
        clean, added = noise(0, 500, 2, 8, 8), noise(2, 500, 2, 8, 8)
        for level in (0, 7, 14):
            levels = torch.full((500,), level)
            shown = process.inputs(process.noised(clean, clean, added, levels), levels)
            assert shown.std() == pytest.approx(1, abs=0.02)

    def test_x0_is_what_the_network_says(self, process):
        clean, added = noise(0, 1, 2, 4, 4), noise(1, 1, 2, 4, 4)
        assert torch.equal(process.target(clean, added, LEVELS[:1]), clean)
        assert torch.equal(process.clean(clean, added, LEVELS[0], UNBOUNDED), clean)


def test_the_wiener_estimate_is_the_best_linear_one(recipe):
    """Least squares of x0 on noisy latents, at each level; nothing is shown where nothing is left."""
    process = Process.of(replace(recipe, preconditioning="wiener"))
    clean, added = noise(0, 1, 1, 300, 300), noise(1, 1, 1, 300, 300)
    for level in (50, 500, 900):
        at = torch.tensor([level])
        noisy = process.noised(clean, None, added, at)
        slope = float((noisy * clean).sum() / noisy.square().sum())
        torch.testing.assert_close(process.inputs(noisy, at), slope * noisy, atol=0.02, rtol=0)
    assert process.inputs(added, torch.tensor(999)).abs().max() < 1e-3
