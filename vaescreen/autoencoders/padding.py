"""Filling images up to the size multiple that an autoencoder needs."""

from torch import Tensor
from torch.nn import functional as F


def pad_to_multiple(images: Tensor, factor: int) -> Tensor:
    """Extend `[B, C, H, W]` below and to the right until `factor` divides H and W.

    By reflection, or by replication where an image is too small for that.
    """
    height, width = images.shape[-2:]
    down, right = -height % factor, -width % factor
    mode = "reflect" if down < height and right < width else "replicate"
    return F.pad(images, (0, right, 0, down), mode=mode) if down or right else images
