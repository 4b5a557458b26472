"""Noise of a recipe and what its network says of it, on scaled latents: the forward process, and every objective.

At each level, x = signal * x0 + sigma * noise. Whatever the network predicts, samplers are given its estimate of
x0, so that all of them work with all objectives.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from vaescreen.superres.recipe import Recipe

_BETAS: dict[str, dict[str, Any]] = {
    "cosine": {"beta_schedule": "squaredcos_cap_v2"},
    "linear": {"beta_schedule": "linear"},
    "zero-terminal-snr": {"beta_schedule": "linear", "rescale_betas_zero_snr": True},
}


def schedule_options(recipe: Recipe) -> dict[str, Any]:
    """What diffusers' schedulers are told of the noise schedule of a recipe."""
    return {"num_train_timesteps": recipe.noise_levels, **_BETAS[recipe.schedule]}


@dataclass(frozen=True)
class Process:
    """The forward process and the objective of a recipe.

    Attributes
    ----------
    objective
        What the network predicts.
    signal, sigma
        Factors of x0 and noise at each level, `[noise_levels]`.
    """

    objective: str
    signal: Tensor
    sigma: Tensor

    @classmethod
    def of(cls, recipe: Recipe, device: torch.device | str = "cpu") -> "Process":
        """Tables of a recipe on a device; level n of rectified flow is time (n + 1) / noise_levels."""
        if recipe.schedule == "straight":
            sigma = torch.arange(1, recipe.noise_levels + 1) / recipe.noise_levels
            return cls(recipe.objective, (1 - sigma).to(device), sigma.to(device))
        from diffusers import DDIMScheduler

        alphas = DDIMScheduler(**schedule_options(recipe)).alphas_cumprod
        return cls(recipe.objective, alphas.sqrt().to(device), (1 - alphas).sqrt().to(device))

    def noised(self, clean: Tensor, noise: Tensor, level: Tensor) -> Tensor:
        """Noisy latents `[B, C, h, w]` at levels `[B]`; nothing at all for regression."""
        if self.objective == "regression":
            return torch.zeros_like(clean)
        return _of(self.signal, level, clean) * clean + _of(self.sigma, level, clean) * noise

    def target(self, clean: Tensor, noise: Tensor, level: Tensor) -> Tensor:
        """What the network should say of the latents that `noised` gives."""
        match self.objective:
            case "x0" | "regression":
                return clean
            case "epsilon":
                return noise
            case "v":
                return _of(self.signal, level, clean) * noise - _of(self.sigma, level, clean) * clean
            case _:
                return noise - clean

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
            case "x0" | "regression":
                return prediction
            case "epsilon":
                signal, sigma = _of(self.signal, level, noisy), _of(self.sigma, level, noisy)
                return ((noisy - sigma * prediction) / signal).clamp(-limit, limit)
            case "v":
                return _of(self.signal, level, noisy) * noisy - _of(self.sigma, level, noisy) * prediction
            case _:
                return noisy - _of(self.sigma, level, noisy) * prediction


def predict(network: Any, noisy: Tensor, condition: Tensor, level: Tensor, precision: str) -> Tensor:
    """What the network says, float32; it runs in mixed precision where the recipe asks for bfloat16."""
    joined = torch.cat([noisy, condition], 1).contiguous(memory_format=torch.channels_last)
    with torch.autocast(noisy.device.type, torch.bfloat16, enabled=precision == "bfloat16"):
        said: Tensor = network(joined, level).sample
    return said.float().contiguous()


def _of(table: Tensor, level: Tensor, like: Tensor) -> Tensor:
    return table[level].reshape(-1, *(1,) * (like.ndim - 1))
