"""Large images in overlapping tiles: memory stays that of one tile, and seams are blended away."""

from collections.abc import Callable

import torch
from torch import Tensor

OVERLAP = 4
"""Neighbouring tiles share at least one part in so many of their side."""


def in_tiles(
    function: Callable[[Tensor], Tensor], x: Tensor, side: int, unit_in: int, unit_out: int
) -> Tensor:
    """Apply `function` to tiles of `x` and blend what it gives where tiles overlap.

    The outer quarter of an overlap is not used, since padding at the tile's edge reaches into it; over the rest one
    tile fades into the next. A function whose output depends on a neighbourhood of its input gives in the middle
    of a tile exactly what it gives untiled; normalisation or attention over the whole tile makes it differ.

    Parameters
    ----------
    function
        From `[B, C, h * unit_in, w * unit_in]` to `[B, D, h * unit_out, w * unit_out]`, for any h, w <= `side`.
    x
        `[B, C, H * unit_in, W * unit_in]`.
    side
        Side of a tile in cells.
    unit_in, unit_out
        Pixels to a cell on either side.

    Returns
    -------
    Tensor
        `[B, D, H * unit_out, W * unit_out]`.
    """
    height, width = (length // unit_in for length in x.shape[-2:])
    total: Tensor | None = None
    weights = torch.zeros(height * unit_out, width * unit_out, device=x.device)
    for top in _starts(height, side):
        for left in _starts(width, side):
            down, right = min(side, height), min(side, width)
            rows = slice(top * unit_in, (top + down) * unit_in)
            columns = slice(left * unit_in, (left + right) * unit_in)
            tile = function(x[..., rows, columns])
            if total is None:
                total = tile.new_zeros(*tile.shape[:2], *weights.shape)
            weight = torch.outer(
                _fade(top, down, height, side, unit_out), _fade(left, right, width, side, unit_out)
            ).to(tile)
            rows = slice(top * unit_out, (top + down) * unit_out)
            columns = slice(left * unit_out, (left + right) * unit_out)
            total[..., rows, columns] += tile * weight
            weights[rows, columns] += weight
    assert total is not None
    return total / weights


def _starts(length: int, side: int) -> list[int]:
    """First cell of each tile along `length` cells; the last tile ends where the image does."""
    if length <= side:
        return [0]
    step = side - side // OVERLAP
    return [*range(0, length - side, step), length - side]


def _fade(start: int, count: int, length: int, side: int, unit: int) -> Tensor:
    """Weights of a tile along one side: zero, rising and one from each inner edge, one at the image's own edge."""
    overlap = side // OVERLAP * unit
    distance = torch.arange(count * unit) + 0.5
    rise = ((distance - overlap / 4) / (overlap / 2)).clamp(1e-6, 1)
    weights = torch.ones(count * unit)
    if start > 0:
        weights *= rise
    if start + count < length:
        weights *= rise.flip(0)
    return weights
