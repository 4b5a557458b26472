"""SIGKILL in the middle of a reference point: the next run goes on and ends in the same bytes."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import vaescreen
from vaescreen.candidate import Candidate
from vaescreen.images import open_data
from vaescreen.superres.networks import UNet
from vaescreen.superres.recipes import NANO
from vaescreen.superres.reference import make_reference
from vaescreen.superres.training import CHECKPOINT_EVERY

KILLED_AT = CHECKPOINT_EVERY + 7
RECIPE = replace(
    NANO,
    name="tiny",
    size=32,
    network=UNet("unet-tiny", (8,), 1, (), False, 8),
    crop=32,
    samples=CHECKPOINT_EVERY + 15,
    batch=1,
    sampler_steps=5,
)
CANDIDATE = Candidate.model_validate(
    {
        "name": "haar-f8c1",
        "adapter": "linear",
        "source": {"basis": "haar"},
        "geometry": {"channels": 1, "factor": 8},
        "domain": "none",
        "family": "linear",
        "licence": "Apache-2.0",
        "training_data": "none",
    }
)


def make(results: Path, kill_at: int | None = None) -> list[int]:
    """The steps that were trained, if the process lives to tell."""
    steps = []

    def on_step(phase: str, done: int, total: int) -> None:
        if phase == "train":
            steps.append(done)
        if done == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    data = open_data("brain", size=32, train_images=3, test_images=3, name="few")
    make_reference(CANDIDATE, data, RECIPE, results, on_step=on_step)
    return steps


def make_and_die(results: Path) -> int:
    environment = {**os.environ, "PYTHONPATH": str(Path(vaescreen.__file__).parents[1])}
    command = [sys.executable, __file__, str(results)]
    return subprocess.run(command, env=environment, check=False, timeout=200).returncode


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_a_killed_reference_ends_in_the_same_table(tmp_path, monkeypatch):
    monkeypatch.setenv("VAESCREEN_CACHE", str(tmp_path / "disturbed"))
    assert make_and_die(tmp_path / "broken") == -signal.SIGKILL
    assert not list((tmp_path / "broken").rglob("*.*"))
    assert make(tmp_path / "broken") == list(range(CHECKPOINT_EVERY + 1, RECIPE.samples + 1))

    monkeypatch.setenv("VAESCREEN_CACHE", str(tmp_path / "undisturbed"))
    assert make(tmp_path / "straight") == list(range(1, RECIPE.samples + 1))
    broken, straight = (
        (tmp_path / name / "reference/tiny/few/haar-f8c1-seed0.parquet").read_bytes()
        for name in ("broken", "straight")
    )
    assert broken == straight


if __name__ == "__main__":
    torch.set_num_threads(1)
    make(Path(sys.argv[1]), KILLED_AT)
