"""Samplers against diffusers' own loops, and against a Gaussian whose posterior is known in closed form."""

import itertools
import math
from dataclasses import replace

import diffusers
import pytest
import torch

from vaescreen.superres.diffusion import Process, shifts
from vaescreen.superres.sampling import build_scheduler, posterior_mean, sample
from vaescreen.superres.variants import vary

MU, SD = 0.7, 0.5
SAMPLERS = ("ddim", "ddpm", "dpm-solver++", "euler")
SCHEDULES = ("cosine", "linear", "zero-terminal-snr")


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def sources(count: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(number) for number in range(count)]


class Posterior:
    """The exact estimate of x0 where x0 is N(MU, SD^2) given the LR image, as a network of `recipe` would say it."""

    def __init__(self, recipe):
        self.recipe, self.process = recipe, Process.of(recipe)
        self.visited: list[int] = []

    def __call__(self, noisy, level):
        self.visited.append(level)
        a, s = float(self.process.signal[level]), float(self.process.sigma[level])
        x0 = MU + SD**2 * a / (a**2 * SD**2 + s**2) * (noisy - a * MU)
        if self.recipe.objective == "x0":
            return x0
        eps = (noisy - a * x0) / s
        said = {"epsilon": eps, "v": a * eps - s * x0, "flow": eps - x0}[self.recipe.objective]
        return self.process.clean(said, noisy, torch.tensor(level), 1e3)


def moments(recipe):
    """Mean and SD of samples; one image of many independent cells."""
    cells = noise(1, 1, 200, 500)
    samples = sample(recipe, Posterior(recipe), cells, generators=sources(1))
    return samples.mean().item(), samples.std().item()


STEPS = {"ddim": 200, "euler": 200, "dpm-solver++": 100, "ddpm": 500}
"""Enough of them for 2 % of the SD: the first-order solvers need more than the second-order one, the SDE most."""


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_samples_have_mean_and_spread_of_the_posterior(recipe, sampler, schedule):
    recipe = replace(recipe, sampler=sampler, schedule=schedule, sampler_steps=STEPS[sampler])
    mean, spread = moments(recipe)
    assert mean == pytest.approx(MU, abs=0.02 * SD)
    assert spread == pytest.approx(SD, rel=0.02)


@pytest.mark.parametrize("objective", ["epsilon", "v", "flow"])
def test_every_objective_leads_to_the_same_posterior(recipe, objective):
    recipe = vary(recipe, objective=objective, sampler_steps=200)
    mean, spread = moments(recipe)
    assert mean == pytest.approx(MU, abs=0.02 * SD)
    assert spread == pytest.approx(SD, rel=0.02)


@pytest.mark.parametrize("steps", [20, 50, 200])
def test_too_few_steps_of_ddim_shrink_the_spread_by_what_its_first_order_costs(recipe, steps):
    """DDIM is Euler's method in the noise-to-signal ratio r (Song et al., 2021).

    From r to q it multiplies the deviation from the mean by 1 - (r - q) r / (SD^2 + r^2), where the exact solution
    has sqrt((SD^2 + q^2) / (SD^2 + r^2)), which is more: every step shrinks the spread a little. At 20 steps of the
    cosine schedule that makes 7.6 %, and it falls with the number of steps.
    """
    recipe = replace(recipe, sampler="ddim", sampler_steps=steps)
    process = Process.of(recipe)
    ratio = (process.sigma / process.signal).double()
    visited = [*ratio[torch.arange(999, -1, -1000 // steps)].tolist(), 0.0]
    spread = math.hypot(SD, visited[0])
    for r, q in itertools.pairwise(visited):
        spread *= 1 - (r - q) * r / (SD**2 + r**2)
    assert moments(recipe)[1] == pytest.approx(spread, rel=0.005)
    assert spread / SD == pytest.approx({20: 0.924, 50: 0.968, 200: 0.992}[steps], abs=0.003)


@pytest.mark.parametrize("steps", [1, 5, 20, 100])
@pytest.mark.parametrize("sampler", [*SAMPLERS, "flow"])
def test_levels_are_evenly_strided_from_the_last_one(recipe, sampler, steps):
    recipe = (
        vary(recipe, objective="flow", sampler_steps=steps)
        if sampler == "flow"
        else replace(recipe, sampler=sampler, sampler_steps=steps)
    )
    posterior = Posterior(recipe)
    sample(recipe, posterior, noise(1, 1, 2, 2), generators=sources(1))
    assert posterior.visited == list(range(999, -1, -1000 // steps))


@pytest.mark.parametrize("steps", [1, 5, 20, 100])
@pytest.mark.parametrize("sampler", [*SAMPLERS, "flow"])
def test_the_last_step_leaves_no_noise(recipe, sampler, steps):
    """Whatever came before, the result is the estimate at the last level visited."""
    recipe = (
        vary(recipe, objective="flow", sampler_steps=steps)
        if sampler == "flow"
        else replace(recipe, sampler=sampler, sampler_steps=steps)
    )
    clean, last = noise(1, 1, 4, 4), 1000 // steps - 1
    result = sample(
        recipe, lambda x, level: clean if level == last else 0 * x, noise(1, 1, 4, 4), generators=sources(1)
    )
    # Euler's x carries noise of SD 20291 at the last level of the cosine schedule, of which float32 keeps 7 digits.
    tolerance = 5e-3 if (sampler, steps) == ("euler", 1) else 1e-5
    torch.testing.assert_close(result, clean, atol=tolerance, rtol=0)


NATIVE = {
    "ddim": ("DDIMScheduler", {"clip_sample": False}),
    "ddpm": ("DDPMScheduler", {"clip_sample": False}),
    "dpm-solver++": ("DPMSolverMultistepScheduler", {}),
    "euler": ("EulerDiscreteScheduler", {}),
}
KINDS = {"x0": "sample", "epsilon": "epsilon", "v": "v_prediction"}


@pytest.mark.parametrize("objective", KINDS)
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_walk_is_the_one_that_diffusers_makes(recipe, sampler, objective):
    """Their scheduler is told the objective and given what the network says; ours is given x0."""
    recipe = replace(recipe, schedule="linear", sampler=sampler, objective=objective, sampler_steps=10)
    process, start = Process.of(recipe), noise(2, 1, 8, 8)

    def network(x, level):
        return torch.tanh(x.roll(1, -1) + level / 1000)

    name, options = NATIVE[sampler]
    theirs = getattr(diffusers, name)(
        1000, prediction_type=KINDS[objective], timestep_spacing="trailing", **options
    )
    theirs.set_timesteps(10)
    x = start * theirs.init_noise_sigma
    drawing = {"generator": sources(2)} if sampler == "ddpm" else {}
    for t in theirs.timesteps:
        said = network(theirs.scale_model_input(x, t), float(t))
        x = theirs.step(said, t, x, **drawing).prev_sample

    def estimate(noisy, level):
        return process.clean(network(noisy, level), noisy, torch.tensor(level), float("inf"))

    torch.testing.assert_close(
        sample(recipe, estimate, start, generators=sources(2)), x, atol=1e-5, rtol=1e-5
    )


def test_flow_is_the_walk_that_diffusers_makes(recipe):
    recipe, start = vary(recipe, objective="flow", sampler_steps=8), noise(2, 1, 8, 8)
    theirs = diffusers.FlowMatchEulerDiscreteScheduler(1000)
    theirs.set_timesteps(sigmas=[1 - step / 8 for step in range(8)])
    x = start
    for t in theirs.timesteps:
        x = theirs.step(torch.tanh(x + float(t) / 1000), t, x).prev_sample
    process = Process.of(recipe)

    def estimate(noisy, level):
        return process.clean(torch.tanh(noisy + (level + 1) / 1000), noisy, torch.tensor(level), float("inf"))

    torch.testing.assert_close(sample(recipe, estimate, start), x, atol=1e-5, rtol=1e-5)


def test_draws_on_the_way_belong_to_an_image_and_not_to_its_batch(recipe):
    recipe = replace(recipe, sampler="ddpm", sampler_steps=10)
    start, posterior = noise(3, 1, 4, 4), Posterior(recipe)
    together = sample(recipe, posterior, start, generators=sources(3))
    alone = sample(recipe, posterior, start[2:], generators=sources(3)[2:])
    torch.testing.assert_close(together[2:], alone)


@pytest.mark.parametrize("objective", ["x0", "v", "flow"])
def test_one_step_from_noise_gives_the_posterior_mean(recipe, objective):
    recipe = vary(recipe, objective=objective)
    mean = posterior_mean(recipe, Posterior(recipe), noise(1, 1, 40, 50))
    torch.testing.assert_close(mean, torch.full_like(mean, MU), atol=1e-3, rtol=0)
    sampled = sample(replace(recipe, sampler="posterior-mean"), Posterior(recipe), noise(1, 1, 40, 50))
    assert torch.equal(sampled, mean)


def test_the_truncated_walk_stops_near_the_posterior_mean(recipe):
    """The first 100 of 1000 levels: what comes out has lost nearly all of the posterior's spread."""
    recipe = replace(recipe, sampler="truncated", sampler_steps=100)
    posterior = Posterior(recipe)
    samples = sample(recipe, posterior, noise(1, 1, 400, 500))
    assert posterior.visited == list(range(999, 899, -1))
    assert samples.mean() == pytest.approx(MU, abs=0.01)
    assert samples.std() < 0.1 * SD


def test_less_noise_at_the_start_is_less_noise_in_the_end(recipe):
    plain = replace(recipe, sampler="ddim", sampler_steps=200)
    _, spread = moments(replace(plain, start_noise=0.5))
    assert spread == pytest.approx(0.5 * moments(plain)[1], rel=0.02)


def test_the_scheduler_ends_at_zero_noise_whatever_the_sampler(recipe):
    for sampler in ("euler", "dpm-solver++"):
        assert build_scheduler(replace(recipe, sampler=sampler, sampler_steps=20)).sigmas[-1] == 0


class TestResidualShift:
    """x0 is N(MU, SD^2) and the upsampled latent lies at ANCHOR: the chain's marginals are known in closed form."""

    ANCHOR = -0.4

    def estimate(self, recipe):
        process = Process.of(recipe)

        def posterior(noisy, level):
            eta, sigma = float(process.shift[level]), float(process.sigma[level])
            gain = SD**2 * (1 - eta) / ((1 - eta) ** 2 * SD**2 + sigma**2)
            return MU + gain * (noisy - (1 - eta) * MU - eta * self.ANCHOR)

        return posterior

    def test_one_step_gives_the_posterior_mean(self, recipe):
        recipe = vary(recipe, objective="residual-shift")
        cells = noise(1, 1, 40, 50)
        mean = posterior_mean(recipe, self.estimate(recipe), cells, torch.full_like(cells, self.ANCHOR))
        torch.testing.assert_close(mean, torch.full_like(mean, MU), atol=2e-3, rtol=0)

    def test_samples_have_mean_and_spread_of_the_posterior(self, recipe):
        """A longer chain than the published one, whose 15 steps shrink the spread."""
        recipe = vary(recipe, objective="residual-shift", noise_levels=1000, sampler_steps=1000)
        cells = noise(1, 1, 200, 250)
        anchor = torch.full_like(cells, self.ANCHOR)
        samples = sample(recipe, self.estimate(recipe), cells, anchor, sources(1))
        assert samples.mean() == pytest.approx(MU, abs=0.02 * SD)
        assert samples.std() == pytest.approx(SD, rel=0.03)

    def test_the_walk_is_the_published_one(self, recipe):
        """Equation 7, with eta_0 = 0, for a network whose estimate is a constant."""
        recipe = vary(recipe, objective="residual-shift")
        eta = [0.0, *shifts(15).tolist()]
        start, anchor, said = noise(1, 1, 3, 3), noise(1, 1, 3, 3, seed=1), noise(1, 1, 3, 3, seed=2)
        x, (source,) = eta[15] * anchor + 2 * math.sqrt(eta[15]) * start, sources(1)
        for t in range(15, 0, -1):
            alpha = eta[t] - eta[t - 1]
            mean = eta[t - 1] / eta[t] * x + alpha / eta[t] * said
            drawn = torch.randn(1, 3, 3, generator=source) if t > 1 else torch.zeros(1, 3, 3)
            x = mean + 2 * math.sqrt(eta[t - 1] / eta[t] * alpha) * drawn
        walked = sample(recipe, lambda noisy, level: said, start, anchor, sources(1))
        torch.testing.assert_close(walked, x, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(walked, said, atol=1e-5, rtol=1e-5)
