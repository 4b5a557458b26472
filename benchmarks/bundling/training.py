"""Adam on the mean log squared error of crops, from the warm start; resumable to the identical weights."""

import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from rich.progress import Progress
from torch import Tensor, nn

from benchmarks.bundling.architecture import build
from benchmarks.bundling.corpus import Corpus
from benchmarks.bundling.warm_start import start_as_pca
from vaescreen.autoencoders.contract import Geometry
from vaescreen.autoencoders.tensor_files import recall_tensors, write_tensors

CHECKPOINT_EVERY = 250
LOG_EVERY = 100
WARM_START_IMAGES = 200
_FLOOR = 1e-6


@dataclass(frozen=True)
class Schedule:
    """Every choice of the training."""

    steps: int = 1800
    batch: int = 16
    learning_rate: float = 5e-4
    warm_up: int = 100
    seed: int = 0

    def rate(self, step: int) -> float:
        """Linear warm-up, then cosine decay to a hundredth."""
        cosine = 0.5 * (1 + math.cos(math.pi * step / self.steps))
        return self.learning_rate * min(1.0, (step + 1) / self.warm_up) * (0.99 * cosine + 0.01)


def train(
    geometry: Geometry,
    corpus: Corpus,
    schedule: Schedule,
    checkpoint: Path,
    progress: Progress,
    name: str,
    *,
    checkpoint_every: int = CHECKPOINT_EVERY,
) -> tuple[nn.Module, dict[str, Any]]:
    """Train one autoencoder, going on from `checkpoint` where it exists.

    The file is brought up to date every `checkpoint_every` steps, which decides nothing else.

    Returns
    -------
    tuple
        The network in evaluation mode, and its log: schedule, loss every `LOG_EVERY` steps (mean over these steps
        of the mean natural logarithm of the crops' squared error in [-1, 1]), parameters and seconds.
    """
    torch.manual_seed(schedule.seed)
    network = build(geometry)
    start_as_pca(network, corpus.sample(128, WARM_START_IMAGES))
    network = network.to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.AdamW(
        network.parameters(), schedule.learning_rate, betas=(0.9, 0.99), weight_decay=0.0, fused=True
    )
    step, seconds, losses, recent = 0, 0.0, list[float](), list[float]()
    state = recall_tensors(checkpoint, checkpoint.stem)
    if state:
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        step, seconds, losses, recent = state["step"], state["seconds"], state["losses"], state["recent"]
    task = progress.add_task(name, total=schedule.steps, completed=step)
    began = time.perf_counter() - seconds
    while step < schedule.steps:
        for group in optimizer.param_groups:
            group["lr"] = schedule.rate(step)
        recent.append(_step(network, optimizer, corpus.batch(step, schedule.batch, schedule.seed)))
        step += 1
        progress.update(task, completed=step)
        if step % LOG_EVERY == 0:
            losses.append(round(sum(recent) / len(recent), 5))
            recent = []
        if step % checkpoint_every == 0 or step == schedule.steps:
            seconds = time.perf_counter() - began
            state = {"network": network.state_dict(), "optimizer": optimizer.state_dict()}
            run = {"step": step, "seconds": seconds, "losses": losses, "recent": recent}
            write_tensors(checkpoint, state | run, checkpoint.stem)
    log = {
        "schedule": asdict(schedule),
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "seconds": round(seconds, 1),
        "log_loss": losses,
    }
    return network.eval(), log


def _step(network: Any, optimizer: torch.optim.Optimizer, crops: Tensor) -> float:
    crops = crops.contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        output = network.decoder(network.encoder(crops))
    loss = torch.log((output.float() - crops).square().flatten(1).mean(1) + _FLOOR).mean()
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()
    return float(loss.detach())
