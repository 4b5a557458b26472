"""What an SR model is told of the LR image, and what it is to generate: the same for probes and for trained models."""

from dataclasses import dataclass
from typing import Any, Literal, Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from vaescreen.autoencoders.contract import Geometry
from vaescreen.images.degradation import Degradation

Part = Literal["lr-latent", "upsampled-latent", "lr-pixels"]
Target = Literal["latent", "residual"]


class Encoder(Protocol):
    """What conditioning needs of an autoencoder."""

    @property
    def geometry(self) -> Geometry:
        """Channels and spatial factor."""
        ...

    def encode(self, images: Tensor) -> Tensor:
        """Latents `[B, C, h, w]` of images `[B, 1, H, W]`."""
        ...


@dataclass(frozen=True)
class Conditioning:
    """The condition of a model and its target.

    Attributes
    ----------
    parts
        What the model is told, side by side as channels: `lr-latent`, the latent of the LR image resized bilinearly
        to the size of the HR latent; `upsampled-latent`, the latent of the bicubically upsampled LR image;
        `lr-pixels`, the LR image itself at the size of the latent, its pixels as channels where it is larger.
    target
        What it generates: the HR `latent`, or the `residual`, the HR latent less that of the upsampled image.
    """

    parts: tuple[Part, ...]
    target: Target

    def told(
        self, autoencoder: Encoder, lr: Tensor, size: tuple[int, int], degradation: Degradation
    ) -> Tensor:
        """Raw condition `[B, D, h, w]` of LR images, on the grid of the latents of HR images of `size` pixels."""
        grid = autoencoder.geometry.latent_shape(*size)[1:]
        parts = [_told(part, autoencoder, lr, size, grid, degradation) for part in self.parts]
        return torch.cat(parts, 1)

    def widths(self, told: int, channels: int) -> dict[Part, int]:
        """Channels of each part of a condition of `told` channels, for latents of `channels`, in order."""
        pixels = told - channels * sum(part != "lr-pixels" for part in self.parts)
        return {part: pixels if part == "lr-pixels" else channels for part in self.parts}

    def anchor(self, condition: Tensor, channels: int) -> Tensor | None:
        """The latent of the upsampled image `[B, C, h, w]` in a condition `[B, D, h, w]`; None if it is not told."""
        widths = self.widths(condition.shape[1], channels)
        parts = dict(zip(widths, condition.split(list(widths.values()), 1), strict=True))
        return parts.get("upsampled-latent")

    def base(self, condition: Tensor, channels: int) -> Tensor | float:
        """What the target is a departure from, given the raw condition: the upsampled image's latent, or zero."""
        anchor = self.anchor(condition, channels) if self.target == "residual" else None
        return 0.0 if anchor is None else anchor

    def description(self) -> dict[str, Any]:
        """Both as JSON-able values."""
        return {"conditioning": list(self.parts), "target": self.target}

    def __str__(self) -> str:
        """Short form for messages, such as `residual from upsampled-latent and lr-pixels`."""
        return f"{self.target} from {' and '.join(self.parts)}"


AS_BUILT = Conditioning(("upsampled-latent", "lr-pixels"), "residual")
"""As SR models are built: ResShift's residual to the upsampled image's latent, and the LR image beside it as in LDM-SR
(Yue et al., 2023; Rombach et al., 2022)."""


def _told(
    part: Part,
    autoencoder: Encoder,
    lr: Tensor,
    size: tuple[int, int],
    grid: tuple[int, ...],
    degradation: Degradation,
) -> Tensor:
    match part:
        case "lr-latent":
            return F.interpolate(autoencoder.encode(lr), grid, mode="bilinear", align_corners=False)
        case "upsampled-latent":
            return autoencoder.encode(degradation.upsample(lr, size))
        case "lr-pixels":
            return _pixels(lr, grid, -(-autoencoder.geometry.factor // degradation.scale))


def _pixels(lr: Tensor, grid: tuple[int, ...], block: int) -> Tensor:
    """LR pixels at the size of the latent; where several lie under a cell, their blocks become channels."""
    fitted = F.interpolate(lr, (block * grid[0], block * grid[1]), mode="bilinear", align_corners=False)
    return F.pixel_unshuffle(fitted, block)
