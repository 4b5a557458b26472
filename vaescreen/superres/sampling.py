"""From noise to latents: diffusers' samplers over strided levels that end at zero noise, and two walks of our own."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from vaescreen.images.noise import draw_noise
from vaescreen.superres.diffusion import KAPPA, Process, predict, schedule_options, shifts
from vaescreen.superres.recipe import Recipe

Estimate = Callable[[Tensor, int], Tensor]
"""From noisy latents `[B, C, h, w]` and their level to an estimate of the clean ones."""

_SCHEDULERS: dict[str, tuple[str, dict[str, Any]]] = {
    "ddim": ("DDIMScheduler", {"clip_sample": False, "set_alpha_to_one": True}),
    "truncated": ("DDIMScheduler", {"clip_sample": False, "set_alpha_to_one": True}),
    "ddpm": ("DDPMScheduler", {"clip_sample": False}),
    "dpm-solver++": ("DPMSolverMultistepScheduler", {"final_sigmas_type": "zero"}),
    "euler": ("EulerDiscreteScheduler", {"final_sigmas_type": "zero"}),
}


def estimator(recipe: Recipe, network: nn.Module, condition: Tensor, limit: float) -> Estimate:
    """Ask a network for x0 (see `Process.clean` for `limit`)."""
    process = Process.of(recipe, condition.device)

    def estimate(noisy: Tensor, level: int) -> Tensor:
        at = torch.tensor(level, device=noisy.device)
        noisy = torch.zeros_like(noisy) if recipe.objective == "regression" else noisy
        said = predict(network, process.inputs(noisy, at), condition, at, recipe.precision)
        return process.clean(said, noisy, at, limit)

    return estimate


@torch.no_grad()
def sample(
    recipe: Recipe,
    estimate: Estimate,
    noise: Tensor,
    anchor: Tensor | None = None,
    generators: Sequence[torch.Generator] = (),
) -> Tensor:
    """Clean latents `[B, C, h, w]` by the recipe's sampler.

    Parameters
    ----------
    recipe
        Sampler, steps, schedule and start noise.
    estimate
        The model.
    noise
        Unit noise `[B, C, h, w]` to start from.
    anchor
        The scaled latent of the upsampled image, which residual-shift starts near.
    generators
        One an image, for the samplers that draw more noise on the way (`ddpm`, `residual-shift`).
    """
    start = noise if recipe.start_noise == 1 else recipe.start_noise * noise
    if recipe.sampler == "posterior-mean":
        return posterior_mean(recipe, estimate, start, anchor)
    if recipe.objective == "residual-shift":
        return _shifted(recipe, estimate, Process.of(recipe, noise.device).start(start, anchor), generators)
    if recipe.objective == "flow":
        return _flow(recipe, estimate, start)
    scheduler = build_scheduler(recipe)
    last = scheduler.timesteps[: recipe.sampler_steps][-1]
    x: Tensor = start * scheduler.init_noise_sigma
    for level in scheduler.timesteps:
        clean = estimate(scheduler.scale_model_input(x, level), int(level))
        if recipe.sampler == "truncated" and level == last:
            return clean
        drawing = {"generator": list(generators)} if recipe.sampler == "ddpm" else {}
        x = scheduler.step(clean, level, x, **drawing).prev_sample
    return x


@torch.no_grad()
def posterior_mean(recipe: Recipe, estimate: Estimate, noise: Tensor, anchor: Tensor | None = None) -> Tensor:
    """One step from pure noise: the mean of all clean latents that fit the condition, the PSNR-optimal output."""
    return estimate(Process.of(recipe, noise.device).start(noise, anchor), recipe.noise_levels - 1)


def build_scheduler(recipe: Recipe) -> Any:
    """Give the diffusers scheduler of a sampler, set to its levels, that takes estimates of x0.

    Levels are strided evenly from the last one down (diffusers' trailing spacing), and the step after them is to zero
    noise. `truncated` has them all.
    """
    import diffusers

    name, options = _SCHEDULERS[recipe.sampler]
    scheduler = getattr(diffusers, name)(
        **schedule_options(recipe), **options, prediction_type="sample", timestep_spacing="trailing"
    )
    scheduler.set_timesteps(recipe.noise_levels if recipe.sampler == "truncated" else recipe.sampler_steps)
    return scheduler


def _flow(recipe: Recipe, estimate: Estimate, start: Tensor) -> Tensor:
    """Euler's method on the velocity of rectified flow, from time 1 to 0 in equal steps."""
    from diffusers import FlowMatchEulerDiscreteScheduler

    scheduler = FlowMatchEulerDiscreteScheduler(num_train_timesteps=recipe.noise_levels)
    scheduler.set_timesteps(sigmas=np.linspace(1, 1 / recipe.sampler_steps, recipe.sampler_steps).tolist())
    x = start
    for time, sigma in zip(scheduler.timesteps, scheduler.sigmas[:-1], strict=True):
        velocity = (x - estimate(x, round(float(time)) - 1)) / sigma
        x = scheduler.step(velocity, time, x).prev_sample
    return x


def _shifted(recipe: Recipe, estimate: Estimate, x: Tensor, generators: Sequence[torch.Generator]) -> Tensor:
    """Walk ResShift's chain back (Yue et al., 2023, equation 7).

    With alpha_t = eta_t - eta_(t-1), x_(t-1) is normal about (eta_(t-1) x_t + alpha_t x0) / eta_t with variance
    kappa^2 alpha_t eta_(t-1) / eta_t, which is zero at the end.
    """
    eta = [0.0, *shifts(recipe.noise_levels).tolist()]
    for level in range(recipe.noise_levels, 0, -1):
        now, then = eta[level], eta[level - 1]
        x = (then * x + (now - then) * estimate(x, level - 1)) / now
        if then > 0:
            x = x + KAPPA * math.sqrt((now - then) * then / now) * draw_noise(generators, x)
    return x
