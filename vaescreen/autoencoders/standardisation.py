"""Per-channel standardisation of latents, so that nothing trained on them depends on the scale of a latent space."""

from typing import NamedTuple

from torch import Tensor

SMALLEST_SD = 1e-6
"""Smallest SD of a channel, relative to the largest value: below that its variation is rounding."""


class Standardisation(NamedTuple):
    """Mean and standard deviation `[C]` of each channel, float32."""

    mean: Tensor
    sd: Tensor

    @classmethod
    def of(cls, latents: Tensor) -> "Standardisation":
        """Measure latents `[N, C, h, w]`, in float64; a channel that does not vary gets SD 1."""
        work = latents.double()
        mean, sd = work.mean(dim=(0, 2, 3)), work.std(dim=(0, 2, 3), correction=0)
        sd[sd <= SMALLEST_SD * work.abs().max()] = 1
        return cls(mean.float(), sd.float())

    def apply(self, latents: Tensor) -> Tensor:
        """Standardise latents `[B, C, h, w]`."""
        return (latents - self.mean[:, None, None]) / self.sd[:, None, None]

    def undo(self, latents: Tensor) -> Tensor:
        """Bring standardised latents `[B, C, h, w]` back to the scale that was measured."""
        return latents * self.sd[:, None, None] + self.mean[:, None, None]
