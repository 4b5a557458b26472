"""How much of what a model is to generate follows from what it is told."""

import torch
from torch import Tensor


class Explained:
    """Share of the squares of standardised latents that predictions explain, summed over batches."""

    def __init__(self) -> None:
        self._error = self._whole = torch.zeros(())

    def add(self, predicted: Tensor, truth: Tensor) -> None:
        """Add standardised latents `[B, C, H, W]`."""
        self._error = self._error + _squares(predicted - truth)
        self._whole = self._whole + _squares(truth)

    def share(self) -> float:
        """1 where everything follows, 0 where nothing does, negative where predictions mislead."""
        return 1 - float(self._error.sum()) / (float(self._whole.sum()) or 1.0)

    def by_channel(self) -> list[float]:
        """The share of each channel."""
        shares: list[float] = (1 - self._error / self._whole.where(self._whole > 0, 1)).tolist()
        return shares


def _squares(latents: Tensor) -> Tensor:
    return latents.double().square().sum(dim=(0, 2, 3))
