"""Denoising probe: a miniature of the diffusion model, on noisy targets given what the model is told.

The model of latent-diffusion super-resolution learns to take noise off its target at every level, from none to
nothing but noise; what it does not learn within its budget it gets wrong. The miniature meets the same
difficulty under a small fixed budget: the same target and squared error, the same way of cutting crops by the pixel,
so that a step sees as many pixels whatever the geometry. Its estimate from pure noise in one step foresees the
posterior mean of the model, its samples foresee the samples.
"""

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
CROP = 64
"""Side of a crop in HR pixels, as in recipe `compact`."""
CROPS = 4
CELLS = 1024
"""Latent cells that one step sees at most: crops are cut, and then left out, to stay below."""
SAMPLER_STEPS = 5


class DenoisingProbe:
    """A fitted network that estimates clean targets from noisy ones and from the condition."""

    def __init__(self, network: nn.Module, scale: int, device: torch.device) -> None:
        self._network = network
        self._scale = scale
        self._device = device

    @torch.no_grad()
    def denoise(self, noisy: Tensor, told: Tensor, level: float) -> Tensor:
        """Estimate clean standardised targets.

        Parameters
        ----------
        noisy
            `[B, C, h, w]`: cos(a) times clean targets plus sin(a) times unit noise, a = level * pi / 2.
        told
            Standardised condition `[B, D, h, w]`.
        level
            From 0, no noise, to 1, only noise.
        """
        given = placed(told.to(self._device), self._scale)
        levels = torch.full((len(noisy),), level, device=self._device)
        with reproducible():
            clean: Tensor = self._network(torch.cat([noisy.to(self._device), given], dim=1), levels)
        return clean.to(noisy.device)

    def sample(self, told: Tensor, noise: Tensor) -> Tensor:
        """Walk from unit `noise` `[B, C, h, w]` to none by DDIM (Song et al., 2021, eta 0), in even steps."""
        x = noise
        for step in range(SAMPLER_STEPS, 0, -1):
            here, there = (math.pi / 2 * part / SAMPLER_STEPS for part in (step, step - 1))
            clean = self.denoise(x, told, step / SAMPLER_STEPS)
            direction = (x - math.cos(here) * clean) / math.sin(here)
            x = math.cos(there) * clean + math.sin(there) * direction
        return x


def fit_denoising(
    told: Sequence[Tensor],
    target: Sequence[Tensor],
    scale: int,
    factor: int,
    seed: int,
    *,
    steps: int = STEPS,
    device: torch.device | str = "cpu",
) -> DenoisingProbe:
    """Train for a fixed number of steps at uniformly drawn levels; see `fitting`.

    Parameters
    ----------
    told, target
        Standardised condition and target of each train image, `[D, h, w]` and `[C, h, w]`.
    scale
        Side of the block of cells over a cell of the LR latent.
    factor
        Spatial factor of the autoencoder, which turns the crop into cells.
    seed
        Decides initial weights, crops, levels and noise; the same seed gives the same bytes on one machine.
    steps
        Number of optimisation steps.
    device
        Where to train, and later to estimate.
    """
    device = torch.device(device)
    draws = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = _Denoiser(told[0].shape[0], target[0].shape[0]).to(device)
    crops = Crops(told, target, scale, max(min(CROP // factor, math.isqrt(CELLS)), 1))
    count = min(CROPS, CELLS // math.prod(crops.shape))

    def draw() -> tuple[tuple[Tensor, Tensor], Tensor]:
        given, clean = crops.draw(count, draws)
        level = torch.rand(count, generator=draws)
        angle = level[:, None, None, None] * math.pi / 2
        noisy = angle.cos() * clean + angle.sin() * torch.randn(clean.shape, generator=draws)
        return (torch.cat([noisy, given], dim=1), level), clean

    return DenoisingProbe(fit(network, draw, steps, device), scale, device)


class _Denoiser(nn.Module):
    def __init__(self, told: int, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels + told + 2, WIDTH, 3, padding=1)
        self.blocks = nn.ModuleList(_Block() for _ in range(BLOCKS))
        self.last = nn.Conv2d(WIDTH, channels, 3, padding=1)

    def forward(self, x: Tensor, level: Tensor) -> Tensor:
        angles = math.pi * level[:, None] * torch.tensor([0.5, 1.0, 2.0], device=level.device)
        level_code = torch.cat([angles.cos(), angles.sin()], dim=1)
        hidden = self.first(x)
        for block in self.blocks:
            hidden = block(hidden, level_code)
        clean: Tensor = self.last(hidden)
        return clean


class _Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.before = _normed_convolution()
        self.level = nn.Linear(6, WIDTH)
        self.after = _normed_convolution()

    def forward(self, x: Tensor, level_code: Tensor) -> Tensor:
        hidden = self.before(x) + self.level(level_code)[:, :, None, None]
        out: Tensor = x + self.after(hidden)
        return out


def _normed_convolution() -> nn.Module:
    return nn.Sequential(nn.GroupNorm(NORM_GROUPS, WIDTH), nn.SiLU(), nn.Conv2d(WIDTH, WIDTH, 3, padding=1))
