"""Collaborative Distillation (Wang et al., CVPR 2020): VGG-19 with 16 times fewer parameters, and its decoder."""

from itertools import takewhile

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vaescreen.autoencoders.published.base import EncoderDecoder

_LAYERS = (
    ("11", 3, 16),
    ("12", 16, 16),
    ("21", 16, 32),
    ("22", 32, 32),
    ("31", 32, 64),
    ("32", 64, 64),
    ("33", 64, 64),
    ("34", 64, 64),
    ("41", 64, 128),
)
"""VGG-19's layers, block and place in it, with channels in and out; each block begins at half the size."""
_DISTILLED = 4
"""Channels of the teacher for each of the student's."""


class DistilledVgg(EncoderDecoder):
    """Encoder up to the first layer of the block that works at `1/factor` of the size, and its mirrored decoder.

    RGB in [0, 1] in and out. Latents are rectified; so is the output, which nothing bounds above.

    Parameters
    ----------
    factor
        2, 4 or 8.
    """

    def __init__(self, factor: int) -> None:
        super().__init__()
        last = f"{factor.bit_length()}1"
        layers = (*takewhile(lambda layer: layer[0] != last, _LAYERS), *(x for x in _LAYERS if x[0] == last))
        self.factor, self.channels = 2 ** (int(layers[-1][0][0]) - 1), layers[-1][2]
        self.encoder, self.decoder = _Encoder(layers), _Decoder(layers)


class _Encoder(nn.Module):
    def __init__(self, layers: tuple[tuple[str, int, int], ...]) -> None:
        super().__init__()
        self._names = [name for name, _, _ in layers]
        self.conv0 = nn.Conv2d(3, 3, 1)  # RGB in [0, 1] becomes the centred BGR of Caffe's VGG
        for name, inside, outside in layers:
            setattr(self, f"conv{name}", nn.Conv2d(inside, outside, 3))
            if name.endswith(
                "1"
            ):  # of the distillation loss; kept, so that every tensor of the file has its place
                setattr(self, f"conv{name}_aux", nn.Conv2d(outside, _DISTILLED * outside, 1))

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv0(x)
        for name in self._names:
            if name.endswith("1") and name != "11":
                x = F.max_pool2d(x, 2)
            x = _convolved(getattr(self, f"conv{name}"), x)
        return x


class _Decoder(nn.Module):
    def __init__(self, layers: tuple[tuple[str, int, int], ...]) -> None:
        super().__init__()
        self._names = [name for name, _, _ in reversed(layers)]
        for name, inside, outside in layers:
            setattr(self, f"conv{name}", nn.Conv2d(outside, inside, 3))

    def forward(self, x: Tensor) -> Tensor:
        for name in self._names:
            x = _convolved(getattr(self, f"conv{name}"), x)
            if name.endswith("1") and name != "11":
                x = F.interpolate(x, scale_factor=2.0)
        return x


def _convolved(layer: nn.Conv2d, x: Tensor) -> Tensor:
    return torch.relu(layer(F.pad(x, (1, 1, 1, 1), mode="reflect")))
