"""A published row is scored anew: what was written honestly comes out, what was not does not."""

import json
import shutil
from pathlib import Path

import pytest

from vaescreen.ranking.reproduction import DECIBELS, card_digest, read_record, record_path
from vaescreen.storage import read_json, write_json


@pytest.fixture
def arguments(ranked, tmp_path: Path) -> tuple[Path, list[str]]:
    """A copy of the results of a ranking, and what reproduces one of its rows."""
    results = tmp_path / "results"
    shutil.copytree(ranked.results, results)
    given = dict(zip(ranked.arguments[1::1], ranked.arguments[2::1], strict=False))
    more = [
        "--data",
        given["--data"],
        "--registry",
        given["--registry"],
        "--name",
        "mine",
        "--results",
        str(results),
    ]
    return results, ["reproduce", "dct-f16c4", *more]


@pytest.mark.parametrize("recorded", [False, True])
def test_an_honest_row_is_reproduced_and_written_down_if_asked(arguments, run, recorded: bool) -> None:
    results, command = arguments
    before = {path: path.read_bytes() for path in results.rglob("*") if path.is_file()}
    card = read_json(results / "scores" / "mine" / "dct-f16c4.json")
    assert read_record(results, card) is None
    result = run(*command, "--format", "json", *(["--mark"] if recorded else []))
    assert result.exit_code == 0, result.stderr
    payload = json.loads(result.stdout)
    assert payload["reproduced"] is True
    assert {"psnr", "conv_probe_psnr", "ssim"} <= {row["name"] for row in payload["rows"]}
    written = read_record(results, card)
    assert (written is not None) is recorded
    if written is not None:
        assert written["largest_difference_db"] <= DECIBELS
        assert {"vaescreen", "cpu"} <= set(written["environment"])
        assert read_record(results, card | {"seed": 1}) is None, "it is of this very card"
        record_path(results, "mine", "dct-f16c4").unlink()
    assert {path: path.read_bytes() for path in results.rglob("*") if path.is_file()} == before


def test_figures_that_were_improved_are_found_and_no_others(arguments, run) -> None:
    results, command = arguments
    path = results / "scores" / "mine" / "dct-f16c4.json"
    card = read_json(path)
    for name, by in (improved := {"psnr": 0.2, "conv_probe_psnr": -0.2, "ssim": 0.05}).items():
        card["summary"][name] += by
    write_json(path, card)
    write_json(record_path(results, "mine", "dct-f16c4"), {"card": card_digest(card)})
    result = run(*command, "--format", "json", "--mark")
    assert result.exit_code == 1
    differing = {row["name"] for row in json.loads(result.stdout)["rows"] if not row["agrees"]}
    assert differing == set(improved)
    assert not record_path(results, "mine", "dct-f16c4").exists()


@pytest.mark.parametrize(("change", "what"), [("fingerprint", "weights"), ("protocol", "protocol")])
def test_a_card_of_something_else_is_no_comparison(arguments, run, change: str, what: str) -> None:
    results, command = arguments
    path = results / "scores" / "mine" / "dct-f16c4.json"
    write_json(path, read_json(path) | {change: "0" * 64})
    result = run(*command)
    assert result.exit_code == 1
    assert f"is of other {what} than these" in result.stderr


def test_without_a_card_there_is_nothing_to_reproduce(arguments, run) -> None:
    results, command = arguments
    shutil.rmtree(results / "scores")
    result = run(*command)
    assert result.exit_code == 1
    assert "there is no published card" in result.stderr
