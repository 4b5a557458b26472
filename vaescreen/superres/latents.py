"""Latents of a split, encoded once and kept on disk under the fingerprints of autoencoder and data."""

from dataclasses import dataclass

import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor
from torch.nn import functional as F

from vaescreen.autoencoders.contract import Autoencoder
from vaescreen.images.dataset import DataSet
from vaescreen.images.degradation import Degradation
from vaescreen.storage import cache_dir, digest, write_bytes

ENCODE_BATCH = 16


@dataclass(frozen=True)
class LatentPairs:
    """Raw HR latents `[N, C, h, w]` and the LR latents resized bilinearly to the same shape."""

    hr: Tensor
    condition: Tensor


def encode_pairs(autoencoder: Autoencoder, images: Tensor, degradation: Degradation) -> LatentPairs:
    """Latents of HR images `[B, 1, H, W]` and of their LR versions."""
    hr = autoencoder.encode(images)
    lr = autoencoder.encode(degradation.apply(images))
    return LatentPairs(hr, F.interpolate(lr, hr.shape[-2:], mode="bilinear", align_corners=False))


def training_pairs(autoencoder: Autoencoder, data: DataSet, degradation: Degradation) -> LatentPairs:
    """Pairs of the train split and of its mirror images, from the cache if they have been encoded before."""
    key = digest("pairs-1", autoencoder.fingerprint, data.fingerprint, degradation.description())
    path = cache_dir() / "latents" / f"{key}.safetensors"
    if not path.is_file():
        parts = []
        for batch in data.batches("train", ENCODE_BATCH):
            for images in (batch.images, batch.images.flip(-1)):
                parts.append(encode_pairs(autoencoder, images, degradation))
        tensors = {
            "hr": torch.cat([part.hr for part in parts]).contiguous(),
            "condition": torch.cat([part.condition for part in parts]).contiguous(),
        }
        write_bytes(path, save_tensors(tensors))
    return LatentPairs(**load_tensors(path.read_bytes()))
