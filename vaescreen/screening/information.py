"""How much of HR latents follows from what is given: explained variance, and the variance that stays."""

import math

import torch
from torch import Tensor

from vaescreen.screening.probes.ridge import blocks_of


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


class Residuals:
    """Covariance of what a probe leaves unexplained of the block of HR cells over an LR cell.

    Parameters
    ----------
    scale
        Side of the block.
    """

    def __init__(self, scale: int) -> None:
        self._scale = scale
        self._products = torch.zeros(())
        self._blocks = 0

    def add(self, residuals: Tensor, cells: torch.Size) -> None:
        """Add standardised residuals `[B, C, H, W]` over h x w LR `cells`."""
        rows = blocks_of(residuals, cells, self._scale)
        self._products = self._products + rows.T @ rows
        self._blocks += len(rows)

    def velocity_variance(self) -> float:
        """Variance a coordinate of the flow's velocity that no model can explain, given the LR latent.

        On the straight path x_t = (1 - t) z + t e from latent z to unit noise e the velocity e - z has, at
        given x_t, the variance Var(z | x_t) / t^2. For a Gaussian z of variance s this is
        s / (s (1 - t)^2 + t^2), whose mean over t in [0, 1] is sqrt(s) pi / 2. With s the eigenvalues of the
        residual covariance it becomes the conditional, Gaussian counterpart of the velocity irreducible
        variance of arXiv 2606.03578.
        """
        spectrum = torch.linalg.eigvalsh(self._products / max(self._blocks, 1)).clamp(min=0)
        return math.pi / 2 * float(spectrum.sqrt().mean())


def _squares(latents: Tensor) -> Tensor:
    return latents.double().square().sum(dim=(0, 2, 3))
