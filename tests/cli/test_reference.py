import json
from pathlib import Path

import pytest
from small import write_pictures, write_registry


@pytest.fixture
def arguments(tmp_path: Path) -> tuple[Path | str, ...]:
    pictures, registry = write_pictures(tmp_path / "pictures"), write_registry(tmp_path)
    return "--data", pictures, "--registry", registry, "--results", tmp_path / "results"


def test_a_candidate_that_fails_is_named_and_the_exit_code_says_so(run, arguments) -> None:
    result = run("reference", "train", "impossible", *arguments)
    assert result.exit_code == 1
    assert "error: impossible on pictures: " in result.stderr
    assert "256 coefficients, not 257" in result.stderr


def test_names_are_checked_before_anything_is_trained(run, arguments) -> None:
    result = run("reference", "train", "dct-f16c4", "dct-f16c5", *arguments)
    assert result.exit_code == 1
    assert "did you mean 'dct-f16c4'?" in result.stderr
    assert "train" not in result.stdout


def test_status_of_nothing(run, tmp_path: Path) -> None:
    result = run("reference", "status", "--results", tmp_path)
    assert result.exit_code == 0
    assert result.stdout.startswith("0 reference points of recipe compact")


SMALL = "compact+samples=64+sampler_steps=2"


def test_train_evaluate_plan_and_status(run, arguments) -> None:
    options = (*arguments, "--recipe", SMALL)
    seeds = ("--seed", "0", "--seed", "1")
    trained = run(
        *("reference", "train", "dct-f16c4", *options, *seeds), "--keep-weights", "--processes", "1"
    )
    assert trained.exit_code == 0, trained.stderr
    assert [line.partition(":")[0] for line in trained.stdout.splitlines()] == [
        "dct-f16c4, seed 0 on pictures",
        "dct-f16c4, seed 1 on pictures",
    ]
    assert "train 2/2, loss " in trained.stderr
    assert " samples/s, 0 s left" in trained.stderr

    results = arguments[arguments.index("--results") + 1]
    where = ("--recipe", SMALL, "--results", results, "--format", "json")
    records = json.loads(run("reference", "status", *where).stdout)["rows"]
    assert [(record["candidate"], record["seed"]) for record in records] == [
        ("dct-f16c4", 0),
        ("dct-f16c4", 1),
    ]
    points = [json.loads(path.read_text()) for path in sorted(Path(results).rglob("*.json"))]
    assert points[0]["data"] == points[1]["data"]
    assert points[0]["summary"]["sr_psnr"] != points[1]["summary"]["sr_psnr"]

    again = run("reference", "train", "dct-f16c4", *options, *seeds)
    assert again.stdout == trained.stdout
    assert "train" not in again.stderr

    planned = run("reference", "plan", "dct-f16c4", "haar-f16c4", *options, *seeds, "--format", "json")
    assert [
        (row["candidate"], row["seed"], row["samples"]) for row in json.loads(planned.stdout)["rows"]
    ] == [
        ("haar-f16c4", 0, 64),
        ("haar-f16c4", 1, 64),
    ]

    more = ("--sampler-steps", "1", "--samples", "2", "--save-outputs")
    evaluated = run("reference", "evaluate", "dct-f16c4", *options, *more)
    assert evaluated.exit_code == 0, evaluated.stderr
    assert "train" not in evaluated.stderr
    (variant,) = Path(results).glob("reference/*+sampler_steps=1/pictures/dct-f16c4-seed0.json")
    assert json.loads(variant.read_text())["summary"]["samples_sd"] > 0
    assert variant.with_suffix(".outputs.npz").is_file()
    unkept = run("reference", "evaluate", "haar-f16c4", *options)
    assert unkept.exit_code == 1
    assert "no weights are kept of haar-f16c4 on pictures" in unkept.stderr


def test_ablate_tests_every_changed_cell(run, arguments) -> None:
    axes = ("--vary", "sampler_steps=1,2", "--vary", "loss=l1", "--processes", "1")
    found = run(
        *("reference", "ablate", "dct-f16c4", "haar-f16c4", *arguments, "--recipe", SMALL, *axes),
        *("--format", "json"),
    )
    assert found.exit_code == 0, found.stderr
    payload = json.loads(found.stdout)
    assert [(row["choice"], row["value"]) for row in payload["rows"]] == [
        ("base", SMALL),
        ("sampler_steps", "1"),
        ("loss", "l1"),
    ]
    assert payload["rows"][0]["stable"] is None
    for row in payload["rows"][1:]:
        low, high = row["interval"]
        assert low <= row["change"] <= high
        assert row["stable"] == (low > -0.15 and high < 0.15)
        assert row["gap"] == pytest.approx(row["sr_psnr"][0] - row["sr_psnr"][1])
    assert found.stderr.count("train 2/2") == 4


def test_ablate_refuses_what_cannot_be_compared(run, arguments) -> None:
    for candidates, axis, message in (
        (("dct-f16c4",), "objective=v", "name two at least"),
        (("dct-f16c4", "haar-f16c4"), "objective", "--vary objective is not CHOICE=VALUE,VALUE"),
        (("dct-f16c4", "haar-f16c4"), "objective=x0", "nothing differs from recipe compact"),
        (("dct-f16c4", "haar-f16c4"), "size=256", "size cannot be an axis"),
        (("dct-f16c4", "haar-f16c4"), "sampler_steps=7", "7 sampler_steps do not divide 1000"),
    ):
        result = run("reference", "ablate", *candidates, *arguments, "--vary", axis)
        assert result.exit_code == 1
        assert message in result.stderr


def test_recipes_show_every_choice(run) -> None:
    shown = run("reference", "recipes").stdout
    for text in ("compact", "standard", "paper", "network.channels", "128 256 512 512", "cosine"):
        assert text in shown
    (flow,) = json.loads(run("reference", "recipes", "compact+objective=flow", "--format", "json").stdout)[
        "rows"
    ]
    assert (flow["objective"], flow["schedule"], flow["sampler"]) == ("flow", "straight", "euler")
