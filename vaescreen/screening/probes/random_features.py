"""Random-feature probe: ridge regression on the neighbourhood of an LR cell and on random functions of it.

The functions are rectified random projections; with many of them this is regression with an arc-cosine kernel
(Rahimi and Recht, Random features for large-scale kernel machines, 2007; Cho and Saul, Kernel methods for deep
learning, 2009).
"""

import math
from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn import functional as F

from vaescreen.screening.probes.ridge import (
    NEIGHBOURHOOD,
    blocks_of,
    grid_of,
    neighbourhoods,
    solve_ridge,
)

FEATURES = 384
REGULARISATION = 0.1


class RandomFeatureProbe:
    """A fitted regression.

    Parameters
    ----------
    projection, offset
        Of the neighbourhood, `[K, C * 25]` and `[K]`, before rectification.
    weights
        `[C * 25 + K + 1, C * scale**2]`; the last row is the intercept.
    scale
        Side of the predicted blocks.
    """

    def __init__(self, projection: Tensor, offset: Tensor, weights: Tensor, scale: int) -> None:
        self._projection, self._offset = projection, offset
        self._weights = weights
        self._scale = scale

    def predict(self, lr: Tensor, size: tuple[int, int]) -> Tensor:
        """Predict standardised HR latents `[B, C, *size]` from standardised LR latents `[B, C, h, w]`."""
        rows = _design(lr, self._projection, self._offset)
        return grid_of(rows @ self._weights, lr, self._scale, size)


def fit_random_features(
    pairs: Iterable[tuple[Tensor, Tensor]], channels: int, scale: int, seed: int
) -> RandomFeatureProbe:
    """Solve the normal equations, summed over streamed batches.

    Parameters
    ----------
    pairs
        Batches of standardised LR latents `[B, C, h, w]` and HR latents `[B, C, H, W]`.
    channels
        Their number C.
    scale
        Side of the block of HR cells over an LR cell.
    seed
        Of the random projections.
    """
    inputs = channels * NEIGHBOURHOOD**2
    generator = torch.Generator().manual_seed(seed)
    projection = torch.randn(FEATURES, inputs, generator=generator) / math.sqrt(inputs)
    offset = torch.randn(FEATURES, generator=generator)
    gram = moments = torch.zeros(())
    for lr, hr in pairs:
        rows = _design(lr, projection, offset)
        gram = gram + (rows.T @ rows).double()
        moments = moments + (rows.T @ blocks_of(hr, lr.shape[-2:], scale).float()).double()
    weights = solve_ridge(gram, moments, REGULARISATION).float()
    return RandomFeatureProbe(projection, offset, weights, scale)


def _design(lr: Tensor, projection: Tensor, offset: Tensor) -> Tensor:
    cells = neighbourhoods(lr)
    hidden = torch.relu(cells @ projection.T + offset)
    return F.pad(torch.cat([cells, hidden], dim=1), (0, 1), value=1.0)
