import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from vaescreen.errors import ResultError
from vaescreen.predictor.files import shipped_path
from vaescreen.predictor.fitted import fit
from vaescreen.predictor.points import TARGETS
from vaescreen.predictor.track_record import (
    forecast,
    foresee,
    prediction_path,
    read_record,
    record_prediction,
    summarise,
)
from vaescreen.storage import beside_namesakes, cache_dir, read_json, write_json


def reference(point, seed=0, **outcome):
    return {
        "candidate": point.candidate,
        "fingerprint": "weights",
        "data": {"name": point.data, "fingerprint": point.data_fingerprint, "kind": "real"},
        "recipe": {"name": "compact"},
        "seed": seed,
        "summary": point.targets | outcome,
    }


def made(value, low, high):
    each = {
        "value": value,
        "interval": [low, high],
        "extrapolation": None,
        "novelty": "candidate",
        "published": value - 3,
    }
    return {
        "targets": dict.fromkeys(TARGETS, each),
        "points": 9,
        "candidate_seen": False,
        "predictor": "digest",
    }


def test_what_was_trained_before_is_forecast_from_all_other_points(simulate, card):
    points = simulate(8)
    fitted = fit(points, "compact")
    point = points[4]
    changed = replace(point, targets=dict.fromkeys(TARGETS, 99.0))
    knowing = fit([changed if each is point else each for each in points], "compact")
    assert forecast(fitted, card(point)) == forecast(knowing, card(point))
    found = forecast(fitted, card(point))
    assert (found["points"], found["candidate_seen"]) == (len(points) - 1, True)
    without = fit([each for each in points if each is not point], "compact")
    for target in TARGETS:
        expected = without.predict(card(point), target)
        found = forecast(fitted, card(point))["targets"][target]
        assert (found["value"], found["interval"]) == (expected.value, [expected.low, expected.high])


def test_a_new_candidate_is_forecast_from_all_points(simulate, card):
    fitted = fit(simulate(8), "compact")
    new = replace(simulate(8, seed=5)[0], candidate="new")
    found = forecast(fitted, card(new))
    assert found["points"] == 24
    assert not found["candidate_seen"]
    ceilings = [point.features["ae_ceiling"] for point in fitted.points]
    reached = [point.targets["sr_psnr"] for point in fitted.points]
    line = np.polyval(np.polyfit(ceilings, reached, 1), new.features["ae_ceiling"])
    assert found["targets"]["sr_psnr"]["published"] == pytest.approx(line)
    assert found["targets"]["sr_psnr"]["value"] == fitted.predict(card(new)).value


def test_a_prediction_is_stored_once_beside_its_outcome(simulate, tmp_path):
    point = simulate(1)[0]
    path = record_prediction(tmp_path, made(25.0, 24.0, 26.0), reference(point, seed=2))
    assert path == tmp_path / "predictions" / "compact" / point.data / "ae-00-seed2.json"
    before = path.read_bytes()
    assert json.loads(before)["outcome"] == point.targets
    record_prediction(tmp_path, made(99.0, 98.0, 100.0), reference(point, seed=2))
    assert path.read_bytes() == before
    namesake = reference(replace(point, data_fingerprint="0" * 64), seed=2)
    record_prediction(tmp_path, made(24.0, 23.0, 25.0), namesake)
    assert beside_namesakes(path, point.data_fingerprint).read_bytes() == before, (
        "of other images of that name"
    )
    assert json.loads(path.read_text())["data"]["fingerprint"] == "0" * 64


def test_running_figures_by_hand(simulate, tmp_path):
    points = simulate(2, ("brain", "chest"))
    reached = [25.5, 23.0, 27.0, 24.0]
    for point, value, outcome in zip(points, (25.0, 24.0, 26.0, 24.0), reached, strict=True):
        entry = reference(point, sr_psnr=outcome, posterior_mean_psnr=outcome)
        record_prediction(tmp_path, made(value, value - 0.75, value + 0.75), entry)
    track = summarise(read_record(tmp_path, "compact"))[0]
    assert (track.target, track.predictions, track.bounded, track.hits) == ("sr_psnr", 4, 4, 2)
    assert track.hit_rate == 0.5
    assert track.mae == pytest.approx((0.5 + 1 + 1 + 0) / 4)
    assert track.bias == pytest.approx((-0.5 + 1 - 1 + 0) / 4)
    # brain: 25 < 26 and 25.5 < 27 agree; chest: predictions tie, which orders nothing.
    assert track.tau == pytest.approx(0.5)


def test_an_unbounded_prediction_neither_hits_nor_misses(simulate, tmp_path):
    entry = made(25.0, 24.0, 26.0)
    for each in entry["targets"].values():
        each["interval"] = None
    record_prediction(tmp_path, entry, reference(simulate(1)[0]))
    track = summarise(read_record(tmp_path, "compact"))[0]
    assert (track.predictions, track.bounded, track.hit_rate) == (1, 0, None)


def test_no_record_has_no_figures(tmp_path):
    assert summarise(read_record(tmp_path, "compact")) == []


def test_a_file_of_another_protocol_is_refused(simulate, tmp_path):
    path = record_prediction(tmp_path, made(1.0, 0.0, 2.0), reference(simulate(1)[0]))
    write_json(path, read_json(path) | {"protocol": "prediction-0"})
    with pytest.raises(ResultError, match="prediction-0"):
        read_record(tmp_path, "compact")


class Images:
    """Stands for a data set, of which only name and fingerprint count."""

    def __init__(self, name: str, fingerprint: str) -> None:
        self.name, self.fingerprint = name, fingerprint


def test_foreseen_is_only_what_has_a_card_of_these_images_and_no_outcome_yet(tmp_path):
    record = json.loads(shipped_path("compact").read_text())
    stored, definition = record["points"][0], record["definition"]
    summary = stored["features"] | {"psnr": stored["features"]["ae_ceiling"]}
    summary |= {f"band_{name}1": 1e-4 for name in ("LH", "HL", "HH")}
    card = {
        "protocol": definition["protocol"],
        "candidate": "new",
        "geometry": stored["geometry"],
        "data": {"name": "mine", "fingerprint": "pixels"},
        "view": {
            "size": definition["size"],
            "degradation": {key: definition[key] for key in ("kernel", "scale")},
            "conditioning": definition["conditioning"].partition(" from ")[2].split(" and "),
            "target": definition["conditioning"].partition(" from ")[0],
        },
        "summary": summary,
    }
    path = tmp_path / "scores" / "mine" / "new.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(card))
    mine = Images("mine", "pixels")
    foreseen = foresee(tmp_path, "compact", mine, "new", 0)
    assert foreseen["points"] == len(record["points"])
    assert foresee(tmp_path, "compact", Images("mine", "others"), "new", 0) is None
    assert foresee(tmp_path, "compact", mine, "unscored", 0) is None
    assert foresee(tmp_path, "no-such-recipe", mine, "new", 0) is None
    recorded = prediction_path(tmp_path, "compact", "mine", "new", 0)
    finished = tmp_path / "reference" / "compact" / "mine" / "new-seed0.json"
    for file in (recorded, finished):
        file.parent.mkdir(parents=True)
    recorded.write_text("{}")
    assert foresee(tmp_path, "compact", mine, "new", 0) is None
    recorded.unlink()
    finished.write_text("{}")
    assert foresee(tmp_path, "compact", mine, "new", 0) == foreseen, "said before, and not written down yet"
    shutil.rmtree(cache_dir() / "foreseen")
    assert foresee(tmp_path, "compact", mine, "new", 0) is None
