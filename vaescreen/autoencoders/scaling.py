"""The shift and scale that a network's own generative models apply to its latents."""

from typing import Any, NamedTuple

import torch
from torch import Tensor


class LatentScale(NamedTuple):
    """Normalised latents are `(latents - shift) * scale`.

    Both are `[C, p, p]`: one value for each channel (p = 1), or for each place in blocks of p x p cells, where a
    family cuts its latents into such blocks first.
    """

    shift: Tensor
    scale: Tensor

    def apply(self, latents: Tensor) -> Tensor:
        """Normalise latents `[B, C, h, w]`."""
        shift, scale = (_spread(values, latents) for values in self)
        return (latents - shift) * scale

    def undo(self, latents: Tensor) -> Tensor:
        """Bring normalised latents `[B, C, h, w]` back to what the network gives and takes."""
        shift, scale = (_spread(values, latents) for values in self)
        return latents / scale + shift


def from_config(model: Any, channels: int) -> LatentScale:
    """`(z - mean) * scaling_factor / std` where a network lists those, else `(z - shift_factor) * scaling_factor`.

    As diffusers' pipelines do; a factor that is absent or None is 1, a shift 0. LTX keeps its lists as buffers,
    Cosmos lists several frames, of which an image is the first.
    """
    config, buffers = model.config, dict(model.named_buffers())
    factor = config.get("scaling_factor") or 1.0
    mean, sd = (config.get(key, buffers.get(key)) for key in ("latents_mean", "latents_std"))
    if mean is None or sd is None:
        shift = config.get("shift_factor") or 0.0
        return LatentScale(*(torch.full((1, 1, 1), float(value)) for value in (shift, factor)))
    return LatentScale(_first_frame(mean, channels), factor / _first_frame(sd, channels))


def from_batch_norm(model: Any, channels: int) -> LatentScale:
    """Running statistics of the batch normalisation over blocks of `patch_size` latent cells (FLUX.2)."""
    down, right = model.config["patch_size"]
    mean, variance = model.bn.running_mean, model.bn.running_var
    sd = torch.sqrt(variance + model.config["batch_norm_eps"])
    shift, scale = (values.float().cpu().reshape(channels, down, right) for values in (mean, 1 / sd))
    return LatentScale(shift, scale)


def unscaled(_model: Any, _channels: int) -> LatentScale:
    """Latents that are taken as they are."""
    return LatentScale(torch.zeros(1, 1, 1), torch.ones(1, 1, 1))


def _first_frame(values: Any, channels: int) -> Tensor:
    return torch.as_tensor(values, dtype=torch.float32).cpu().reshape(channels, -1)[:, :1, None]


def _spread(values: Tensor, latents: Tensor) -> Tensor:
    height, width = latents.shape[-2:]
    block = values.shape[-1]
    tiled = values.repeat(1, -(-height // block), -(-width // block)) if block > 1 else values
    return tiled[..., :height, :width].to(latents)
