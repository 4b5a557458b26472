"""Samples a second of our training loop and of a plain loop in the published manner: same network, same machine.

python benchmarks/reference_speed.py --data ../shared/data/chest --candidate medical-f4c4

The plain loop is what published code does: a `Dataset` that reads one file of latents a sample, a `DataLoader`,
batches of 8, mixed precision on a GPU and float32 on a CPU, AdamW in a loop, no average of the weights. Ours runs
at the same batch and at the recipe's own. Loops take turns, so that other load on the machine falls on all alike;
the median over the turns is given. The share outside forward, backward and optimiser is measured in turns of its own.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from vaescreen.autoencoders import open_autoencoder
from vaescreen.environment import command_line, environment
from vaescreen.images import open_data
from vaescreen.registry.catalogue import Registry
from vaescreen.storage import write_json
from vaescreen.superres.diffusion import Process
from vaescreen.superres.draws import draw
from vaescreen.superres.latents import LatentPairs, training_pairs
from vaescreen.superres.optimisation import Stepper, follow
from vaescreen.superres.recipe import Recipe
from vaescreen.superres.recipes import recipe_named
from vaescreen.superres.scaling import Scale
from vaescreen.superres.training import fitted_network, train
from vaescreen.superres.variants import vary

PLAIN_BATCH = 8


class Files(Dataset[tuple[Tensor, Tensor]]):
    """One file a sample, read when it is asked for."""

    def __init__(self, pairs: LatentPairs, folder: Path, cells: int) -> None:
        self.paths, self.cells = [], cells
        self.random = np.random.default_rng(0)
        for number, (hr, condition) in enumerate(zip(pairs.hr.cpu(), pairs.condition.cpu(), strict=True)):
            path = folder / f"{number:06}.npz"
            np.savez(path, hr=hr.numpy(), condition=condition.numpy())
            self.paths.append(path)

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, number: int) -> tuple[Tensor, Tensor]:
        file = np.load(self.paths[number])
        hr, condition = torch.from_numpy(file["hr"]), torch.from_numpy(file["condition"])
        reach = hr.shape[-1] - self.cells + 1
        top, left = self.random.integers(reach, size=2)
        place = (slice(None), slice(top, top + self.cells), slice(left, left + self.cells))
        return hr[place], condition[place]


def plain(recipe: Recipe, files: Files, network: nn.Module, device: str, steps: int) -> float:
    """Samples a second of the loop as published."""
    network = network.to(device).train()
    optimizer = torch.optim.AdamW(network.parameters(), recipe.learning_rate, foreach=False)
    process, mixed = Process.of(recipe, device), device != "cpu"
    scaler = torch.amp.GradScaler(device, enabled=mixed)
    loader = iter(DataLoader(files, batch_size=PLAIN_BATCH, shuffle=True))
    began = 0.0
    for step in range(steps + 1):
        if step == 1:  # the first step warms up
            began = now(device)
        clean, condition = (part.to(device) for part in next(loader))
        level = torch.randint(recipe.noise_levels, (len(clean),), device=device)
        noisy = process.noised(clean, None, torch.randn_like(clean), level)
        with torch.autocast(device, torch.float16, enabled=mixed):
            loss = F.mse_loss(network(torch.cat([noisy, condition], 1), level).sample, clean)
        optimizer.zero_grad()
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        scaler.step(optimizer)
        scaler.update()
        loss.item()
    return steps * PLAIN_BATCH / (now(device) - began)


def ours(recipe: Recipe, pairs: LatentPairs, factor: int, folder: Path, steps: int) -> float:
    """Samples a second of `train` as it is, without its first step."""
    times: list[float] = []
    device = str(pairs.hr.device)
    short = vary(recipe, samples=(steps + 1) * recipe.batch)
    train(
        short,
        pairs,
        factor,
        folder / f"{time.monotonic_ns()}.pt",
        checkpoint_every=10**9,
        on_step=lambda step, loss: times.append(now(device)) if step in (1, steps) else None,
    )
    return (steps - 1) * recipe.batch / (times[1] - times[0])


def share_outside(recipe: Recipe, pairs: LatentPairs, factor: int, steps: int) -> float:
    """Part of a step's time that goes into drawing examples and averaging weights."""
    device = str(pairs.hr.device)
    network, cells = fitted_network(recipe, pairs, factor)
    network = network.to(device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    stepper, process = Stepper(recipe, network, recipe.batch), Process.of(recipe, device)
    average = {name: value.detach().clone() for name, value in network.named_parameters()}
    inside = outside = 0.0
    for step in range(steps + 1):
        begin = now(device)
        examples = draw(recipe, process, pairs, cells, seed=0, step=step)
        drawn = now(device)
        stepper.step(examples, recipe.learning_rate)
        stepped = now(device)
        follow(average, network, recipe.ema)
        if step:
            outside += drawn - begin + now(device) - stepped
            inside += stepped - drawn
    return outside / (inside + outside)


def now(device: str) -> float:
    if device != "cpu":
        torch.cuda.synchronize()
    return time.perf_counter()


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    recipe, device = recipe_named(arguments.recipe), arguments.device
    data = open_data(arguments.data, size=recipe.size, train_images=arguments.images, test_images=1)
    autoencoder = open_autoencoder(Registry.load().candidate(arguments.candidate), data, device)
    raw = training_pairs(autoencoder, data, recipe)
    scaled = Scale.of(recipe, raw).apply(raw)
    pairs = LatentPairs(scaled.hr.to(device), scaled.condition.to(device))
    factor = autoencoder.geometry.factor
    equal = vary(recipe, batch=PLAIN_BATCH)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        network, cells = fitted_network(recipe, pairs, factor)
        files = Files(pairs, folder, cells)
        loops: dict[str, Callable[[], float]] = {
            "plain, batch 8": lambda: plain(recipe, files, network, device, arguments.steps),
            "ours, batch 8": lambda: ours(equal, pairs, factor, folder, arguments.steps),
            f"ours, batch {recipe.batch}": lambda: ours(recipe, pairs, factor, folder, arguments.steps),
        }
        found: dict[str, list[float]] = {loop: [] for loop in loops}
        for _ in range(arguments.turns):
            for loop, run in loops.items():
                found[loop].append(round(run(), 1))
    speeds = {loop: median(values) for loop, values in found.items()}
    base = speeds["plain, batch 8"]
    return {
        "recipe": recipe.name,
        "candidate": arguments.candidate,
        "samples_per_second": speeds,
        "turns": found,
        "ratio_to_plain": {loop: round(speed / base, 2) for loop, speed in speeds.items()},
        "share_outside_forward_backward_optimiser": round(
            share_outside(recipe, pairs, factor, arguments.steps), 4
        ),
        "environment": environment(device),
        "command": command_line(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", required=True)
    parser.add_argument("--candidate", default="medical-f4c4")
    parser.add_argument("--recipe", default="compact")
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/reference_speed.json"))
    arguments = parser.parse_args()
    torch.set_num_threads(1 if arguments.device == "cpu" else torch.get_num_threads())
    result = measure(arguments)
    write_json(arguments.out, result)
    print(result)


if __name__ == "__main__":
    main()
