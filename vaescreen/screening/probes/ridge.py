"""Ridge probe: the block of HR-latent cells under an LR-latent cell, linear in the cell's neighbourhood."""

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn import functional as F

NEIGHBOURHOOD = 5
REGULARISATION = 1e-3
"""Weight of the penalty, as a multiple of the mean squared norm of a feature over the samples."""


class RidgeProbe:
    """A fitted ridge regression.

    Parameters
    ----------
    weights
        `[C * 25 + 1, C * scale**2]`; the last row is the intercept.
    scale
        Side of the predicted blocks.
    """

    def __init__(self, weights: Tensor, scale: int) -> None:
        self.weights = weights
        self._scale = scale

    def predict(self, lr: Tensor, size: tuple[int, int]) -> Tensor:
        """Predict standardised HR latents `[B, C, *size]` from standardised LR latents `[B, C, h, w]`."""
        blocks = self.weights[:-1].T @ neighbourhoods(lr).double() + self.weights[-1][:, None]
        grid = F.pixel_shuffle(blocks.unflatten(-1, lr.shape[-2:]), self._scale)
        return grid[..., : size[0], : size[1]].float()


def fit_ridge(
    pairs: Iterable[tuple[Tensor, Tensor]], scale: int, regularisation: float = REGULARISATION
) -> RidgeProbe:
    """Solve the normal equations in float64, summed over streamed batches; the intercept is not penalised.

    Parameters
    ----------
    pairs
        Batches of standardised LR latents `[B, C, h, w]` and HR latents `[B, C, H, W]`, with H at most
        `scale * h` and W at most `scale * w`. HR latents that are smaller are filled up by replication.
    scale
        Side of the block of HR cells over an LR cell.
    regularisation
        Penalty relative to the mean diagonal of the normal equations.
    """
    gram = moments = torch.zeros(())
    for lr, hr in pairs:
        x, y = design(lr), _blocks(hr, lr.shape[-2:], scale)
        gram = gram + x.T @ x
        moments = moments + x.T @ y
    # Latents that do not vary are all zero here; any penalty keeps the equations solvable.
    size_of_features = float(gram.diagonal()[:-1].mean()) or 1.0
    penalty = torch.full((len(gram),), regularisation * size_of_features, dtype=torch.float64)
    penalty[-1] = 0
    return RidgeProbe(torch.linalg.solve(gram + penalty.diag(), moments), scale)


def neighbourhoods(lr: Tensor) -> Tensor:
    """Give the 5 x 5 cells around every cell of `[B, C, h, w]`, borders replicated: `[B, C * 25, h * w]`."""
    border = NEIGHBOURHOOD // 2
    return F.unfold(F.pad(lr, (border,) * 4, mode="replicate"), NEIGHBOURHOOD)


def design(lr: Tensor) -> Tensor:
    """Design matrix `[B * h * w, C * 25 + 1]` of LR latents, float64, ones in the last column."""
    features = neighbourhoods(lr).double().movedim(1, 2).flatten(0, 1)
    return F.pad(features, (0, 1), value=1.0)


def _blocks(hr: Tensor, cells: torch.Size, scale: int) -> Tensor:
    """Targets `[B * h * w, C * scale**2]`: the block of HR cells over each of the h x w LR cells."""
    missing = (0, cells[1] * scale - hr.shape[-1], 0, cells[0] * scale - hr.shape[-2])
    blocks = F.pixel_unshuffle(F.pad(hr.double(), missing, mode="replicate"), scale)
    return blocks.movedim(1, -1).flatten(0, 2)
