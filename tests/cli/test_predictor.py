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
                "spread_psnr": probe + 9,
                "denoise_sample_detail": -3.0 + random.normal(0, 0.5),
                "ridge_probe_psnr": probe - random.uniform(0, 1),
                **{f"band_{band}": 1e-4 for band in ("LH1", "HL1", "HH1")},
            }
            view = {
                "size": 128,
                "degradation": degradation,
                "conditioning": ["upsampled-latent", "lr-pixels"],
                "target": "residual",
            }
            card = {"protocol": "score-3", "view": view}
            sr = probe + 1 + random.normal(0, 0.1)
            reference = {
                "protocol": "reference-2",
                "recipe": {"name": "compact", **view},
                "training": {"samples": 32000, "seconds": 100.0},
            }
            write_json(results / "scores" / data / f"{candidate}.json", shared | card | {"summary": summary})
            for seed, shift in ((0, 0.0), (1, 0.1)):
                outcome = {"sr_psnr": sr + shift, "posterior_mean_psnr": sr + shift + 1}
                outcome |= {"detail": summary["denoise_sample_detail"] + 0.5 + shift}
                path = results / "reference" / "compact" / data / f"{candidate}-seed{seed}.json"
                write_json(path, shared | reference | {"summary": outcome, "seed": seed})
    return results


@pytest.fixture
def fitted(run, simulated, tmp_path) -> Path:
    out = tmp_path / "predictor.json"
    run("predictor", "fit", "--results", simulated, "--out", out)
    return out


def test_validate_puts_ours_beside_the_published_rule(run, simulated) -> None:
    arguments = ("predictor", "validate", "--quick", "--from", simulated)
    payload = json.loads(run(*arguments, "--format", "json").stdout)
    assert "noise_floor" not in payload
    assert payload["points"] == 16
    scores = payload["schemes"]["leave-one-candidate-out"]
    assert {"q2", "mae", "rmse", "tau", "regret", "coverage", "width"} <= scores["ours"].keys()
    assert scores["ours"]["q2"] > 0.9 > scores["published"]["q2"]
    other = payload["other_targets"]["posterior_mean_psnr"]
    assert other["schemes"].keys() == payload["schemes"].keys()


def test_validate_as_a_table_has_every_scheme_and_predictor(run, simulated) -> None:
    shown = run("predictor", "validate", "--quick", "--from", simulated).stdout
    for scheme in ("leave-one-candidate-out", "leave-one-geometry-out", "leave-one-data-set-out"):
        assert scheme in shown
    assert "posterior_mean_psnr" in shown
    assert "published" in shown


def test_validate_puts_the_scores_into_perspective(run, simulated) -> None:
    payload = json.loads(run("predictor", "validate", "--from", simulated, "--format", "json").stdout)
    for report in (payload, payload["other_targets"]["posterior_mean_psnr"]):
        assert report["robustness"]["permutation_p"] == 1 / 20
        assert np.median(report["robustness"]["permuted_q2"]) < 0
        assert len(report["robustness"]["without_family"]) == 3
        assert [rung["candidates"] for rung in report["learning_curve"]] == [3, 5]
        assert report["noise_floor"]["seed_sd"] == pytest.approx(0.1 / 2**0.5)
    assert payload["external"]["scores"]["published"]["mae"] > 0


def test_fit_writes_a_predictor_that_show_reads(run, simulated, tmp_path) -> None:
    out = tmp_path / "fitted.json"
    fitted = run("predictor", "fit", "--results", simulated, "--out", out)
    assert fitted.exit_code == 0, fitted.stderr
    assert "16 reference points" in fitted.stdout
    payload = json.loads(run("predictor", "show", "--file", out, "--format", "json").stdout)
    assert len(payload["points"]) == 16
    assert "sample foreseen by the probes" in payload["models"]["sr_psnr"]
    assert "SR PSNR = " in run("predictor", "show", "--file", out).stdout


def test_fit_joins_own_and_shipped_points(run, simulated, tmp_path) -> None:
    from vaescreen.predictor.files import load, shipped_path

    shipped = len(load(shipped_path("compact")).points)
    for origin, expected in (("own", 16), ("shipped", shipped), ("both", shipped + 16)):
        out = tmp_path / f"{origin}.json"
        arguments = ("predictor", "fit", "--results", simulated, "--points", origin, "--out", out)
        fitted = run(*arguments)
        assert f"{expected} reference points" in fitted.stdout, fitted.stderr


def test_show_lists_errors_by_candidate_and_average_slopes_with_intervals(run, fitted) -> None:
    payload = json.loads(run("predictor", "show", "--file", fitted, "--format", "json").stdout)
    for target in ("sr_psnr", "posterior_mean_psnr"):
        assert len(payload["residuals"][target]) == 8
        slopes = {each["name"]: each for each in payload["average_slopes"][target]}
        assert slopes["latent_gap"]["low"] < slopes["latent_gap"]["value"] < slopes["latent_gap"]["high"]
    assert "ae-7" in run("predictor", "show", "--file", fitted).stdout


def test_partial_plots_are_drawn_on_request(run, fitted, tmp_path) -> None:
    pytest.importorskip("altair", reason="charts need the extra `report`")
    assert run("predictor", "show", "--file", fitted, "--figure", tmp_path / "plot.svg").exit_code == 0
    drawn = (tmp_path / "plot.svg").read_text()
    assert drawn.startswith("<svg")
    assert "SR PSNR of the one-step output, part (dB)" in drawn


def test_a_figure_of_another_kind_is_refused(run, fitted, tmp_path) -> None:
    result = run("predictor", "show", "--file", fitted, "--figure", tmp_path / "plot.gif")
    assert result.exit_code == 1
    assert "does not end in .svg" in result.stderr


def test_the_model_card_is_markdown(run, fitted) -> None:
    shown = run("predictor", "card", "--file", fitted).stdout
    assert shown.startswith("# Predictor of recipe compact")
    assert "| leave-one-data-set-out | ours |" in shown


def test_the_track_record_shows_the_hit_rate(run, simulated) -> None:
    each = {"value": 25.0, "interval": [24.0, 26.0], "extrapolation": None, "novelty": "candidate"}
    said = {**each, "published": 23.0}
    for number, reached in enumerate((25.5, 27.0)):
        outcome = {"sr_psnr": reached, "posterior_mean_psnr": 25.0, "detail": 25.0}
        entry = {
            "protocol": "prediction-1",
            "candidate": f"ae-{number}",
            "data": {"name": "brain", "fingerprint": "brain"},
            "seed": 0,
            "prediction": {"targets": dict.fromkeys(outcome, said), "candidate_seen": False},
            "outcome": outcome,
        }
        write_json(simulated / "predictions" / "compact" / "brain" / f"ae-{number}-seed0.json", entry)
    arguments = ("predictor", "show", "--record", "--results", simulated)
    summary = json.loads(run(*arguments, "--format", "json").stdout)["summary"]
    assert [(track["target"], track["hit_rate"]) for track in summary] == [
        ("sr_psnr", 0.5),
        ("posterior_mean_psnr", 1.0),
        ("detail", 1.0),
    ]
    shown = run(*arguments).stdout
    assert "2 predictions made before a training" in shown
    assert "sr_psnr: 1 of 2 outcomes inside" in shown


def test_fit_without_reference_points_says_where_it_looked(run, tmp_path) -> None:
    result = run("predictor", "fit", "--results", tmp_path, "--out", tmp_path / "fitted.json")
    assert result.exit_code == 1
    assert str(tmp_path / "reference" / "compact") in result.stderr
    assert not (tmp_path / "fitted.json").exists()


def test_reference_status_lists_what_is_trained(run, simulated) -> None:
    records = json.loads(run("reference", "status", "--results", simulated, "--format", "json").stdout)[
        "rows"
    ]
    assert len(records) == 32
    first = records[0]
    assert (first["data"], first["candidate"], first["samples"]) == ("brain", "ae-0", 32000)
    assert (
        "32 reference points of recipe compact" in run("reference", "status", "--results", simulated).stdout
    )


def test_results_default_to_the_cache(run, simulated, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("VAESCREEN_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()
    simulated.rename(tmp_path / "cache" / "results")
    assert "32 reference points" in run("reference", "status").stdout


def test_fit_and_card_print_what_programs_read(run, simulated, tmp_path) -> None:
    out = tmp_path / "fitted.json"
    fitted = json.loads(
        run("predictor", "fit", "--results", simulated, "--out", out, "--format", "json").stdout
    )
    assert fitted["rows"] == [{"file": str(out), "recipe": "compact", "points": 16}]
    card = run("predictor", "card", "--file", out)
    assert card.stdout.startswith("# ")
    assert len(json.loads(run("predictor", "card", "--file", out, "--format", "json").stdout)["points"]) == 16
