"""The campaign makes what is missing, stops when its time is over, and goes on when it is called again."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from small import write_pictures, write_registry

import vaescreen

ROOT = Path(vaescreen.__file__).parents[1]
RECIPE = "compact+samples=64+sampler=posterior-mean"


@pytest.mark.slow
def test_out_of_time_then_all_then_nothing_left(tmp_path: Path) -> None:
    pictures, registry = write_pictures(tmp_path / "pictures"), write_registry(tmp_path)
    results = tmp_path / "results"

    def campaign(minutes: str, *more: str) -> list[str]:
        command = [sys.executable, "-m", "benchmarks.reference_campaign", "--data", str(pictures)]
        options = ["--candidates", "dct-f16c4", "--seeds", "0", "1", "--recipe", RECIPE, "--device", "cpu"]
        places = ["--registry", str(registry), "--results", str(results), "--minutes", minutes]
        done = subprocess.run(
            [*command, *options, *places, *more],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return [line.partition(" ")[2] for line in done.stdout.splitlines()]

    assert campaign("0") == [
        "0 of 2 points are there; 0 minutes for the others",
        "0 points made, 0 failed, 2 left for the same command another time",
    ]
    assert not list(results.rglob("*.json"))
    lines = campaign("10", "--at-once", "2", "--axis", "loss=l1", "--ablated", "haar-f16c4")
    assert lines[0] == "0 of 4 points are there; 10 minutes for the others"
    assert lines[-1] == "4 points made, 0 failed, 0 left for the same command another time"
    made = sorted(path.relative_to(results).as_posix() for path in results.rglob("*.json"))
    assert made == [
        f"reference/{RECIPE}+loss=l1/pictures/haar-f16c4-seed0.json",
        *(f"reference/{RECIPE}/pictures/{name}.json" for name in ("dct-f16c4-seed0", "dct-f16c4-seed1")),
        f"reference/{RECIPE}/pictures/haar-f16c4-seed0.json",
    ]
    assert campaign("10")[0].startswith("2 of 2 points are there")
