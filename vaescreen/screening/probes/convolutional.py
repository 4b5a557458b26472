"""Convolutional probe: a small residual network from what a model is told to what it generates."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from vaescreen.screening.probes.crops import Crops, placed, reproducible
from vaescreen.screening.probes.fitting import fit

WIDTH = 32
BLOCKS = 3
NORM_GROUPS = 8
STEPS = 400
CROP = 32
CELLS = 1024
"""Latent cells that one step sees."""


class ConvolutionalProbe:
    """A fitted network from the condition to the target."""

    def __init__(self, network: nn.Module, scale: int, device: torch.device) -> None:
        self._network = network
        self._scale = scale
        self._device = device

    @torch.no_grad()
    def predict(self, told: Tensor) -> Tensor:
        """Predict standardised targets `[B, C, h, w]` from standardised conditions `[B, D, h, w]`."""
        with reproducible():
            predicted: Tensor = self._network(placed(told.to(self._device), self._scale))
        return predicted.to(told.device)


def fit_convolutional(
    told: Sequence[Tensor],
    target: Sequence[Tensor],
    scale: int,
    seed: int,
    *,
    steps: int = STEPS,
    device: torch.device | str = "cpu",
) -> ConvolutionalProbe:
    """Train the probe for a fixed number of steps; see `fitting`.

    Every step sees random crops of at most `CROP` x `CROP` cells, `CELLS` cells in all, so its cost does not grow with
    the size of the latents.

    Parameters
    ----------
    told, target
        Standardised condition and target of each train image, `[D, h, w]` and `[C, h, w]`.
    scale
        Side of the block of cells over a cell of the LR latent.
    seed
        Decides initial weights and crops; the same seed gives the same bytes on one machine.
    steps
        Number of optimisation steps.
    device
        Where to train, and later to predict.
    """
    device = torch.device(device)
    draws = torch.Generator().manual_seed(seed)
    network = _network(told[0].shape[0], target[0].shape[0], seed).to(device)
    crops = Crops(told, target, scale, CROP)
    count = min(max(CELLS // math.prod(crops.shape), 1), len(crops))

    def draw() -> tuple[tuple[Tensor], Tensor]:
        given, clean = crops.draw(count, draws)
        return (given,), clean

    return ConvolutionalProbe(fit(network, draw, steps, device), scale, device)


def _network(told: int, channels: int, seed: int) -> nn.Module:
    """Make the network with seeded weights; its last layer is zero, so that it begins at the mean."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        last = nn.Conv2d(WIDTH, channels, 3, padding=1)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)  # type: ignore[arg-type]
        first = nn.Conv2d(told + 2, WIDTH, 3, padding=1)
        return nn.Sequential(first, *(_ResidualBlock() for _ in range(BLOCKS)), last)


class _ResidualBlock(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.GroupNorm(NORM_GROUPS, WIDTH),
            nn.SiLU(),
            nn.Conv2d(WIDTH, WIDTH, 3, padding=1),
            nn.GroupNorm(NORM_GROUPS, WIDTH),
            nn.SiLU(),
            nn.Conv2d(WIDTH, WIDTH, 3, padding=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.body(x)
        return out
