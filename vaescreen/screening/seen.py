"""A batch as probes see it: what they are told of it, what they should say, and the way back to images."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property

from torch import Tensor

from vaescreen.images import Batch
from vaescreen.screening.guarded import GuardedAutoencoder
from vaescreen.screening.probes import Probes
from vaescreen.screening.view import View


@dataclass(frozen=True)
class Seen:
    """Images of one size, their latents `[B, C, h, w]` and their raw condition `[B, D, h, w]`."""

    batch: Batch
    autoencoder: GuardedAutoencoder
    probes: Probes
    view: View
    latents: Tensor
    condition: Tensor

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the images."""
        return self.batch.images.shape[-2], self.batch.images.shape[-1]

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

    def only(self, ids: Collection[str]) -> "Seen | None":
        """Those of the images that are among `ids`; None if none is."""
        kept = [place for place, name in enumerate(self.batch.ids) if name in ids]
        if not kept:
            return None
        batch = Batch(
            tuple(self.batch.ids[place] for place in kept),
            tuple(self.batch.patients[place] for place in kept),
            self.batch.images[kept],
        )
        return replace(self, batch=batch, latents=self.latents[kept], condition=self.condition[kept])

    @cached_property
    def _base(self) -> Tensor | float:
        return self.view.conditioning.base(self.condition, self.latents.shape[1])
