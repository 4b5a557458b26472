"""A published row is scored anew: what was written honestly comes out, what was not does not."""

import json
import shutil
from pathlib import Path

import pytest


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


def test_an_honest_row_is_reproduced_and_nothing_is_written(arguments, run) -> None:
    results, command = arguments
    before = {path: path.read_bytes() for path in results.rglob("*") if path.is_file()}
    result = run(*command, "--format", "json")
    assert result.exit_code == 0, result.stderr
    payload = json.loads(result.stdout)
    assert payload["reproduced"] is True
    assert {"psnr", "conv_probe_psnr", "ssim"} <= {row["name"] for row in payload["rows"]}
    assert {path: path.read_bytes() for path in results.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(("name", "by"), [("psnr", 0.2), ("conv_probe_psnr", -0.2), ("ssim", 0.05)])
def test_a_figure_that_was_improved_is_found(arguments, run, name: str, by: float) -> None:
    results, command = arguments
    path = results / "scores" / "mine" / "dct-f16c4.json"
    card = json.loads(path.read_text())
    card["summary"][name] += by
    path.write_text(json.dumps(card))
    result = run(*command)
    assert result.exit_code == 1
    assert "not reproduced: 1 of" in result.stdout


@pytest.mark.parametrize(("change", "what"), [("fingerprint", "weights"), ("protocol", "protocol")])
def test_a_card_of_something_else_is_no_comparison(arguments, run, change: str, what: str) -> None:
    results, command = arguments
    path = results / "scores" / "mine" / "dct-f16c4.json"
    card = json.loads(path.read_text())
    path.write_text(json.dumps(card | {change: "0" * 64}))
    result = run(*command)
    assert result.exit_code == 1
    assert f"is of other {what} than these" in result.stderr


def test_without_a_card_there_is_nothing_to_reproduce(arguments, run) -> None:
    results, command = arguments
    shutil.rmtree(results / "scores")
    result = run(*command)
    assert result.exit_code == 1
    assert "there is no published card" in result.stderr
