"""Checkpoints as training codes write them: the tensors are found, records skipped, other files named."""

import argparse
import collections
import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vaescreen.autoencoders.checkpoint import read_tensors
from vaescreen.autoencoders.files import WeightFiles
from vaescreen.autoencoders.key_names import counted, inner
from vaescreen.errors import CandidateError

STATE = {"conv.weight": torch.ones(2, 2), "conv.bias": torch.zeros(2)}
OTHER = {"conv.weight": torch.zeros(2, 2), "conv.bias": torch.zeros(2)}


class Options:
    """A class of the training script's own."""

    def __init__(self) -> None:
        self.rate = 1e-4


class Network(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = torch.nn.Linear(2, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.conv(x)
        return y


def read(path: Path) -> dict[str, torch.Tensor]:
    return read_tensors(WeightFiles(path, path), "mine")


@pytest.mark.parametrize("zipped", [True, False], ids=["archive", "before 1.6"])
@pytest.mark.parametrize(
    "content",
    [
        STATE,
        {"state_dict": STATE, "epoch": 3},
        {"model": STATE, "optimizer": {"state": {0: {"step": torch.zeros(2)}}}, "epoch": 3},
        {"ema": STATE, "model": OTHER},
        {"params_ema": STATE, "params": OTHER},
        {"model": {"vae": STATE}},
        {"my_own_name": STATE, "optimizer_states": [1]},
        {"state_dict": STATE, "args": argparse.Namespace(lr=1e-4)},
        {"state_dict": STATE, "best": np.float64(1.5), "history": np.zeros(3)},
        {"state_dict": STATE, "dir": Path("/x"), "stats": collections.defaultdict(list, {"a": [1]})},
        {"state_dict": STATE, "when": datetime.datetime(2026, 1, 1)},
    ],
)
def test_tensors_are_found(tmp_path: Path, content: Any, zipped: bool) -> None:
    torch.save(content, tmp_path / "last.ckpt", _use_new_zipfile_serialization=zipped)
    found = read(tmp_path / "last.ckpt")
    assert sorted(found) == sorted(STATE)
    assert torch.equal(found["conv.weight"], STATE["conv.weight"])


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({"epoch": 3, "args": {}}, "holds no tensors by name, but epoch, args"),
        ([1, 2], "holds a list, where a dictionary of tensors is expected"),
        (Network(), "holds a whole network as an object of its own code; save its tensors instead"),
    ],
)
def test_what_holds_none_is_named(tmp_path: Path, content: Any, says: str) -> None:
    torch.save(content, tmp_path / "last.ckpt")
    with pytest.raises(CandidateError, match=says):
        read(tmp_path / "last.ckpt")


def test_torchscript_is_named_and_its_mend_works(tmp_path: Path) -> None:
    torch.jit.save(torch.jit.script(Network()), tmp_path / "script.pt")
    with pytest.raises(CandidateError, match="is TorchScript, a program rather than weights"):
        read(tmp_path / "script.pt")
    torch.save(torch.jit.load(tmp_path / "script.pt").state_dict(), tmp_path / "weights.pt")
    assert sorted(read(tmp_path / "weights.pt")) == sorted(STATE)


@pytest.mark.parametrize(
    "prefix",
    ["", "module.", "_orig_mod.", "vae.", "first_stage_model.", "model.module.", "module._orig_mod."],
)
def test_prefixes_are_taken_off_and_what_lies_beside_is_told(prefix: str) -> None:
    state = {f"{prefix}{key}": value for key, value in STATE.items()} | {"loss.a": torch.zeros(1)}
    found = inner(state, STATE, "mine")
    beside = [] if prefix in ("", "_orig_mod.") else ["loss.a"]
    assert sorted(set(found.state) - {"loss.a"}) == sorted(STATE)
    assert found.beside == beside


def test_what_is_left_out_is_counted_by_part() -> None:
    assert counted(["loss.a", "loss.b", "model_ema.decay"]) == "2 of loss, 1 of model_ema"
