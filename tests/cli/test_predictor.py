"""On simulated result files: SR PSNR is the probe's plus 1 dB and noise, whatever the AE ceiling."""

import json
from pathlib import Path

import numpy as np
import pytest

from vaescreen.storage import write_json


@pytest.fixture
def simulated(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    results = tmp_path / "results"
    degradation = {"kernel": "lanczos", "scale": 4}
    for data, bicubic in (("brain", 31.0), ("chest", 28.0)):
        for number in range(8):
            candidate = f"ae-{number}"
            probe = bicubic + random.normal(0, 1.5)
            shared = {
                "candidate": candidate,
                "fingerprint": candidate,
                "family": f"family-{number % 3}",
                "domain": "generic",
                "geometry": {"channels": 4, "factor": 8},
                "data": {"name": data, "fingerprint": data},
            }
            summary = {
                "psnr": bicubic + random.normal(5, 1),
                "ssim": 0.9,
                "bicubic_psnr": bicubic,
                "conv_probe_psnr": probe,
                "ridge_probe_psnr": probe - random.uniform(0, 1),
                **{f"band_{band}": 1e-4 for band in ("LH1", "HL1", "HH1")},
            }
            card = {"protocol": "score-1", "view": {"size": 128, "degradation": degradation}}
            sr = probe + 1 + random.normal(0, 0.1)
            reference = {
                "protocol": "reference-1",
                "recipe": {"name": "nano", "size": 128, "degradation": degradation},
                "summary": {"sr_psnr": sr, "posterior_mean_psnr": sr + 1},
                "training": {"samples": 32000, "seconds": 100.0},
            }
            write_json(results / "scores" / data / f"{candidate}.json", shared | card | {"summary": summary})
            write_json(results / "reference" / "nano" / data / f"{candidate}-seed0.json", shared | reference)
    return results


def test_validate_puts_ours_beside_the_published_rule(run, simulated) -> None:
    payload = json.loads(run("predictor", "validate", "--results", simulated, "--format", "json").stdout)
    assert payload["points"] == 16
    scores = payload["schemes"]["leave-one-candidate-out"]
    assert {"q2", "mae", "rmse", "tau", "regret", "coverage", "width"} <= scores["ours"].keys()
    assert scores["ours"]["q2"] > 0.9 > scores["published"]["q2"]
    other = payload["other_targets"]["posterior_mean_psnr"]
    assert other["schemes"].keys() == payload["schemes"].keys()


def test_validate_as_a_table_has_every_scheme_and_predictor(run, simulated) -> None:
    shown = run("predictor", "validate", "--results", simulated).stdout
    for scheme in ("leave-one-candidate-out", "leave-one-geometry-out", "leave-one-data-set-out"):
        assert scheme in shown
    assert "posterior_mean_psnr" in shown
    assert "published" in shown


def test_fit_writes_a_predictor_that_show_reads(run, simulated, tmp_path) -> None:
    out = tmp_path / "fitted.json"
    fitted = run("predictor", "fit", "--results", simulated, "--out", out)
    assert fitted.exit_code == 0, fitted.stderr
    assert "16 reference points" in fitted.stdout
    payload = json.loads(run("predictor", "show", "--file", out, "--format", "json").stdout)
    assert len(payload["points"]) == 16
    assert "conv_probe_psnr" in payload["models"]["sr_psnr"]
    assert "sr_psnr = " in run("predictor", "show", "--file", out).stdout


def test_fit_without_reference_points_says_where_it_looked(run, tmp_path) -> None:
    result = run("predictor", "fit", "--results", tmp_path, "--out", tmp_path / "fitted.json")
    assert result.exit_code == 1
    assert str(tmp_path / "reference" / "nano") in result.stderr
    assert not (tmp_path / "fitted.json").exists()


def test_reference_status_lists_what_is_trained(run, simulated) -> None:
    records = json.loads(run("reference", "status", "--results", simulated, "--format", "json").stdout)
    assert len(records) == 16
    first = records[0]
    assert (first["data"], first["candidate"], first["samples"]) == ("brain", "ae-0", 32000)
    assert "16 reference points of recipe nano" in run("reference", "status", "--results", simulated).stdout


def test_results_default_to_the_leaderboard_of_the_current_folder(
    run, simulated, monkeypatch, tmp_path
) -> None:
    (tmp_path / "leaderboards").mkdir()
    simulated.rename(tmp_path / "leaderboards" / "results")
    monkeypatch.chdir(tmp_path)
    assert "16 reference points" in run("reference", "status").stdout
