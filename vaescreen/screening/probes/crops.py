"""What networks on latents see: the condition with the place of each cell, and random crops of it."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from statistics import median_low

import torch
from torch import Tensor


def placed(condition: Tensor, scale: int) -> Tensor:
    """A condition `[B, D, h, w]` and two channels that say where in its block a cell lies: `[B, D + 2, h, w]`.

    What a latent of the LR image tells of a block of `scale` x `scale` cells differs from cell to cell of the block; a
    convolution alone could tell them apart only near the border, by its padding.
    """
    size = condition.shape[-2:]
    places = (2 * torch.arange(max(size), device=condition.device) % (2 * scale) - scale + 1) / scale
    rows, columns = places[: size[0], None].expand(size), places[None, : size[1]].expand(size)
    return torch.cat([condition, torch.stack([rows, columns]).expand(len(condition), -1, -1, -1)], dim=1)


def common_shape(latents: Sequence[Tensor]) -> tuple[int, int]:
    """Lower median of the heights and of the widths of maps `[C, H, W]`: at least one map holds both."""
    height, width = (median_low([part.shape[dim] for part in latents]) for dim in (-2, -1))
    return height, width


class Crops:
    """Inputs and targets of all train images that hold a crop, and random crops of both.

    Parameters
    ----------
    told, target
        Standardised condition and target of each train image, `[D, h, w]` and `[C, h, w]`.
    scale
        Side of the block of cells over a cell of the LR latent.
    side
        Of the crops in cells; less where `common_shape` has less. Smaller images are left out.
    """

    def __init__(self, told: Sequence[Tensor], target: Sequence[Tensor], scale: int, side: int) -> None:
        rows, columns = common_shape(target)
        self.shape = min(side, rows), min(side, columns)
        held = [
            (x, y)
            for x, y in zip(told, target, strict=True)
            if y.shape[-2] >= self.shape[0] and y.shape[-1] >= self.shape[1]
        ]
        self._inputs = [placed(x[None], scale)[0] for x, y in held]
        self._targets = [y for _, y in held]

    def __len__(self) -> int:
        """Count the images."""
        return len(self._inputs)

    def draw(self, count: int, draws: torch.Generator) -> tuple[Tensor, Tensor]:
        """Cut `count` crops: inputs `[count, D + 2, *shape]` and targets `[count, C, *shape]`.

        They are not flipped: a latent space need not be symmetric.
        """
        rows, columns = self.shape
        inputs, targets = [], []
        for where in torch.rand(count, 3, generator=draws, dtype=torch.float64).tolist():
            image = int(where[0] * len(self))
            height, width = self._targets[image].shape[-2:]
            top, left = int(where[1] * (height - rows + 1)), int(where[2] * (width - columns + 1))
            window = (slice(None), slice(top, top + rows), slice(left, left + columns))
            inputs.append(self._inputs[image][window])
            targets.append(self._targets[image][window])
        return torch.stack(inputs), torch.stack(targets)


def reproducible() -> AbstractContextManager[None]:
    """On a GPU: deterministic convolutions in true float32, as on a CPU."""
    return torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)
