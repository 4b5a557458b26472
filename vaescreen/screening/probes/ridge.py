"""Ridge probe: what belongs to a cell, or the block of HR pixels under an LR pixel, linear in the neighbourhood."""

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
        `[C * side**2 + 1, D * scale**2]`; the last row is the intercept.
    scale
        Side of the predicted blocks.
    side
        Of the neighbourhood.
    """

    def __init__(self, weights: Tensor, scale: int, side: int = NEIGHBOURHOOD) -> None:
        self.weights = weights
        self._scale = scale
        self._side = side

    def predict(self, lr: Tensor, size: tuple[int, int]) -> Tensor:
        """Predict `[B, D, *size]` from `[B, C, h, w]`."""
        return grid_of(design(lr, self._side) @ self.weights, lr, self._scale, size)


class NormalEquations:
    """Normal equations in float64, summed over batches: any number of images at constant memory.

    Parameters
    ----------
    scale
        Side of the block of HR cells over an LR cell.
    side
        Of the neighbourhood of LR cells, odd.
    """

    def __init__(self, scale: int, side: int = NEIGHBOURHOOD) -> None:
        self._scale = scale
        self._side = side
        self._gram = self._moments = torch.zeros(())

    def add(self, lr: Tensor, hr: Tensor) -> None:
        """Add LR `[B, C, h, w]` and HR `[B, D, H, W]`, H at most `scale * h`, likewise W.

        HR that is smaller is filled up by replication.
        """
        x, y = design(lr, self._side), blocks_of(hr, lr.shape[-2:], self._scale)
        self._gram = self._gram + x.T @ x
        self._moments = self._moments + x.T @ y

    def solve(self, regularisation: float = REGULARISATION) -> RidgeProbe:
        """Solve them; the intercept is not penalised.

        Parameters
        ----------
        regularisation
            Penalty relative to the mean diagonal of the normal equations.
        """
        weights = solve_ridge(self._gram, self._moments, regularisation)
        return RidgeProbe(weights, self._scale, self._side)


def fit_ridge(pairs: Iterable[tuple[Tensor, Tensor]], scale: int, side: int = NEIGHBOURHOOD) -> RidgeProbe:
    """Fit on streamed batches; see `NormalEquations`."""
    equations = NormalEquations(scale, side)
    for x, y in pairs:
        equations.add(x, y)
    return equations.solve()


def solve_ridge(gram: Tensor, moments: Tensor, regularisation: float) -> Tensor:
    """Weights of a ridge regression whose last feature is the intercept, which is not penalised."""
    # Latents that do not vary are all zero here; any penalty keeps the equations solvable.
    size_of_features = float(gram.diagonal()[:-1].mean()) or 1.0
    penalty = torch.full((len(gram),), regularisation * size_of_features, dtype=gram.dtype)
    penalty[-1] = 0
    weights: Tensor = torch.linalg.solve(gram + penalty.diag(), moments)
    return weights


def neighbourhoods(lr: Tensor, side: int = NEIGHBOURHOOD) -> Tensor:
    """Give the `side` x `side` cells around every cell of `[B, C, h, w]`, borders replicated.

    Returns
    -------
    Tensor
        `[B * h * w, C * side**2]`.
    """
    padded = F.pad(lr, (side // 2,) * 4, mode="replicate")
    return F.unfold(padded, side).movedim(1, 2).flatten(0, 1)


def design(lr: Tensor, side: int = NEIGHBOURHOOD) -> Tensor:
    """Design matrix `[B * h * w, C * side**2 + 1]`, float64, ones in the last column."""
    return F.pad(neighbourhoods(lr, side).double(), (0, 1), value=1.0)


def blocks_of(hr: Tensor, cells: torch.Size, scale: int) -> Tensor:
    """Blocks of HR cells over each of the h x w LR cells: `[B * h * w, C * scale**2]`, float64."""
    missing = (0, cells[1] * scale - hr.shape[-1], 0, cells[0] * scale - hr.shape[-2])
    blocks = F.pixel_unshuffle(F.pad(hr.double(), missing, mode="replicate"), scale)
    return blocks.movedim(1, -1).flatten(0, 2)


def grid_of(blocks: Tensor, lr: Tensor, scale: int, size: tuple[int, int]) -> Tensor:
    """Put blocks `[B * h * w, C * scale**2]` over the cells of `lr` together: `[B, C, *size]`, float32."""
    cells = blocks.float().unflatten(0, (len(lr), *lr.shape[-2:])).movedim(-1, 1).contiguous()
    grid: Tensor = F.pixel_shuffle(cells, scale)[..., : size[0], : size[1]]
    return grid
