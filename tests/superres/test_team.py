"""Several processes train one model: the same samples, the same weights up to rounding, one result."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from small import write_pictures, write_registry

import vaescreen
from vaescreen.errors import VaescreenError
from vaescreen.superres.team import Team, join_team


def test_alone_a_process_leads_and_has_the_whole_batch(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    team = join_team("cpu")
    assert (team.device, team.rank, team.size, team.leads) == ("cpu", 0, 1, True)
    assert team.share(16) == slice(0, 16)
    assert team.agree(True)
    team.wait()


def test_a_batch_is_shared_equally_or_not_at_all():
    assert [Team("cpu", rank, 4).share(16) for rank in range(4)] == [
        slice(begin, begin + 4) for begin in (0, 4, 8, 12)
    ]
    with pytest.raises(VaescreenError, match="3 processes cannot share a batch of 16 equally"):
        Team("cpu", 0, 3).share(16)


@pytest.mark.slow
def test_two_processes_end_where_one_does(tmp_path: Path):
    pytest.importorskip("accelerate")
    pictures, registry = write_pictures(tmp_path / "pictures"), write_registry(tmp_path)
    arguments = ["reference", "train", "dct-f16c4", "--data", str(pictures), "--registry", str(registry)]
    arguments += ["--recipe", "compact+samples=96+sampler_steps=2+precision=float32", "--device", "cpu"]
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2"]
    launch += ["--main_process_port", "0"]
    found = {}
    for name, starter in (("one", [sys.executable]), ("two", launch)):
        environment = {
            **os.environ,
            "PYTHONPATH": str(Path(vaescreen.__file__).parents[1]),
            "VAESCREEN_CACHE": str(tmp_path / name / "cache"),
        }
        results = tmp_path / name / "results"
        command = [*starter, "-m", "vaescreen", *arguments, "--results", str(results)]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=250
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("SR PSNR") == 1
        (path,) = results.rglob("*.json")
        found[name] = json.loads(path.read_text()), pd.read_parquet(path.with_suffix(".parquet"))
    (one, first), (two, second) = found["one"], found["two"]
    assert (one["environment"]["processes"], two["environment"]["processes"]) == (1, 2)
    assert one["training"]["samples"] == two["training"]["samples"] == 96
    pd.testing.assert_series_equal(first["sr_psnr"], second["sr_psnr"], atol=0.01, rtol=0)
