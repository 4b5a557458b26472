"""Training a bundled network: the loss falls, and an interrupted run ends in the weights of a straight one."""

from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.bundling.architecture import build
from benchmarks.bundling.dead_leaves import draw_dead_leaves
from benchmarks.bundling.training import Schedule, train
from vaescreen.autoencoders.contract import Geometry

GEOMETRY = Geometry(1, 4)
STEPS = 101


class TinyCorpus:
    """Eight dead-leaves images, of which every step draws crops."""

    def __init__(self) -> None:
        images = np.stack([draw_dead_leaves(index, 64) for index in range(8)])
        self.images = torch.from_numpy(images)[:, None] * 2 - 1

    def batch(self, step: int, count: int, seed: int) -> torch.Tensor:
        draws = np.random.default_rng([seed, step])
        chosen = draws.integers(len(self.images), size=count)
        top, left = draws.integers(33, size=2)
        return self.images[chosen, :, top : top + 32, left : left + 32]

    def sample(self, size: int, count: int) -> torch.Tensor:
        return self.images


class Interruption:
    """A progress bar that interrupts the run at a step, before it is written down."""

    def __init__(self, at: int | None = None) -> None:
        self.at = at

    def add_task(self, name: str, *, total: int, completed: int) -> int:
        self.first = completed
        return 0

    def update(self, task: int, *, completed: int) -> None:
        if completed == self.at:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def corpus() -> TinyCorpus:
    return TinyCorpus()


@pytest.fixture(scope="module")
def straight(corpus, tmp_path_factory):
    return run(corpus, tmp_path_factory.mktemp("straight") / "checkpoint", steps=STEPS)


def run(
    corpus,
    checkpoint: Path,
    *,
    steps: int,
    interruption: Interruption | None = None,
    seed: int = 0,
    every: int = 50,
):
    schedule = Schedule(steps=steps, batch=4, warm_up=3, learning_rate=2e-3, seed=seed)
    network, log = train(
        GEOMETRY, corpus, schedule, checkpoint, interruption or Interruption(), "tiny", checkpoint_every=every
    )
    return {name: value.clone() for name, value in network.state_dict().items()}, log


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(corpus, tmp_path):
    first, _ = run(corpus, tmp_path / "1", steps=3)
    again, _ = run(corpus, tmp_path / "2", steps=3)
    other, _ = run(corpus, tmp_path / "3", steps=3, seed=1)
    assert same(first, again)
    assert not same(first, other)


def test_how_often_it_is_saved_decides_nothing(corpus, tmp_path):
    assert same(
        run(corpus, tmp_path / "1", steps=5, every=1)[0], run(corpus, tmp_path / "2", steps=5, every=99)[0]
    )


def test_an_interrupted_run_ends_in_the_weights_and_the_log_of_a_straight_one(corpus, straight, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(corpus, tmp_path / "broken", steps=STEPS, interruption=Interruption(at=99), every=45)
    resumed = Interruption()
    weights, log = run(corpus, tmp_path / "broken", steps=STEPS, interruption=resumed, every=45)
    assert resumed.first == 90
    assert same(weights, straight[0])
    assert {**log, "seconds": 0} == {**straight[1], "seconds": 0}


def test_the_log_describes_the_run(straight):
    weights, log = straight
    assert log["schedule"] == {"steps": STEPS, "batch": 4, "learning_rate": 2e-3, "warm_up": 3, "seed": 0}
    assert log["parameters"] == sum(value.numel() for value in weights.values())
    assert log["seconds"] > 0
    assert len(log["log_loss"]) == 1


def test_training_beats_the_pca_that_it_began_as(corpus, straight, tmp_path):
    began, _ = run(corpus, tmp_path / "0", steps=0)
    assert log_error(corpus, straight[0]) < log_error(corpus, began) - 0.2


@torch.no_grad()
def log_error(corpus: TinyCorpus, weights: dict[str, torch.Tensor]) -> float:
    network = build(GEOMETRY)
    network.load_state_dict(weights)
    output = network.decoder(network.encoder(corpus.images))
    return float((output - corpus.images).square().flatten(1).mean(1).log().mean())
