"""Train the diffusion model of one candidate on cached latents; resumable to the identical weights."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vaescreen.errors import CandidateError
from vaescreen.storage import write_torch
from vaescreen.superres.diffusion import build_network, build_scheduler, denoise
from vaescreen.superres.latents import LatentPairs
from vaescreen.superres.recipes import Recipe

CHECKPOINT_EVERY = 500
LOG_EVERY = 100

Weights = dict[str, Tensor]


@dataclass(frozen=True)
class Trained:
    """Averaged weights at half and at full budget, the loss curve and what it cost."""

    half: Weights
    full: Weights
    losses: list[float]
    seconds: float


def train(
    recipe: Recipe,
    pairs: LatentPairs,
    factor: int,
    checkpoint: Path,
    *,
    seed: int = 0,
    checkpoint_every: int = CHECKPOINT_EVERY,
    on_step: Callable[[int, float], None] = lambda step, loss: None,
) -> Trained:
    """Train on standardised latents, going on from `checkpoint` where it exists.

    Every draw depends on the seed and the step alone, so an interrupted run ends in the same weights.

    Parameters
    ----------
    recipe
        All choices.
    pairs
        Standardised latents on the device to train on.
    factor
        Spatial factor of the autoencoder, which turns the recipe's crop into cells.
    checkpoint
        File that an interrupted run goes on from.
    seed
        Of weights, noise, levels and crops.
    checkpoint_every
        Steps after which the file is brought up to date; it decides nothing else.
    on_step
        Called with step and loss after each step.

    Raises
    ------
    CandidateError
        If the loss is no longer finite.
    """
    torch.manual_seed(seed)
    network = build_network(recipe, pairs.hr.shape[1]).to(pairs.hr.device)
    network = network.to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(network.parameters(), recipe.learning_rate, fused=True)
    average = {name: value.detach().clone() for name, value in network.named_parameters()}
    run: dict[str, Any] = {"step": 0, "seconds": 0.0, "losses": [], "recent": [], "half": {}}
    if checkpoint.is_file():
        run = torch.load(checkpoint, weights_only=True, map_location=pairs.hr.device)
        network.load_state_dict(run.pop("network"))
        optimizer.load_state_dict(run.pop("optimizer"))
        average = run.pop("average")
    alphas = build_scheduler(recipe).alphas_cumprod.to(pairs.hr.device)
    cells = min(recipe.crop // factor, *pairs.hr.shape[-2:])
    began = time.perf_counter() - run["seconds"]
    while run["step"] < recipe.steps:
        step = run["step"]
        for group in optimizer.param_groups:
            group["lr"] = _rate(recipe, step)
        loss = _step(network, optimizer, _draw(recipe, pairs, cells, alphas, seed, step))
        if not math.isfinite(loss):
            raise CandidateError(f"training diverged at step {step}: the loss is {loss}")
        _follow(average, network, min(recipe.ema, (1 + step) / (10 + step)))
        run["step"] = step = step + 1
        run["recent"].append(loss)
        on_step(step, loss)
        if step % LOG_EVERY == 0:
            run["losses"].append(round(sum(run["recent"]) / len(run["recent"]), 5))
            run["recent"] = []
        if step == recipe.steps // 2:
            run["half"] = {name: value.clone() for name, value in average.items()}
        if step % checkpoint_every == 0 or step == recipe.steps:
            run["seconds"] = time.perf_counter() - began
            state = {"network": network.state_dict(), "optimizer": optimizer.state_dict(), "average": average}
            write_torch(checkpoint, run | state)
    return Trained(run["half"], average, run["losses"], run["seconds"])


@dataclass(frozen=True)
class _Batch:
    noisy: Tensor
    condition: Tensor
    clean: Tensor
    level: Tensor


def _draw(recipe: Recipe, pairs: LatentPairs, cells: int, alphas: Tensor, seed: int, step: int) -> _Batch:
    """Crops with noise at uniformly drawn levels: sqrt(a) x0 + sqrt(1 - a) noise (Ho et al., 2020, eq. 4).

    Crops begin where an LR cell does, as whole images do: what belongs into a block of HR cells differs from
    place to place in the block, and the strides of the network tell these places apart.
    """
    generator = torch.Generator().manual_seed(seed * 1_000_003 + step)
    count, (height, width) = recipe.batch, pairs.hr.shape[-2:]
    chosen = torch.randint(len(pairs.hr), (count,), generator=generator).tolist()
    block = recipe.degradation.scale
    tops = (block * torch.randint((height - cells) // block + 1, (count,), generator=generator)).tolist()
    lefts = (block * torch.randint((width - cells) // block + 1, (count,), generator=generator)).tolist()
    level = torch.randint(recipe.noise_levels, (count,), generator=generator)
    noise = torch.randn((count, pairs.hr.shape[1], cells, cells), generator=generator)
    windows = [
        (n, slice(None), slice(top, top + cells), slice(left, left + cells))
        for n, top, left in zip(chosen, tops, lefts, strict=True)
    ]
    clean = torch.stack([pairs.hr[window] for window in windows])
    condition = torch.stack([pairs.condition[window] for window in windows])
    level, noise = level.to(clean.device), noise.to(clean.device)
    alpha = alphas[level][:, None, None, None]
    return _Batch(alpha.sqrt() * clean + (1 - alpha).sqrt() * noise, condition, clean, level)


def _step(network: nn.Module, optimizer: torch.optim.Optimizer, batch: _Batch) -> float:
    estimate = denoise(network, batch.noisy, batch.condition, batch.level)
    loss = nn.functional.mse_loss(estimate, batch.clean)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()
    return float(loss.detach())


@torch.no_grad()
def _follow(average: Weights, network: nn.Module, decay: float) -> None:
    for name, value in network.named_parameters():
        average[name].lerp_(value, 1 - decay)


def _rate(recipe: Recipe, step: int) -> float:
    cosine = 0.5 * (1 + math.cos(math.pi * step / recipe.steps))
    return recipe.learning_rate * min(1.0, (step + 1) / recipe.warm_up) * cosine
