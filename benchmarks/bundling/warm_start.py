"""Weights with which an AutoencoderDC is a patch PCA, so that training starts at the linear floor.

Down: strided convolutions sort the pixels of a patch into channels. Latent: a 1x1 projection on the principal
components. Up: the transposed projection, and pixel shuffles sort the channels back. Residual branches start at
zero. Two things stand in the way and are undone: the shortcuts beside each down and up convolution are subtracted in
its centre taps, and the last RMS norm is made harmless by one channel so large that it alone sets the norm.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

LATENT_SD = 1.0
_ANCHOR = 100.0
_OFFSET = 1.5


@torch.no_grad()
def start_as_pca(network: Any, images: Tensor) -> None:
    """Set the weights of `network` in place.

    Parameters
    ----------
    network
        An AutoencoderDC as `architecture.build` makes it; what the PCA does not need keeps its random weights.
    images
        `[N, 1, H, W]` in [-1, 1], H and W multiples of the factor; the PCA is fitted on their patches. The first
        latent channel gets the standard deviation `LATENT_SD`, the others as much less as they carry less.
    """
    encoder, decoder = network.encoder, network.decoder
    for block in _blocks(network, "ResBlock"):
        block.norm.weight.zero_()
        block.norm.bias.zero_()

    _sort_down(encoder.conv_in.conv, 1)
    pixels = 4
    for block in _blocks(encoder, "DCDownBlock2d")[1:]:
        _sort_down(block.conv, pixels)
        _subtract_mean_shortcut(block.conv, 4 * pixels)
        pixels *= 4

    mean, basis, scale = _principal_components(images, pixels, network.config.latent_channels)
    encoder.conv_out.weight.zero_()
    encoder.conv_out.weight[:, :pixels, 1, 1] = basis.T / scale
    encoder.conv_out.bias.copy_(-(mean @ basis) / scale)
    decoder.conv_in.weight[:pixels] = 0
    decoder.conv_in.weight[:pixels, :, 1, 1] = basis * scale
    decoder.conv_in.bias[:pixels] = mean

    for block in (block for level in reversed(decoder.up_blocks) for block in _blocks(level, "DCUpBlock2d")):
        pixels //= 4
        _sort_up(block.conv, pixels)
        _subtract_repeat_shortcut(block.conv, pixels)
    _anchor_last_norm(decoder)


def _blocks(module: Any, kind: str) -> list[Any]:
    """Blocks of a class, in the order of construction: that of the data, but for a decoder's `up_blocks`."""
    return [block for block in module.modules() if type(block).__name__ == kind]


def _sort_down(conv: Any, pixels: int) -> None:
    """Make output 4k + 2i + j the pixel (i, j) of each 2x2 cell of input k."""
    conv.weight[: 4 * pixels] = 0
    conv.bias[: 4 * pixels] = 0
    for k in range(pixels):
        for phase in range(4):
            conv.weight[4 * k + phase, k, 1 + phase // 2, 1 + phase % 2] = 1


def _subtract_mean_shortcut(conv: Any, outputs: int) -> None:
    for k in range(outputs):
        conv.weight[k, k, 1:, 1:] -= 0.25


def _sort_up(conv: Any, pixels: int) -> None:
    """Make the four shuffled pixels of output k the inputs 4k to 4k + 3."""
    conv.weight[: 4 * pixels] = 0
    conv.bias[: 4 * pixels] = 0
    for k in range(4 * pixels):
        conv.weight[k, k, 1, 1] = 1


def _subtract_repeat_shortcut(conv: Any, pixels: int) -> None:
    for k in range(pixels):
        conv.weight[4 * k : 4 * k + 4, k, 1, 1] -= 1


def _anchor_last_norm(decoder: Any) -> None:
    """Let the last residual block put `_ANCHOR` into the last channel: x / rms(x) is then x times a constant.

    No convolution reads the anchor, since a weight on so large an input would be trained far too fast. The offset
    carries pixels of [-1, 1] through the ReLU before the last convolution.
    """
    last_block = decoder.up_blocks[1][-1]
    last_block.norm.bias[-1] = _ANCHOR
    width = decoder.norm_out.weight.numel()
    decoder.norm_out.weight.fill_(_ANCHOR / width**0.5)
    decoder.norm_out.weight[-1] = 0
    decoder.norm_out.bias.fill_(_OFFSET)
    out = decoder.conv_out.conv
    out.weight.zero_()
    out.bias.fill_(-_OFFSET)
    for phase in range(4):
        out.weight[phase, phase, 1, 1] = 1


def _principal_components(images: Tensor, pixels: int, channels: int) -> tuple[Tensor, Tensor, Tensor]:
    """Mean `[P]`, leading components `[P, C]` and one scale for all latents; pixels as `_sort_down` orders them."""
    sorted_pixels = images
    while sorted_pixels.shape[1] < pixels:
        sorted_pixels = F.pixel_unshuffle(sorted_pixels, 2)
    patches = sorted_pixels.permute(0, 2, 3, 1).reshape(-1, pixels).double()
    variances, vectors = torch.linalg.eigh(torch.cov(patches.T))
    basis = vectors[:, -channels:].flip(1)
    scale = variances[-1].sqrt() / LATENT_SD
    return patches.mean(0).float(), basis.float(), scale.float()
