"""A batch as probes see it: what they are told of it, what they should say, and the way back to images."""

from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

from vaescreen.images import Batch
from vaescreen.screening.guarded import GuardedAutoencoder
from vaescreen.screening.probes import Probes
from vaescreen.screening.view import View


@dataclass(frozen=True)
class Seen:
    """Images of one size, their latents `[B, C, h, w]` and their LR images `[B, 1, h, w]`."""

    batch: Batch
    autoencoder: GuardedAutoencoder
    probes: Probes
    view: View
    latents: Tensor
    reduced: Tensor

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the images."""
        return self.batch.images.shape[-2], self.batch.images.shape[-1]

    @cached_property
    def condition(self) -> Tensor:
        """Raw condition `[B, D, h, w]`."""
        return self.view.conditioning.told(self.autoencoder, self.reduced, self.size, self.view.degradation)

    @cached_property
    def told(self) -> Tensor:
        """Standardised condition."""
        return self.probes.told.apply(self.condition)

    @cached_property
    def target(self) -> Tensor:
        """Standardised target `[B, C, h, w]`."""
        return self.probes.target.apply(self.latents - self._base)

    def decode(self, generated: Tensor) -> Tensor:
        """Images of standardised targets, true ones or predicted."""
        return self.autoencoder.decode(self.probes.target.undo(generated) + self._base, self.size)

    @cached_property
    def _base(self) -> Tensor | float:
        return self.view.conditioning.base(self.condition, self.latents.shape[1])
