"""Files that are cut, flipped, emptied or another's: put aside, said and made again, never believed."""

import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from vaescreen.autoencoders.contract import Geometry
from vaescreen.autoencoders.tensor_files import recall_tensors, write_tensors
from vaescreen.errors import DamagedError, ResultError
from vaescreen.images.degradation import Degradation
from vaescreen.screening.cards import (
    PROTOCOL,
    ScoreCard,
    card_path,
    current_card,
    read_card,
    read_images,
    write_card,
)
from vaescreen.screening.view import View
from vaescreen.storage import read_json, recall_json, write_json
from vaescreen.superres.kept import keep, recall
from vaescreen.superres.training import Trained

VIEW = View(32, Degradation("lanczos", 4))
KEY = "key"


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def emptied(data: bytes) -> bytes:
    return b""


def zeroed(data: bytes) -> bytes:
    return bytes(len(data))


def flipped(data: bytes) -> bytes:
    """One bit of a late byte: in a safetensors file a weight, in JSON a digit or letter."""
    place = len(data) * 3 // 4
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


DAMAGES = (cut, emptied, zeroed, flipped)
Damage = Callable[[bytes], bytes]


def spoil(path: Path, damage: Damage) -> None:
    path.write_bytes(damage(path.read_bytes()))


def state() -> dict:
    torch.manual_seed(0)
    layers = torch.rand(4, 3, 3, 3).contiguous(memory_format=torch.channels_last)
    optimizer = {
        0: {"step": torch.tensor(3.0), "exp_avg": layers + 1},
        "groups": [{"betas": (0.9, 0.99), "lr": 1e-3}],
    }
    return {
        "step": 7,
        "losses": [0.1, 1e-17],
        "network": {"a.weight": layers},
        "optimizer": optimizer,
        "none": None,
    }


def same(one: object, other: object) -> bool:
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        return one.dtype == other.dtype and one.stride() == other.stride() and torch.equal(one, other)
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and type(one) is type(other):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


def card(data: str = "images-a", psnr: float = 30.0) -> ScoreCard:
    return ScoreCard(
        PROTOCOL, "dct", "weights", "linear", "none", Geometry(4, 8), {"name": "few", "fingerprint": data},
        VIEW.description(), {}, {"psnr": psnr}, {}, 16, 0, {}, "rank",
    )  # fmt: skip


def images(psnr: float = 30.0) -> pd.DataFrame:
    return pd.DataFrame({"image_id": ["a", "b"], "patient_id": ["a", "b"], "psnr": [psnr, psnr]})


def find(results: Path, data: str = "images-a") -> ScoreCard | None:
    return current_card(card_path(results, "few", "dct"), fingerprint="weights", data=data, view=VIEW, seed=0)


class TestJson:
    @pytest.mark.parametrize("damage", [cut, emptied, zeroed])
    def test_it_is_put_aside_and_said_once(self, tmp_path, caplog, damage):
        path = tmp_path / "a.json"
        write_json(path, {"psnr": 20.8, "name": "é"})
        spoil(path, damage)
        with caplog.at_level(logging.WARNING):
            assert recall_json(path) is None
            assert recall_json(path) is None
        (said,) = caplog.messages
        assert str(path) in said
        assert [each.name for each in tmp_path.iterdir()] == ["a.json.damaged"]

    def test_any_digit_counts_and_white_space_does_not(self, tmp_path):
        path = tmp_path / "a.json"
        write_json(path, {"summary": {"probe": 20.8}, "seed": 0})
        text = path.read_text()
        path.write_text(text.replace("20.8", "29.4"))
        with pytest.raises(DamagedError, match="its content is not what was written"):
            read_json(path)
        path.write_text(json.dumps(json.loads(text)))
        assert read_json(path) == {"summary": {"probe": 20.8}, "seed": 0}

    def test_that_of_another_key_is_no_use(self, tmp_path):
        write_json(tmp_path / "a.json", {"a": 1}, "a")
        shutil.copy(tmp_path / "a.json", tmp_path / "b.json")
        assert recall_json(tmp_path / "a.json", "a") == {"a": 1}
        assert recall_json(tmp_path / "b.json", "b") is None

    def test_what_older_versions_wrote_has_no_checksum_and_is_read(self, tmp_path):
        (tmp_path / "old.json").write_text('{"psnr": 30.0}')
        assert read_json(tmp_path / "old.json") == {"psnr": 30.0}

    def test_a_missing_file_is_no_damage(self, tmp_path):
        assert recall_json(tmp_path / "none.json") is None
        with pytest.raises(ResultError, match="cannot read"):
            read_json(tmp_path / "none.json")


class TestTensors:
    def test_values_types_and_strides_come_back(self, tmp_path):
        write_tensors(tmp_path / "a", state(), KEY)
        assert same(recall_tensors(tmp_path / "a", KEY), state())

    @pytest.mark.parametrize("damage", DAMAGES)
    def test_a_damaged_file_is_as_good_as_none(self, tmp_path, damage):
        write_tensors(tmp_path / "a", state(), KEY)
        spoil(tmp_path / "a", damage)
        assert recall_tensors(tmp_path / "a", KEY) is None
        assert [each.name for each in tmp_path.iterdir()] == ["a.damaged"]

    def test_every_bit_of_a_small_file_counts(self, tmp_path):
        path = tmp_path / "a"
        write_tensors(path, {"a": torch.tensor([1.5, -2.0]), "n": 12}, KEY)
        whole = path.read_bytes()
        for place in range(len(whole)):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
            found = recall_tensors(path, KEY)
            assert found is None or same(found, {"a": torch.tensor([1.5, -2.0]), "n": 12}), place

    def test_that_of_another_training_is_not_believed(self, tmp_path):
        write_tensors(tmp_path / "a", state(), "seed 0")
        assert recall_tensors(tmp_path / "a", "seed 1") is None

    def test_kept_weights_are_the_same_bytes_whatever_time_they_took(self, tmp_path):
        weights = state()["network"]
        for name, seconds in (("a", 1.5), ("b", 2.5)):
            keep(tmp_path / name / "key.safetensors", Trained(weights, [0.5], 4, seconds, 8))
        one, other = (tmp_path / name / "key.safetensors" for name in "ab")
        assert one.read_bytes() == other.read_bytes()
        assert recall(one, "cpu").seconds == 1.5
        one.with_suffix(".json").unlink()
        assert recall(one, "cpu") is None


class TestCards:
    @pytest.mark.parametrize("suffix", [".json", ".parquet"])
    @pytest.mark.parametrize("damage", DAMAGES)
    def test_a_damaged_card_or_table_is_measured_again(self, tmp_path, caplog, suffix, damage):
        path = card_path(tmp_path, "few", "dct")
        written = write_card(path, card(), images())
        assert find(tmp_path) == written
        spoil(path.with_suffix(suffix), damage)
        assert find(tmp_path) is None
        assert len(caplog.messages) == 1
        assert write_card(path, card(), images()) == find(tmp_path) == written

    def test_the_card_of_another_candidate_is_not_believed(self, tmp_path):
        path = card_path(tmp_path, "few", "dct")
        write_card(path.with_stem("haar"), card(), images())
        for suffix in (".json", ".parquet"):
            path.with_stem("haar").with_suffix(suffix).rename(path.with_suffix(suffix))
        write_card(path.with_stem("haar"), card(psnr=40), images(40))
        shutil.copy(path, path.with_stem("haar"))
        assert find(tmp_path) is not None
        with pytest.raises(DamagedError, match="is the card of dct"):
            read_card(path.with_stem("haar"))

    def test_two_data_sets_of_one_name_cost_each_other_nothing(self, tmp_path):
        path = card_path(tmp_path, "few", "dct")
        first = write_card(path, card("images-a", 30.0), images(30.0))
        second = write_card(path, card("images-b", 20.0), images(20.0))
        for data, written, psnr in (("images-a", first, 30.0), ("images-b", second, 20.0)):
            assert find(tmp_path, data) == written
            assert np.allclose(read_images(tmp_path, written)["psnr"], psnr)
        assert json.loads(path.read_text())["data"]["fingerprint"] == "images-b"
