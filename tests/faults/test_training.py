"""SIGKILL at any moment of encoding, training and evaluation: the next run goes on and ends in the same bytes."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import vaescreen
from vaescreen.images import open_data
from vaescreen.registry.candidate import Candidate
from vaescreen.storage import cache_dir
from vaescreen.superres.networks import UNet
from vaescreen.superres.recipes import COMPACT
from vaescreen.superres.reference import make_reference
from vaescreen.superres.training import CHECKPOINT_EVERY

STEPS = CHECKPOINT_EVERY + 15
TRAIN, TEST = 3, 40
RECIPE = replace(
    COMPACT,
    name="tiny",
    size=32,
    network=UNet("unet-tiny", (8,), 1, (), False, 8),
    crop=32,
    samples=STEPS,
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
needs_sigkill = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")


def make(results: Path, kill_at: tuple[str, int] | None = None) -> list[tuple[str, int]]:
    """What was done, if the process lives to tell."""
    done = []

    def on_step(phase: str, number: int, total: int) -> None:
        done.append((phase, number))
        if (phase, number) == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    data = open_data("brain", size=32, train_images=TRAIN, test_images=TEST, name="few")
    make_reference(CANDIDATE, data, RECIPE, results, on_step=on_step)
    return done


def start(results: Path, *kill_at: str) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, "PYTHONPATH": str(Path(vaescreen.__file__).parents[1])}
    return subprocess.Popen([sys.executable, __file__, str(results), *kill_at], env=environment)


def table(results: Path) -> bytes:
    return (results / "reference/tiny/few/haar-f8c1-seed0.parquet").read_bytes()


@pytest.fixture
def undisturbed(tmp_path, monkeypatch) -> bytes:
    with monkeypatch.context() as patch:
        patch.setenv("VAESCREEN_CACHE", str(tmp_path / "undisturbed"))
        everything = [
            ("encode", TRAIN),
            *(("train", step) for step in range(1, STEPS + 1)),
            *(("evaluate", images) for images in (16, 32, 40)),
        ]
        assert make(tmp_path / "straight") == everything
    return table(tmp_path / "straight")


@needs_sigkill
def test_killed_while_encoding_training_and_evaluating_it_ends_in_the_same_table(undisturbed, tmp_path):
    results = tmp_path / "broken"
    for phase, number in (("encode", TRAIN), ("train", CHECKPOINT_EVERY + 7), ("evaluate", 16)):
        assert start(results, phase, str(number)).wait(200) == -signal.SIGKILL
        assert not list(results.rglob("*.*"))
    assert make(results) == [("evaluate", images) for images in (16, 32, 40)]
    assert table(results) == undisturbed


@needs_sigkill
@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_killed_at_twenty_random_moments_it_ends_in_the_same_table(undisturbed, tmp_path):
    """The moments spread over start, encoding, training and evaluation, of as many runs as it takes."""
    began = time.monotonic()
    assert start(tmp_path / "timed").wait(300) == 0
    length = time.monotonic() - began
    moments, runs, killed = random.Random(0), 0, 0
    while killed < 20:
        shutil.rmtree(cache_dir())
        results, runs = tmp_path / f"broken-{runs}", runs + 1
        finished = False
        while not finished:
            process = start(results)
            patience = moments.uniform(0.05, 1) * length if killed < 20 else 300
            try:
                finished = process.wait(patience) == 0
            except subprocess.TimeoutExpired:
                process.kill()
                assert process.wait(60) == -signal.SIGKILL
                killed += 1
        assert table(results) == undisturbed


if __name__ == "__main__":
    torch.set_num_threads(1)
    place = sys.argv[2:]
    make(Path(sys.argv[1]), (place[0], int(place[1])) if place else None)
