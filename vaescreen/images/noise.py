"""Noise that belongs to an image, whatever batch it comes in."""

import zlib
from collections.abc import Sequence

import torch
from torch import Tensor


def noise_of(ids: Sequence[str], like: Tensor, seed: int) -> Tensor:
    """Unit normal noise of the shape and on the device of `like`, `[B, ...]`, from image ids and a seed.

    The generator's seed is a checksum: torch's generator on a CPU reads 32 bits and no more.
    """
    parts = []
    for image_id in ids:
        generator = torch.Generator().manual_seed(zlib.crc32(image_id.encode(), seed))
        parts.append(torch.randn(like.shape[1:], generator=generator))
    return torch.stack(parts).to(like.device)
