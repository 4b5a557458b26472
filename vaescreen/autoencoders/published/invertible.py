"""Fast Invertible Rescaling Net (FIRN+, x4): Haar steps and coupling; the latent is a learned thumbnail (f4c3)."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_KEPT = 3
"""Channels of the thumbnail."""
_COUPLINGS = 8
"""Coupling blocks after each Haar step."""


class InvertibleRescaler(nn.Module):
    """RGB in [0, 1] in and out.

    Encoding drops all but the thumbnail; decoding puts standard normal values in place of what was dropped, as in
    training, and always the same ones, so that it is a function. It clamps the thumbnail to [0, 1] as the published
    pipeline does, which stores it in 8 bits.
    """

    factor, channels = 4, _KEPT

    def __init__(self) -> None:
        super().__init__()
        steps: list[nn.Module] = []
        for channels in (3, 12):
            steps += [_Haar(channels), *(_Coupling(4 * channels) for _ in range(_COUPLINGS))]
        self.operations = nn.ModuleList(steps)
        self._dropped = 3 * self.factor**2 - _KEPT

    def encode(self, images: Tensor) -> Tensor:
        """Thumbnails of images."""
        x = images
        for step in self.operations:
            x = step(x)
        return x[:, :_KEPT]

    def decode(self, latents: Tensor) -> Tensor:
        """Images of thumbnails."""
        generator = torch.Generator().manual_seed(0)
        noise = torch.randn(1, self._dropped, *latents.shape[2:], generator=generator).to(latents)
        x = torch.cat([latents.clamp(0, 1), noise.expand(len(latents), -1, -1, -1)], dim=1)
        for step in reversed(self.operations):
            x = step.inverse(x)  # type: ignore[operator]
        return x


class _Haar(nn.Module):
    """Each 2x2 block of each channel as its mean and three differences, bands first."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self._channels = channels
        self.haar_weights = nn.Parameter(torch.zeros(4 * channels, 1, 2, 2))

    def forward(self, x: Tensor) -> Tensor:
        bands = F.conv2d(x, self.haar_weights, stride=2, groups=self._channels) / 4
        first: Tensor = bands.unflatten(1, (self._channels, 4)).transpose(1, 2).flatten(1, 2)
        return first

    def inverse(self, y: Tensor) -> Tensor:
        """Undo `forward`."""
        bands = y.unflatten(1, (4, self._channels)).transpose(1, 2).flatten(1, 2)
        images: Tensor = F.conv_transpose2d(bands, self.haar_weights, stride=2, groups=self._channels)
        return images


class _Coupling(nn.Module):
    """Affine coupling of the thumbnail and the rest (Dinh et al., 2017)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        rest = channels - _KEPT
        half = rest // 2
        self.reduce_conv = nn.Sequential(nn.Conv2d(rest, half, 1), nn.LeakyReLU(0.2))
        self.F = _Distillation(half, _KEPT, half, half // 2, expand=False)
        self.G = _Distillation(_KEPT, rest, 9, 9, expand=True)
        self.H = _Distillation(_KEPT, rest, 9, 9, expand=True)

    def forward(self, x: Tensor) -> Tensor:
        low, high = x[:, :_KEPT], x[:, _KEPT:]
        low = low + self.F(self.reduce_conv(high))
        return torch.cat([low, high * self._scale(low) + self.G(low)], dim=1)

    def inverse(self, x: Tensor) -> Tensor:
        """Undo `forward`."""
        low, high = x[:, :_KEPT], x[:, _KEPT:]
        high = (high - self.G(low)) / self._scale(low)
        return torch.cat([low - self.F(self.reduce_conv(high)), high], dim=1)

    def _scale(self, low: Tensor) -> Tensor:
        return torch.exp(2 * torch.sigmoid(self.H(low)) - 1)


class _Distillation(nn.Module):
    """Residual feature distillation (Liu et al., 2020) with pixel attention (Zhao et al., 2020)."""

    def __init__(self, inside: int, outside: int, width: int, kept: int, *, expand: bool) -> None:
        super().__init__()
        self._expands = expand
        if expand:
            self.expandconv = nn.Conv2d(inside, width, 3, padding=1)
        self.c1_d, self.c2_d, self.c3_d = (nn.Conv2d(width, kept, 1) for _ in range(3))
        self.c1_r, self.c2_r, self.c3_r = (nn.Conv2d(width, width, 3, padding=1) for _ in range(3))
        self.c4 = nn.Conv2d(width, kept, 3, padding=1)
        self.c5 = nn.Conv2d(4 * kept, outside, 1)
        self.PA = _PixelAttention(outside)

    def forward(self, x: Tensor) -> Tensor:
        if self._expands:
            x = _leaky(self.expandconv(x))
        parts = []
        for distil, refine in ((self.c1_d, self.c1_r), (self.c2_d, self.c2_r), (self.c3_d, self.c3_r)):
            parts.append(_leaky(distil(x)))
            x = _leaky(refine(x) + x)
        parts.append(_leaky(self.c4(x)))
        attended: Tensor = self.PA(self.c5(torch.cat(parts, dim=1)))
        return attended


class _PixelAttention(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(self.conv(x))


def _leaky(x: Tensor) -> Tensor:
    return F.leaky_relu(x, 0.2)
