"""`--window` and `--keep-labels` are options of every command that opens images, and change what it sees."""

import json
from pathlib import Path

import numpy as np
import pytest
from commands import commands, options_of
from PIL import Image

OPENING = [name for name, command in commands().items() if "--private" in options_of(command)]


def test_every_command_that_takes_data_opens_images() -> None:
    taking = {name for name, command in commands().items() if "--data" in options_of(command)}
    assert len(taking) > 10
    assert taking - {"publish"} <= set(OPENING)  # which takes names of results


@pytest.mark.parametrize("name", OPENING)
def test_every_command_that_opens_images_has_both_options(name: str) -> None:
    assert {"--window", "--keep-labels"} <= options_of(commands()[name]).keys()


@pytest.fixture
def twelve_bits(tmp_path: Path) -> Path:
    for number in range(6):
        pixels = np.random.default_rng(number).integers(0, 4096, (32, 32)).astype(np.uint16)
        (tmp_path / "data").mkdir(exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / "data" / f"{number}.png")
    (tmp_path / "data" / "notes.txt").write_text("text")
    return tmp_path / "data"


def test_what_is_seen_of_a_dark_set_leads_to_a_window_that_mends_it(run, twelve_bits: Path) -> None:
    arguments = ("data", "show", twelve_bits, "--size", "32", "--format", "json")
    dark = json.loads(run(*arguments).stdout)
    assert any("--window auto" in warning for warning in dark["description"]["warnings"])
    for window in ("auto", "0,4095"):
        mended = json.loads(run(*arguments, "--window", window).stdout)
        assert not mended["description"]["warnings"]
        assert mended["fingerprint"] != dark["fingerprint"]


def test_score_records_the_window(run, twelve_bits: Path, tmp_path: Path) -> None:
    arguments = (
        "score",
        "haar-f4c3",
        "--data",
        twelve_bits,
        "--size",
        "32",
        "--results",
        tmp_path / "results",
    )
    plain, windowed = (
        json.loads(run(*arguments, "--format", "json", *more).stdout)["cards"][0]
        for more in ((), ("--window", "0,4095"))
    )
    assert windowed["data"]["description"]["reading"]["window"] == "0,4095"
    assert windowed["summary"]["psnr"] < plain["summary"]["psnr"] - 15


def test_files_that_were_not_used_are_named_on_demand(run, twelve_bits: Path) -> None:
    shown = run("data", "show", twelve_bits, "--size", "32", "--files").stdout
    assert "not used: notes.txt: no image (.txt)" in shown
    assert "not used" not in run("data", "show", twelve_bits, "--size", "32").stdout
