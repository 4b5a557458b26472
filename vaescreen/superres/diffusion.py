"""Network, noise and sampler of a recipe, on standardised latents."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from vaescreen.superres.recipes import Recipe


def build_network(recipe: Recipe, latent_channels: int) -> nn.Module:
    """A diffusers `UNet2DModel` from noisy latent and condition `[B, 2C, h, w]` to the clean latent `[B, C, h, w]`."""
    from diffusers import UNet2DModel

    levels = len(recipe.channels)
    network: nn.Module = UNet2DModel(
        in_channels=2 * latent_channels,
        out_channels=latent_channels,
        layers_per_block=1,
        block_out_channels=recipe.channels,
        down_block_types=("DownBlock2D",) * levels,
        up_block_types=("UpBlock2D",) * levels,
        norm_num_groups=8,
        add_attention=False,
    )
    return network


def build_scheduler(recipe: Recipe) -> Any:
    """Diffusers' DDIM on the cosine schedule; trailing strides start at the last level and end at zero noise."""
    from diffusers import DDIMScheduler

    return DDIMScheduler(
        num_train_timesteps=recipe.noise_levels,
        beta_schedule="squaredcos_cap_v2",
        prediction_type="sample",
        timestep_spacing="trailing",
        set_alpha_to_one=True,
        clip_sample=False,
    )


def denoise(network: Any, noisy: Tensor, condition: Tensor, level: Tensor | int) -> Tensor:
    """The network's estimate of the clean latent, float32; the network runs in bfloat16 where that is fast."""
    joined = torch.cat([noisy, condition], 1).contiguous(memory_format=torch.channels_last)
    with torch.autocast(noisy.device.type, torch.bfloat16):
        estimate: Tensor = network(joined, level).sample
    return estimate.float().contiguous()


@torch.no_grad()
def sample(recipe: Recipe, network: nn.Module, condition: Tensor, noise: Tensor) -> Tensor:
    """Clean latents `[B, C, h, w]` by DDIM (Song et al., 2021, eta 0) from unit `noise`."""
    scheduler = build_scheduler(recipe)
    scheduler.set_timesteps(recipe.sampler_steps)
    return walk(scheduler, noise, lambda x, level: denoise(network, x, condition, level))


def walk(scheduler: Any, noise: Tensor, estimate: Callable[[Tensor, int], Tensor]) -> Tensor:
    """Follow the scheduler's levels down from `noise`, with `estimate(noisy, level)` for the clean latent."""
    x = noise
    for level in scheduler.timesteps:
        x = scheduler.step(estimate(x, int(level)), int(level), x).prev_sample
    return x


@torch.no_grad()
def posterior_mean(recipe: Recipe, network: nn.Module, condition: Tensor, noise: Tensor) -> Tensor:
    """One step from pure noise: the mean of all clean latents that fit the condition, the PSNR-optimal output."""
    return denoise(network, noise, condition, recipe.noise_levels - 1)
