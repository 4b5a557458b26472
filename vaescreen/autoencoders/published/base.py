"""What the published networks have in common."""

from typing import Any

from torch import Tensor, nn


class EncoderDecoder(nn.Module):
    """An encoder and a decoder, each a network."""

    encoder: Any
    decoder: Any

    def encode(self, images: Tensor) -> Tensor:
        """Latents of images."""
        latents: Tensor = self.encoder(images)
        return latents

    def decode(self, latents: Tensor) -> Tensor:
        """Images of latents."""
        images: Tensor = self.decoder(latents)
        return images
