"""Files made to do harm change nothing on disk, use no memory to speak of, and give one line."""

import json
import os
import pickle
import sys
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from small_networks import build

from vaescreen.autoencoders import open_autoencoder
from vaescreen.candidate import Candidate
from vaescreen.errors import CandidateError

WEIGHTS = "diffusion_pytorch_model.safetensors"
PICKLE = "diffusion_pytorch_model.bin"


class Bomb:
    """Creates a folder when it is unpickled."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


@pytest.fixture
def folder(tmp_path) -> Path:
    build("AutoencoderKL").save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def refusal(folder: Path) -> str:
    """Message of opening the folder, in which nothing may have changed."""
    candidate = Candidate.model_validate(
        {
            "name": "mine",
            "adapter": "diffusers",
            "source": {"path": folder},
            "geometry": {"channels": 4, "factor": 4},
            "domain": "none",
            "family": "test",
            "licence": "MIT",
            "training_data": "none",
        }
    )
    before = sorted((path, path.lstat().st_mtime_ns) for path in folder.parent.rglob("*"))
    with pytest.raises(CandidateError) as caught:
        open_autoencoder(candidate)
    assert sorted((path, path.lstat().st_mtime_ns) for path in folder.parent.rglob("*")) == before
    message = str(caught.value)
    assert message.startswith("mine: ")
    assert "\n" not in message
    return message


class TestPickle:
    @pytest.mark.parametrize("save", [torch.save, lambda value, path: path.write_bytes(pickle.dumps(value))])
    def test_with_code(self, folder, save):
        (folder / WEIGHTS).unlink()
        save({"weight": Bomb(folder.parent / "exploded")}, folder / PICKLE)
        assert "is a pickle that would run code on load; convert it to safetensors" in refusal(folder)

    def test_with_code_that_claims_to_be_a_training_record(self, folder, monkeypatch):
        """Only names are let through, to a class that does nothing; what else is mentioned is refused as ever."""
        (folder / WEIGHTS).unlink()
        record = type("Callback", (), {"__module__": "pytorch_lightning.callbacks"})
        content = {"callbacks": record, "state_dict": {"weight": Bomb(folder.parent / "exploded")}}
        package, module = ModuleType("pytorch_lightning"), ModuleType("pytorch_lightning.callbacks")
        module.Callback = record
        monkeypatch.setitem(sys.modules, "pytorch_lightning", package)
        monkeypatch.setitem(sys.modules, "pytorch_lightning.callbacks", module)
        torch.save(content, folder / PICKLE)
        assert "is a pickle that would run code on load" in refusal(folder)

    def test_with_tensors_larger_than_their_data(self, folder):
        (folder / WEIGHTS).unlink()
        state = build("AutoencoderKL").state_dict()
        state["encoder.conv_in.weight"] = torch.zeros(1).expand(10**6, 10**6)
        torch.save(state, folder / PICKLE)
        assert "has tensors larger than the data behind them" in refusal(folder)


@pytest.mark.parametrize("record", ["archive/data.pkl", "archive/data/0"])
def test_zip_bomb(folder, record):
    (folder / WEIGHTS).unlink()
    with zipfile.ZipFile(folder / PICKLE, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(record, bytes(50_000_000))
    assert (folder / PICKLE).stat().st_size < 100_000
    assert "would unpack to 50 MB, more than its own size" in refusal(folder)


class TestLink:
    def test_that_leads_nowhere(self, folder):
        (folder / WEIGHTS).unlink()
        (folder / WEIGHTS).symlink_to(folder.parent / "gone")
        assert "gone" in refusal(folder)

    def test_pipe_in_place_of_a_file(self, folder):
        (folder / WEIGHTS).unlink()
        os.mkfifo(folder / PICKLE)
        assert "is missing, or is no plain file" in refusal(folder)


def test_endless_configuration(folder):
    (folder / "config.json").write_text('{"a": "' + "a" * 6_000_000 + '"}')
    assert "is larger than 5 MB; it is no configuration" in refusal(folder)


def test_configuration_of_a_huge_network(folder):
    config = json.loads((folder / "config.json").read_text())
    config["block_out_channels"] = [2**40] * 3
    (folder / "config.json").write_text(json.dumps(config))
    assert "does not build an AutoencoderKL" in refusal(folder)
