"""Noise that belongs to an image, whatever batch it comes in."""

import zlib
from collections.abc import Sequence

import torch
from torch import Tensor


def noise_of(ids: Sequence[str], like: Tensor, seed: int) -> Tensor:
    """Unit normal noise of the shape and on the device of `like`, `[B, ...]`, from image ids and a seed."""
    return draw_noise(generators_of(ids, seed), like)


def generators_of(ids: Sequence[str], seed: int) -> list[torch.Generator]:
    """Give a source of random numbers for each image.

    The generator's seed is a checksum: torch's generator on a CPU reads 32 bits and no more.
    """
    return [torch.Generator().manual_seed(zlib.crc32(image_id.encode(), seed)) for image_id in ids]


def draw_noise(generators: Sequence[torch.Generator], like: Tensor) -> Tensor:
    """Unit normal noise of the shape and on the device of `like`, `[B, ...]`, each image from its own source."""
    return torch.stack([torch.randn(like.shape[1:], generator=each) for each in generators]).to(like.device)
