"""Train the diffusion model of one candidate on cached latents; resumable to the identical weights."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from vaescreen.autoencoders.tensor_files import recall_tensors, write_tensors
from vaescreen.errors import CandidateError
from vaescreen.superres.diffusion import Process
from vaescreen.superres.draws import crop_cells, draw
from vaescreen.superres.latents import LatentPairs
from vaescreen.superres.networks import fit_network
from vaescreen.superres.optimisation import Stepper, Weights, follow, learning_rate
from vaescreen.superres.recipe import Recipe
from vaescreen.superres.team import Team

CHECKPOINT_EVERY = 500
LOG_EVERY = 100
LOOK_EVERY = 20
"""Steps after which losses are fetched from a GPU; fetching each would make it wait."""

OnStep = Callable[[int, float], None]


@dataclass(frozen=True)
class Trained:
    """Averaged weights, the loss curve and what it cost.

    `part` is the number of crops that were worked on at a time in the end: the batch, or less where memory ran out.
    """

    weights: Weights
    losses: list[float]
    steps: int
    seconds: float
    part: int


class Fitted(NamedTuple):
    """A network of the recipe for an autoencoder, and the side in cells of the crops it is trained on."""

    network: nn.Module
    cells: int


def fitted_network(recipe: Recipe, pairs: LatentPairs, factor: int) -> Fitted:
    """Build the network of a recipe for latents like `pairs`, adapted where they are too small for it.

    Raises
    ------
    CandidateError
        If it cannot be adapted.
    """
    latent, told, side = pairs.hr.shape[1], pairs.condition.shape[1], min(pairs.hr.shape[-2:])
    cells = crop_cells(recipe, factor, side)
    description = fit_network(recipe.network, cells, side, recipe.name)
    return Fitted(description.build(latent + told, latent, cells), cells)


def train(
    recipe: Recipe,
    pairs: LatentPairs,
    factor: int,
    checkpoint: Path,
    *,
    seed: int = 0,
    team: Team | None = None,
    checkpoint_every: int = CHECKPOINT_EVERY,
    on_step: OnStep = lambda step, loss: None,
) -> Trained:
    """Train on scaled latents, going on from `checkpoint` where it exists.

    Every draw depends on the seed and the step alone, so an interrupted run ends in the same weights.

    Parameters
    ----------
    recipe
        All choices.
    pairs
        Scaled latents on the device to train on.
    factor
        Spatial factor of the autoencoder, which turns the recipe's crop into cells.
    checkpoint
        File that an interrupted run goes on from, named by all that decides the training; a damaged one, or
        one of another name, is put aside.
    seed
        Of weights, noise, levels and crops.
    team
        Processes that share each batch; this one alone by default.
    checkpoint_every
        Steps after which the file is brought up to date; it decides nothing else.
    on_step
        Called with step and loss after each step; on a GPU some steps late.

    Raises
    ------
    CandidateError
        If the loss is no longer finite, memory does not suffice, or the latents are too small for the network.
    """
    device = pairs.hr.device
    team = team or Team(str(device))
    torch.manual_seed(seed)
    network, cells = fitted_network(recipe, pairs, factor)
    network = network.to(device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    average = {name: value.detach().clone() for name, value in network.named_parameters()}
    run: dict[str, Any] = {"step": 0, "seconds": 0.0, "losses": [], "recent": []}
    saved: dict[str, Any] = recall_tensors(checkpoint, checkpoint.stem, device) or {}
    if saved:
        network.load_state_dict(saved.pop("network"))
        average = saved.pop("average")
    share = team.share(recipe.batch)
    runner = team.wrap(network)
    if recipe.compile and device.type == "cuda":
        runner = torch.compile(runner)  # type: ignore[assignment]
    stepper = Stepper(recipe, runner, share.stop - share.start, alone=team.size == 1)
    if saved:
        stepper.optimizer.load_state_dict(saved.pop("optimizer"))
        run = saved
    process = Process.of(recipe, device)
    steps = recipe.steps_on(len(pairs.hr) // (2 if recipe.mirror else 1))
    watch = _Watch(run, checkpoint, on_step)
    began = time.perf_counter() - run["seconds"]
    while run["step"] < steps:
        step = run["step"]
        examples = draw(recipe, process, pairs, cells, seed=seed, step=step, share=share)
        loss = team.mean(stepper.step(examples, learning_rate(recipe, step, steps)))
        run["step"] = step = step + 1
        saving = step % checkpoint_every == 0 or step == steps
        watch.see(loss, look=saving or device.type == "cpu" or step % LOOK_EVERY == 0)
        follow(average, network, min(recipe.ema, step / (9 + step)))
        if saving:
            run["seconds"] = time.perf_counter() - began
            state = {"network": network.state_dict(), "optimizer": stepper.optimizer.state_dict()}
            if team.leads:
                write_tensors(checkpoint, run | state | {"average": average}, checkpoint.stem)
            watch.saved = step
    return Trained(average, run["losses"], steps, run["seconds"], stepper.part)


class _Watch:
    """Losses as they come: logged, reported, and the end of the run when one is not finite."""

    def __init__(self, run: dict[str, Any], checkpoint: Path, on_step: OnStep) -> None:
        self._run, self._checkpoint, self._on_step = run, checkpoint, on_step
        self._unseen: list[Tensor] = []
        self.saved: int = run["step"]

    def see(self, loss: Tensor, *, look: bool) -> None:
        """Take the loss of the step just made; look at all that were not looked at yet."""
        self._unseen.append(loss)
        if not look:
            return
        values = torch.stack(self._unseen).tolist()
        first = self._run["step"] - len(values) + 1
        self._unseen = []
        for step, value in enumerate(values, first):
            if not math.isfinite(value):
                kept = f"the last good checkpoint is {self._checkpoint} of step {self.saved}"
                raise CandidateError(
                    f"training diverged at step {step}: the loss is {value}; "
                    f"{kept if self.saved else 'no checkpoint was written yet'}; lower the recipe's learning_rate "
                    "or train in float32"
                )
            self._run["recent"].append(value)
            if step % LOG_EVERY == 0:
                self._run["losses"].append(round(sum(self._run["recent"]) / len(self._run["recent"]), 5))
                self._run["recent"] = []
            self._on_step(step, value)
