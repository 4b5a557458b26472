"""A control that deceives whoever looks at reconstruction alone: perfect to decode, hopeless to predict.

The signs of a codec's latents are flipped by a rule that decoding undoes exactly, so nothing is lost and the AE
ceiling stays. The rule is a hash of where a cell lies and of what it holds: what a cell holds no longer follows
from what lies around it or from the LR latent, and a small error of a latent sends the decoder astray.
"""

import torch
from torch import Tensor

from vaescreen.autoencoders.contract import Autoencoder

STEP = 0.02
"""Steps in which latents are rounded for the hash."""


class ScrambledCodec:
    """A codec with flipped signs, in two rounds of a Feistel network.

    With the channels in two halves A and B: B' is B with signs from the hash of A, then A' is A with signs from
    the hash of B'. Whoever knows A' and B' can go back, and flipping a sign rounds nothing.

    Parameters
    ----------
    codec
        The codec.
    fingerprint
        Sha256 (hex) of what decides it.
    """

    def __init__(self, codec: Autoencoder, fingerprint: str) -> None:
        self.geometry = codec.geometry
        self.fingerprint = fingerprint
        self._codec = codec

    def encode(self, images: Tensor) -> Tensor:
        """Scrambled latents `[B, C, ceil(H/f), ceil(W/f)]` of images `[B, 1, H, W]` in [0, 1]."""
        first, second = self._halves(self._codec.encode(images))
        second = second * _signs(first, second.shape[1])
        return torch.cat([first * _signs(second, first.shape[1]), second], dim=1)

    def decode(self, latents: Tensor, size: tuple[int, int]) -> Tensor:
        """Images `[B, 1, *size]` in [0, 1], clamped, of scrambled latents `[B, C, h, w]`."""
        first, second = self._halves(latents)
        first = first * _signs(second, first.shape[1])
        second = second * _signs(first, second.shape[1])
        return self._codec.decode(torch.cat([first, second], dim=1), size)

    def _halves(self, latents: Tensor) -> tuple[Tensor, Tensor]:
        middle = -(-self.geometry.channels // 2)
        return latents[:, :middle], latents[:, middle:]


def _signs(content: Tensor, channels: int) -> Tensor:
    """Signs `[B, channels, h, w]` from the place of each cell and from its content `[B, c, h, w]`, rounded."""
    height, width = content.shape[-2:]
    rows = torch.arange(height, device=content.device)[:, None]
    columns = torch.arange(width, device=content.device)
    key = _mix(_mix(rows + 1) + columns).expand(len(content), -1, -1)
    for rounded in (content / STEP).round().long().unbind(dim=1):
        key = _mix(key + rounded)
    channel = torch.arange(channels, device=content.device)[:, None, None]
    bits = _mix(key[:, None] + channel) >> 16 & 1
    return (1 - 2 * bits).to(content.dtype)


def _mix(key: Tensor) -> Tensor:
    """Spread integers over 32 bits, so that neighbours have nothing in common (multiply and shift, three rounds)."""
    key = key & 0xFFFFFFFF
    for factor in (0x45D9F3B, 0x45D9F3B, 0x27D4EB2D):
        key = (key ^ (key >> 16)) * factor & 0xFFFFFFFF
    return key ^ (key >> 15)
