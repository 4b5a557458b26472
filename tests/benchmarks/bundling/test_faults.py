"""SIGKILL in the middle of training a bundled autoencoder: the next run goes on and ends in the same weights."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import vaescreen
from benchmarks.bundling.training import Schedule, train
from vaescreen.autoencoders.contract import Geometry

STEPS, CHECKPOINT_EVERY, KILLED_AT = 9, 4, 7


class NoiseCorpus:
    def batch(self, step: int, count: int, seed: int) -> torch.Tensor:
        return torch.rand(count, 1, 32, 32, generator=torch.Generator().manual_seed(step)) * 2 - 1

    def sample(self, size: int, count: int) -> torch.Tensor:
        return self.batch(0, count, 0)


class LethalProgress:
    def __init__(self, kill_at: int | None) -> None:
        self.kill_at = kill_at

    def add_task(self, name: str, *, total: int, completed: int) -> None:
        self.first = completed

    def update(self, task: None, *, completed: int) -> None:
        if completed == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)


def run(checkpoint: Path, kill_at: int | None = None) -> tuple[int, dict[str, torch.Tensor]]:
    """The step it began at, and the weights it ended in."""
    progress = LethalProgress(kill_at)
    schedule = Schedule(steps=STEPS, batch=2, warm_up=2)
    network, _ = train(
        Geometry(1, 4),
        NoiseCorpus(),
        schedule,
        checkpoint,
        progress,
        "tiny",
        checkpoint_every=CHECKPOINT_EVERY,
    )
    return progress.first, network.state_dict()


def run_and_die(checkpoint: Path) -> int:
    environment = {**os.environ, "PYTHONPATH": str(Path(vaescreen.__file__).parents[1])}
    command = [sys.executable, __file__, str(checkpoint)]
    return subprocess.run(command, env=environment, check=False, timeout=200).returncode


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_a_killed_training_ends_in_the_same_weights(tmp_path):
    assert run_and_die(tmp_path / "broken") == -signal.SIGKILL
    began, resumed = run(tmp_path / "broken")
    _, straight = run(tmp_path / "straight")
    assert began == CHECKPOINT_EVERY
    assert all(torch.equal(resumed[name], straight[name]) for name in straight)


if __name__ == "__main__":
    torch.set_num_threads(1)
    run(Path(sys.argv[1]), KILLED_AT)
