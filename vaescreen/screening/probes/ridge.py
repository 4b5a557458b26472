"""Ridge probe: what belongs to a cell, linear in the neighbourhood of that cell."""

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn import functional as F

NEIGHBOURHOOD = 3
REGULARISATION = 1e-3
"""Weight of the penalty, as a multiple of the mean squared norm of a feature over the samples."""


class RidgeProbe:
    """A fitted ridge regression.

    Parameters
    ----------
    weights
        `[D * NEIGHBOURHOOD**2 + 1, C]`; the last row is the intercept.
    """

    def __init__(self, weights: Tensor) -> None:
        self.weights = weights

    def predict(self, told: Tensor) -> Tensor:
        """Predict `[B, C, h, w]`, float32, from `[B, D, h, w]`."""
        cells = (design(told) @ self.weights).float()
        predicted: Tensor = cells.unflatten(0, (len(told), *told.shape[-2:])).movedim(-1, 1).contiguous()
        return predicted


def fit_ridge(pairs: Iterable[tuple[Tensor, Tensor]], regularisation: float = REGULARISATION) -> RidgeProbe:
    """Fit on batches of any number of images, of which only the normal equations are kept, in float64.

    Parameters
    ----------
    pairs
        Condition `[B, D, h, w]` and target `[B, C, h, w]`; sizes may differ from batch to batch.
    regularisation
        Penalty relative to the mean diagonal of the normal equations; the intercept is not penalised.
    """
    gram = moments = torch.zeros(())
    for told, target in pairs:
        x, y = design(told), target.double().movedim(1, -1).flatten(0, 2)
        gram, moments = gram + x.T @ x, moments + x.T @ y
    # Latents that do not vary are all zero here; any penalty keeps the equations solvable.
    size_of_features = float(gram.diagonal()[:-1].mean()) or 1.0
    penalty = torch.full((len(gram),), regularisation * size_of_features, dtype=gram.dtype)
    penalty[-1] = 0
    return RidgeProbe(torch.linalg.solve(gram + penalty.diag(), moments))


def design(told: Tensor) -> Tensor:
    """Give the cells around every cell of `[B, D, h, w]`, borders replicated, and ones in the last column.

    Returns
    -------
    Tensor
        `[B * h * w, D * NEIGHBOURHOOD**2 + 1]`, float64.
    """
    padded = F.pad(told, (NEIGHBOURHOOD // 2,) * 4, mode="replicate")
    around = F.unfold(padded, NEIGHBOURHOOD).movedim(1, 2).flatten(0, 1)
    return F.pad(around.double(), (0, 1), value=1.0)
