"""Convolutional probe: a small residual network from upsampled LR latents to HR latents."""

from contextlib import AbstractContextManager

import torch
from torch import Tensor, nn
from torch.nn import functional as F

WIDTH = 32
BLOCKS = 3
NORM_GROUPS = 8
STEPS = 640
CROP = 32
CELLS = 1024
"""HR-latent cells that one step sees."""
LEARNING_RATE = 2e-3


class ConvolutionalProbe:
    """A fitted network that corrects bilinearly upsampled LR latents."""

    def __init__(self, network: nn.Module, scale: int, device: torch.device) -> None:
        self._network = network
        self._scale = scale
        self._device = device

    @torch.no_grad()
    def predict(self, lr: Tensor, size: tuple[int, int]) -> Tensor:
        """Predict standardised HR latents `[B, C, *size]` from standardised LR latents `[B, C, h, w]`."""
        inputs = _inputs(lr.to(self._device), self._scale, size)
        with _reproducible():
            return _corrected(self._network, inputs).to(lr.device)


def fit_convolutional(
    lr: Tensor,
    hr: Tensor,
    scale: int,
    seed: int,
    *,
    steps: int = STEPS,
    device: torch.device | str = "cpu",
) -> ConvolutionalProbe:
    """Train the probe for a fixed number of steps: squared error, AdamW with cosine decay to zero.

    Every step sees random crops of at most `CROP` x `CROP` HR-latent cells, `CELLS` cells in all, so its cost
    does not grow with the size of the latents. Crops are not flipped: a latent space need not be symmetric.

    Parameters
    ----------
    lr, hr
        Standardised latents of the train images, `[N, C, h, w]` and `[N, C, H, W]`, with H at most
        `scale * h` and W at most `scale * w`.
    scale
        Side of the block of HR cells over an LR cell.
    seed
        Decides initial weights and crops; the same seed gives the same bytes on one machine.
    steps
        Number of optimisation steps.
    device
        Where to train, and later to predict.
    """
    device = torch.device(device)
    draws = torch.Generator().manual_seed(seed)
    network = _network(hr.shape[1], seed).to(device)
    optimizer = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    everything = _inputs(lr, scale, (hr.shape[-2], hr.shape[-1]))
    for _ in range(steps):
        inputs, targets = (crops.to(device) for crops in _crops(everything, hr, draws))
        with _reproducible():
            loss = F.mse_loss(_corrected(network, inputs), targets)
            optimizer.zero_grad()
            loss.backward()
        optimizer.step()
        schedule.step()
    return ConvolutionalProbe(network.eval(), scale, device)


def upsample(lr: Tensor, scale: int, size: tuple[int, int]) -> Tensor:
    """Enlarge LR latents bilinearly, cell (i, j) onto its block of HR cells, and crop to `size`."""
    enlarged = F.interpolate(lr, scale_factor=scale, mode="bilinear", align_corners=False)
    return enlarged[..., : size[0], : size[1]]


def _inputs(lr: Tensor, scale: int, size: tuple[int, int]) -> Tensor:
    """Upsampled latents and two channels that say where in its block a cell lies: `[B, C + 2, *size]`.

    What a block of HR cells looks like differs from cell to cell of the block; a convolution alone could
    tell them apart only near the border, by its padding.
    """
    places = (2 * torch.arange(max(size), device=lr.device) % (2 * scale) - scale + 1) / scale
    rows, columns = places[: size[0], None].expand(size), places[None, : size[1]].expand(size)
    where = torch.stack([rows, columns]).expand(len(lr), -1, -1, -1)
    return torch.cat([upsample(lr, scale, size), where], dim=1)


def _corrected(network: nn.Module, inputs: Tensor) -> Tensor:
    corrected: Tensor = inputs[:, :-2] + network(inputs)
    return corrected


def _network(channels: int, seed: int) -> nn.Module:
    """Make the network with seeded weights; its last layer is zero, so that it begins as plain upsampling."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        last = nn.Conv2d(WIDTH, channels, 3, padding=1)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)  # type: ignore[arg-type]
        first = nn.Conv2d(channels + 2, WIDTH, 3, padding=1)
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


def _crops(x: Tensor, y: Tensor, draws: torch.Generator) -> tuple[Tensor, Tensor]:
    """Cut the same random crops of at most `CROP` x `CROP` from both: `CELLS` cells, at most one crop an image."""
    count, _, height, width = y.shape
    rows, columns = min(CROP, height), min(CROP, width)
    crops = min(max(CELLS // (rows * columns), 1), count)

    def draw(end: int) -> list[int]:
        drawn: list[int] = torch.randint(end, (crops,), generator=draws).tolist()
        return drawn

    places = list(zip(draw(count), draw(height - rows + 1), draw(width - columns + 1), strict=True))

    def cut(latents: Tensor) -> Tensor:
        pieces = (latents[i, :, top : top + rows, left : left + columns] for i, top, left in places)
        return torch.stack(list(pieces))

    return cut(x), cut(y)


def _reproducible() -> AbstractContextManager[None]:
    """On a GPU: deterministic convolutions in true float32, as on a CPU."""
    return torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)
