"""Noise of a recipe and what its network says of it, on scaled latents: the forward process, and every objective.

At each level, x = signal * x0 + shift * anchor + sigma * noise, where the anchor is the latent of the upsampled image;
only residual-shift has a shift. Whatever the network predicts, samplers are given its estimate of x0, so that all of
them work with all objectives.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from vaescreen.superres.recipe import Recipe

KAPPA = 2.0
"""Strength of the noise in residual-shift, as published: on latents of unit variance."""
_POWER, _LAST_SHIFT = 0.3, 0.999
_BETAS: dict[str, dict[str, Any]] = {
    "cosine": {"beta_schedule": "squaredcos_cap_v2"},
    "linear": {"beta_schedule": "linear"},
    "zero-terminal-snr": {"beta_schedule": "linear", "rescale_betas_zero_snr": True},
}


def schedule_options(recipe: Recipe) -> dict[str, Any]:
    """What diffusers' schedulers are told of the noise schedule of a recipe."""
    return {"num_train_timesteps": recipe.noise_levels, **_BETAS[recipe.schedule]}


def shifts(levels: int) -> Tensor:
    """Shares eta of the way from the HR latent to the upsampled one, by level, `[levels]`, float64.

    The square roots grow geometrically, with exponents that follow a power of the level, from the least of 0.001 and
    (0.04 / kappa)^2 to 0.999 (ResShift, Yue et al., NeurIPS 2023, section 2.3).
    """
    first = min(0.001, (0.04 / KAPPA) ** 2)
    if levels == 1:
        return torch.tensor([_LAST_SHIFT], dtype=torch.float64)
    place = torch.linspace(0, 1, levels, dtype=torch.float64) ** _POWER
    return first * (_LAST_SHIFT / first) ** place


@dataclass(frozen=True)
class Process:
    """The forward process and the objective of a recipe.

    Attributes
    ----------
    objective, preconditioning
        What the network predicts, and what it is shown.
    signal, shift, sigma
        Factors of x0, anchor and noise at each level, `[noise_levels]`.
    """

    objective: str
    preconditioning: str
    signal: Tensor
    shift: Tensor
    sigma: Tensor

    @classmethod
    def of(cls, recipe: Recipe, device: torch.device | str = "cpu") -> "Process":
        """Tables of a recipe on a device; level n of rectified flow is time (n + 1) / noise_levels."""
        return _process(recipe, torch.device(device))

    def noised(self, clean: Tensor, anchor: Tensor | None, noise: Tensor, level: Tensor) -> Tensor:
        """Noisy latents `[B, C, h, w]` at levels `[B]`; nothing at all for regression."""
        if self.objective == "regression":
            return torch.zeros_like(clean)
        noisy = _of(self.signal, level, clean) * clean + _of(self.sigma, level, clean) * noise
        return noisy if anchor is None else noisy + _of(self.shift, level, clean) * anchor

    def start(self, noise: Tensor, anchor: Tensor | None) -> Tensor:
        """Where sampling starts, given unit noise: no x0 is left at the last level, or as good as none."""
        if anchor is None or self.objective != "residual-shift":
            return noise
        return self.shift[-1] * anchor + self.sigma[-1] * noise

    def inputs(self, noisy: Tensor, level: Tensor) -> Tensor:
        """What the network is shown of noisy latents `[B, C, h, w]`, where x0 has unit variance.

        With `wiener` their best linear estimate of x0, signal / (signal^2 + sigma^2) times them (Wiener, 1949).
        """
        signal, sigma = _of(self.signal, level, noisy), _of(self.sigma, level, noisy)
        if self.preconditioning == "wiener":
            return noisy * signal / (signal.square() + sigma.square())
        if self.objective == "residual-shift":
            return noisy / (1 + sigma.square()).sqrt()
        return noisy

    def target(self, clean: Tensor, noise: Tensor, level: Tensor) -> Tensor:
        """What the network should say of the latents that `noised` gives."""
        match self.objective:
            case "epsilon":
                return noise
            case "v":
                return _of(self.signal, level, clean) * noise - _of(self.sigma, level, clean) * clean
            case "flow":
                return noise - clean
            case _:
                return clean

    def clean(self, prediction: Tensor, noisy: Tensor, level: Tensor, limit: float) -> Tensor:
        """Estimate x0 from what the network says.

        Parameters
        ----------
        prediction, noisy
            `[B, C, h, w]`.
        level
            `[B]` or a single one.
        limit
            Largest value that x0 can have. It bounds what epsilon says of it: near pure noise x0 is a small
            difference divided by a smaller factor (Ho et al., 2020, clip for the same reason).
        """
        match self.objective:
            case "epsilon":
                signal, sigma = _of(self.signal, level, noisy), _of(self.sigma, level, noisy)
                return ((noisy - sigma * prediction) / signal).clamp(-limit, limit)
            case "v":
                return _of(self.signal, level, noisy) * noisy - _of(self.sigma, level, noisy) * prediction
            case "flow":
                return noisy - _of(self.sigma, level, noisy) * prediction
            case _:
                return prediction


@lru_cache(maxsize=8)
def _process(recipe: Recipe, device: torch.device) -> Process:
    """Build the tables once: sampling asks for them batch by batch."""
    signal, shift, sigma = (table.float().to(device) for table in _tables(recipe))
    return Process(recipe.objective, recipe.preconditioning, signal, shift, sigma)


def _tables(recipe: Recipe) -> tuple[Tensor, Tensor, Tensor]:
    """Factors of x0, anchor and noise at each level."""
    none = torch.zeros(recipe.noise_levels)
    if recipe.schedule == "straight":
        sigma = torch.arange(1, recipe.noise_levels + 1) / recipe.noise_levels
        return 1 - sigma, none, sigma
    if recipe.schedule == "geometric":
        eta = shifts(recipe.noise_levels)
        return 1 - eta, eta, KAPPA * eta.sqrt()
    from diffusers import DDIMScheduler

    alphas = DDIMScheduler(**schedule_options(recipe)).alphas_cumprod
    return alphas.sqrt(), none, (1 - alphas).sqrt()


def predict(network: Any, noisy: Tensor, condition: Tensor, level: Tensor, precision: str) -> Tensor:
    """What the network says, float32; it runs in mixed precision where the recipe asks for bfloat16."""
    joined = torch.cat([noisy, condition], 1).contiguous(memory_format=torch.channels_last)
    with torch.autocast(noisy.device.type, torch.bfloat16, enabled=precision == "bfloat16"):
        said: Tensor = network(joined, level).sample
    return said.float().contiguous()


def _of(table: Tensor, level: Tensor, like: Tensor) -> Tensor:
    return table[level].reshape(-1, *(1,) * (like.ndim - 1))
