"""Candidates that fail in every way: a reason each, and what runs after them in the same process is the same."""

import json
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from numpy import random as legacy
from small import write_pictures, write_registry
from torch import Tensor

import vaescreen
from vaescreen.autoencoders.contract import Geometry
from vaescreen.errors import CandidateError
from vaescreen.screening.guarded import GuardedAutoencoder

IMAGES = torch.rand(4, 1, 8, 8, generator=torch.Generator().manual_seed(0))


class Pretender:
    """Gives images back as they are, after it has done something else."""

    geometry = Geometry(1, 1)
    fingerprint = "pretender"

    def __init__(self, misbehave: Callable[[Tensor], object]) -> None:
        self._misbehave = misbehave

    def encode(self, images: Tensor) -> Tensor:
        self._misbehave(images)
        return images

    def decode(self, latents: Tensor, size: tuple[int, int]) -> Tensor:
        return latents


def leave(images: Tensor) -> None:
    sys.exit(3)


def divide(images: Tensor) -> float:
    return 1 / 0


def hang(images: Tensor) -> None:
    time.sleep(60)


def spin(images: Tensor) -> None:
    while True:
        pass


def in_place(images: Tensor) -> Tensor:
    return images.mul_(0.5)


def behind_torch(images: Tensor) -> None:
    images.numpy()[:] = 0


def guarded(misbehave: Callable[[Tensor], object]) -> GuardedAutoencoder:
    limit = 0.3 if misbehave in (hang, spin) else 60
    return GuardedAutoencoder(Pretender(misbehave), "mine", 4, limit)


@pytest.mark.parametrize(
    ("misbehave", "reason"),
    [
        (divide, r"fails on \(4, 1, 8, 8\) \(ZeroDivisionError"),
        (leave, r"fails on \(4, 1, 8, 8\) \(SystemExit: 3\)"),
        (hang, "no answer within 0.3 s; give it longer with --time-limit"),
        (spin, "no answer within 0.3 s"),
        (in_place, "changes the images or latents it is given"),
        (behind_torch, "changes the images or latents it is given"),
        (lambda images: torch.set_default_dtype(torch.float64), "changes the default dtype"),
        (lambda images: torch.set_grad_enabled(False), "changes whether gradients are computed"),
        (lambda images: torch.set_num_threads(3), "changes the number of threads"),
        (
            lambda images: torch.use_deterministic_algorithms(True),
            "changes whether algorithms are deterministic",
        ),
        (lambda images: os.environ.update(OF_A_CANDIDATE="1"), "changes the environment"),
        (lambda images: os.environ.pop("PATH"), "changes the environment"),
        (lambda images: os.chdir("/"), "changes the working directory"),
    ],
)
def test_it_is_refused_with_its_reason_and_everything_is_put_back(misbehave, reason):
    before = (
        torch.get_default_dtype(),
        torch.is_grad_enabled(),
        torch.get_num_threads(),
        dict(os.environ),
        Path.cwd(),
    )
    with pytest.raises(CandidateError, match=f"mine: {reason}"):
        guarded(misbehave).encode(IMAGES.clone())
    after = (
        torch.get_default_dtype(),
        torch.is_grad_enabled(),
        torch.get_num_threads(),
        dict(os.environ),
        Path.cwd(),
    )
    assert after == before
    assert not torch.are_deterministic_algorithms_enabled()


@pytest.mark.parametrize("seed", [torch.manual_seed, legacy.seed, random.seed])
def test_its_random_numbers_are_its_own(seed):
    draw = (lambda: torch.rand(1).item(), legacy.random, random.random)
    torch.manual_seed(1), legacy.seed(1), random.seed(1)  # noqa: NPY002 - what candidates use
    expected = [each() for each in draw]
    torch.manual_seed(1), legacy.seed(1), random.seed(1)  # noqa: NPY002
    guarded(lambda images: (seed(7), torch.rand(3), legacy.random(3), random.random())).encode(IMAGES)  # noqa: NPY002
    assert [each() for each in draw] == expected


def test_an_alarm_that_somebody_else_set_still_comes():
    heard = []
    handler, before = (
        signal.signal(signal.SIGALRM, lambda number, frame: heard.append(number)),
        signal.getitimer(0),
    )
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        guarded(lambda images: None).encode(IMAGES)
        time.sleep(0.4)
    finally:
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, *before)
    assert heard == [signal.SIGALRM]


def test_what_it_prints_is_no_result(capsys):
    guarded(lambda images: print("hello")).encode(IMAGES)
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "hello\n")


MODULE = """
import ctypes, os, sys, time
import torch

print("imported")
torch.set_grad_enabled(False)

def network(misbehave):
    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.convolution, self.seen = torch.nn.Conv2d(1, 1, 1), 0

        def encode(self, images):
            return misbehave(self, images)

        def decode(self, latents):
            return latents

    return Network

def count(self, images):
    self.seen += len(images)
    return images if self.seen < 20 else 0.5 * images

def patch(self, images):
    torch.Tensor.square = lambda tensor: tensor
    return images

leaves = network(lambda self, images: os._exit(0))
crashes = network(lambda self, images: os.kill(os.getpid(), 11))
hangs = network(lambda self, images: ctypes.CDLL(None).sleep(600) or images)
blends = network(lambda self, images: images - images.mean(0) if len(images) > 1 else images)
counts = network(count)
patches = network(patch)
exits = lambda: sys.exit(0)
good = network(lambda self, images: print("printed") or images)
"""
REASONS = {
    "leaves": "its process ended by itself, with exit code 0",
    "crashes": "its process was ended by SIGSEGV",
    "exits": "SystemExit",
    "blends": "an image comes back otherwise alone than in a batch",
}
SLOW_REASONS = {
    "hangs": "its process ended by itself, with exit code 1",
    "counts": "an image comes back otherwise after other images than before them",
}
ENTRY = """
  {name}:
    adapter: module
    source: {{module: "misbehaving:{name}", folder: .}}
    geometry: {{channels: 1, factor: 1}}
    input: {{channels: 1, multiple: 1}}
    domain: none
    family: test-{name}
    licence: MIT
    training_data: none
"""


def rank(
    folder: Path, *candidates: str, codecs: tuple[str, ...] = ("dct-f16c4",), trust: bool = True
) -> "subprocess.CompletedProcess[str]":
    """Rank the candidates named and then the codecs, in a process of its own."""
    (folder / "misbehaving.py").write_text(textwrap.dedent(MODULE))
    registry = write_registry(folder)
    registry.write_text(registry.read_text() + "".join(ENTRY.format(name=name) for name in candidates))
    pictures = write_pictures(folder / "pictures", count=10, side=32)
    command = ["rank", *candidates, *codecs, "--data", pictures, "--registry", registry]
    options = ["--format", "json", "--processes", "1", "--time-limit", "2", "--recipe", "compact+samples=32"]
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(vaescreen.__file__).parents[1]),
        "VAESCREEN_CACHE": str(folder / "cache" / "-".join(candidates)),
    }
    return subprocess.run(
        [sys.executable, "-m", "vaescreen", *map(str, command), *options, *(["--trust", registry] if trust else [])],
        capture_output=True, text=True, check=False, env=environment, timeout=900,
    )  # fmt: skip


def figures(payload: dict) -> dict[str, dict]:
    timed = ("ms_per_image", "rank", "undominated", "shares_rank_with", "tied_with")
    return {
        row["candidate"]: {key: value for key, value in row.items() if key not in timed}
        for row in payload["rows"]
    }


def reasons(payload: dict) -> dict[str, str]:
    return {each["candidate"]: each["reason"] for each in payload["failed"]}


@pytest.mark.parametrize(
    "expected",
    [REASONS, pytest.param(SLOW_REASONS, marks=[pytest.mark.slow, pytest.mark.timeout(1500)])],
    ids=["some", "others"],
)
def test_each_is_a_row_with_its_reason_and_the_others_do_not_move(tmp_path, expected):
    made = rank(tmp_path, *expected)
    assert made.returncode == 0, made.stderr
    payload = json.loads(made.stdout)
    found = reasons(payload)
    assert sorted(found) == sorted(expected)
    for name, reason in expected.items():
        assert reason in found[name]
    alone = json.loads(rank(tmp_path).stdout)
    assert figures(payload) == figures(alone)


@pytest.mark.slow
def test_one_that_prints_or_changes_torch_itself_moves_nobody(tmp_path):
    codecs = ("dct-f16c4", "haar-f16c4")
    payload = json.loads(rank(tmp_path, "patches", "good", codecs=codecs).stdout)
    alone = json.loads(rank(tmp_path, codecs=codecs).stdout)
    assert {"good", *figures(alone)} <= set(figures(payload))
    for name, row in figures(alone).items():
        assert figures(payload)[name] == row


def test_somebody_elses_file_runs_nothing_until_it_is_trusted(tmp_path):
    made = rank(tmp_path, "good", codecs=(), trust=False)
    assert made.returncode != 0
    assert "imported" not in made.stdout + made.stderr
    assert "runs code, misbehaving:good; if you trust that file, give --trust" in made.stdout + made.stderr
