"""Nearest neighbours: the block of HR cells that the train cell with the most similar LR neighbourhood has.

Two latents that share an LR image lie between the same walls: where the space is smooth, the way from one to
the other passes through images. The published counterpart (arXiv 2603.05630) interpolates latents with their
nearest neighbours in the data set and takes the FID of what is decoded; here the neighbour is one of the LR
patch, and what is decoded is compared with the true image.
"""

from collections.abc import Iterable

import torch
from torch import Tensor

from vaescreen.screening.probes.ridge import blocks_of, grid_of, neighbourhoods

MOST_CELLS = 20_000
"""LR cells of the train images that are searched: evenly spaced ones, if there are more."""
QUERIES = 1024


class NeighbourProbe:
    """Search among LR neighbourhoods.

    Parameters
    ----------
    keys
        Neighbourhoods `[N, C * 25]` of train cells.
    blocks
        What lies over them, `[N, C * scale**2]`.
    scale
        Side of the blocks.
    """

    def __init__(self, keys: Tensor, blocks: Tensor, scale: int) -> None:
        self._keys, self._blocks = keys, blocks
        self._norms = keys.square().sum(dim=1)
        self._scale = scale

    def predict(self, lr: Tensor, size: tuple[int, int]) -> Tensor:
        """Give the neighbours' HR latents `[B, C, *size]` for LR latents `[B, C, h, w]`."""
        nearest = [
            (self._norms - 2 * queries @ self._keys.T).argmin(dim=1)
            for queries in neighbourhoods(lr).split(QUERIES)
        ]
        return grid_of(self._blocks[torch.cat(nearest)], lr, self._scale, size)


def fit_neighbours(pairs: Iterable[tuple[Tensor, Tensor]], scale: int) -> NeighbourProbe:
    """Remember batches of standardised LR latents `[B, C, h, w]` and HR latents `[B, C, H, W]`."""
    parts = [(neighbourhoods(lr), blocks_of(hr, lr.shape[-2:], scale).float()) for lr, hr in pairs]
    keys, blocks = (torch.cat(part) for part in zip(*parts, strict=True))
    every = -(-len(keys) // MOST_CELLS)
    return NeighbourProbe(keys[::every].contiguous(), blocks[::every].contiguous(), scale)
