"""A chain of strided convolutions and its transpose, without bottleneck layers or a quantiser (f16c10)."""

from itertools import pairwise

from torch import nn

from vaescreen.autoencoders.published.base import EncoderDecoder

_WIDTHS = (3, 64, 128, 256, 10)


class StridedAutoencoder(EncoderDecoder):
    """RGB in [0, 1] in and out; latents are rectified."""

    factor, channels = 2 ** (len(_WIDTHS) - 1), _WIDTHS[-1]

    def __init__(self) -> None:
        super().__init__()
        down: list[nn.Module] = []
        for inside, outside in pairwise(_WIDTHS):
            down += [nn.Conv2d(inside, outside, 3, stride=2, padding=1), nn.ReLU()]
        up: list[nn.Module] = []
        for inside, outside in pairwise(reversed(_WIDTHS)):
            up += [nn.ConvTranspose2d(inside, outside, 3, stride=2, padding=1, output_padding=1), nn.ReLU()]
        self.encoder = nn.Sequential(*down)
        self.decoder = nn.Sequential(*up[:-1], nn.Sigmoid())
