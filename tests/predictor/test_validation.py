import json
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict

from vaescreen.predictor.catalogue import PREDICTORS
from vaescreen.predictor.intervals import Novelty, jackknife
from vaescreen.predictor.points import TARGETS
from vaescreen.predictor.sample import Sample
from vaescreen.predictor.scores import explained
from vaescreen.predictor.validation import SCHEMES, predict_held_out, validate, values_held_out

# AE ceiling and SR PSNR in dB of SD-VAE, then MedVAE 4x3, on MRNet, BraTS and CXR: arXiv 2604.12152v1.
PUBLISHED = {
    "ceiling": [23.92, 31.39, 32.02, 27.85, 37.87, 36.93],
    "sr": [22.34, 23.51, 25.58, 25.26, 26.42, 28.87],
}


def with_target(points, values, name="sr_psnr"):
    return [replace(p, targets=p.targets | {name: float(v)}) for p, v in zip(points, values, strict=True)]


def test_the_six_published_points(simulate):
    points = with_target(simulate(2), PUBLISHED["sr"])
    points = [
        replace(p, features=p.features | {"ae_ceiling": x}, candidate=f"point-{i}")
        for i, (p, x) in enumerate(zip(points, PUBLISHED["ceiling"], strict=True))
    ]
    report = validate(points, predictors={"published": PREDICTORS["published"]})
    assert report.in_sample["published"] == pytest.approx(0.6652, abs=5e-5)
    assert np.sqrt(report.in_sample["published"]) == pytest.approx(0.8156, abs=5e-5)
    scores = report.schemes["leave-one-candidate-out"]["published"]
    assert scores.q2 == pytest.approx(0.285, abs=5e-4)
    assert scores.mae == pytest.approx(1.54, abs=5e-3)
    assert scores.coverage is None  # six points cannot bound 90 %


@pytest.mark.parametrize("target", TARGETS)
def test_scores_of_the_published_rule_by_independent_libraries(target, simulate):
    points = simulate()
    y = np.array([p.targets[target] for p in points])
    x = np.array([[p.features["ae_ceiling"]] for p in points])
    report = validate(points, target, predictors={"published": PREDICTORS["published"]})
    for scheme, (_, keys, judged) in SCHEMES.items():
        if len(keys) > 1 or not all(judged(p) for p in points):
            continue
        groups = [keys[0](p) for p in points]
        expected = cross_val_predict(LinearRegression(), x, y, groups=groups, cv=LeaveOneGroupOut())
        scores = report.schemes[scheme]["published"]
        assert scores.q2 == pytest.approx(1 - np.sum((y - expected) ** 2) / np.sum((y - y.mean()) ** 2))
        assert scores.mae == pytest.approx(np.abs(y - expected).mean())
        assert scores.rmse == pytest.approx(np.sqrt(np.mean((y - expected) ** 2)))
        for index, name in enumerate(("brain", "chest", "natural")):
            rows = slice(index, None, 3)
            assert scores.tau_by_data[name] == pytest.approx(stats.kendalltau(y[rows], expected[rows])[0])
            regret = y[rows].max() - y[rows][expected[rows].argmax()]
            assert scores.regret_by_data[name] == pytest.approx(regret)
        assert scores.tau == min(scores.tau_by_data.values())
        assert scores.regret == max(scores.regret_by_data.values())
        assert scores.tau_mean == pytest.approx(np.mean(list(scores.tau_by_data.values())))


def test_ours_foresees_new_candidates_where_the_published_rule_fails(simulate):
    both = {name: PREDICTORS[name] for name in ("published", "ours")}
    scores = validate(simulate(14), predictors=both).schemes["leave-one-candidate-out"]
    assert scores["ours"].q2 > 0.95
    assert scores["published"].q2 < 0.85
    assert scores["ours"].tau > scores["published"].tau
    assert scores["ours"].width < scores["published"].width


@pytest.mark.parametrize("name", PREDICTORS)
def test_permuted_targets_cannot_be_foreseen(name, simulate):
    points = simulate(14)
    values = np.array([p.targets["sr_psnr"] for p in points])
    for scheme in SCHEMES.values():
        groups = np.array([scheme.keys[0](p) for p in points])
        scores = []
        for seed in range(5):
            permuted = with_target(points, np.random.default_rng(seed).permutation(values))
            sample = Sample.of(permuted, "sr_psnr")
            scores.append(explained(sample.target, values_held_out(PREDICTORS[name], sample, groups)))
        assert np.mean(scores) <= 0


def test_each_point_gets_the_interval_of_what_is_new_about_it(simulate):
    sample = Sample.of(simulate(), "sr_psnr")
    predictor = PREDICTORS["conv-probe"]
    for groups, novelty in (
        (sample.candidates, Novelty.CANDIDATE),
        (sample.geometries, Novelty.GEOMETRY),
        (sample.data, Novelty.DATA),
    ):
        out = groups == groups[0]
        _, low, high = predict_held_out(predictor, sample, groups)
        fitted = jackknife(predictor, sample.take(~out))
        expected = fitted.interval(sample.take(out).columns, novelty)
        np.testing.assert_allclose((low[out], high[out]), expected)


def test_geometry_and_data_are_both_new_to_the_fit(simulate):
    """By hand: a straight line through the points that share neither."""
    points = simulate(8)
    published = {"published": PREDICTORS["published"]}
    scores = validate(points, predictors=published).schemes["geometry-and-data-set-out"]["published"]
    errors = []
    for point in points:
        known = [p for p in points if p.geometry != point.geometry and p.data != point.data]
        slope, level = np.polyfit(
            [p.features["ae_ceiling"] for p in known], [p.targets["sr_psnr"] for p in known], 1
        )
        errors.append(slope * point.features["ae_ceiling"] + level - point.targets["sr_psnr"])
    assert scores.mae == pytest.approx(np.abs(errors).mean())


def test_autoencoders_of_others_are_predicted_from_ours_alone(simulate):
    points = simulate(8)
    published = {"published": PREDICTORS["published"]}
    scores = validate(points, predictors=published).schemes["published-out"]["published"]
    ours, others = ([p for p in points if p.is_ours == own] for own in (True, False))
    slope, level = np.polyfit(
        [p.features["ae_ceiling"] for p in ours], [p.targets["sr_psnr"] for p in ours], 1
    )
    errors = [slope * p.features["ae_ceiling"] + level - p.targets["sr_psnr"] for p in others]
    assert scores.mae == pytest.approx(np.abs(errors).mean())
    mine = [replace(p, family="bundled-a") for p in points]
    assert "published-out" in validate(mine, predictors=published).absent


@pytest.mark.parametrize("name", PREDICTORS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_target_of_what_is_left_out_does_not_leak_into_its_prediction(name, scheme, simulate):
    points = simulate(8, seed=5)
    groups = [np.array([key(p) for p in points]) for key in SCHEMES[scheme].keys]
    out = np.logical_or.reduce([each == each[0] for each in groups])
    own = np.logical_and.reduce([each == each[0] for each in groups])
    values = np.array([p.targets["sr_psnr"] for p in points])
    changed = with_target(points, values + out * np.random.default_rng(1).normal(0, 10, len(points)))
    before, after = (
        predict_held_out(PREDICTORS[name], Sample.of(p, "sr_psnr"), *groups) for p in (points, changed)
    )
    np.testing.assert_array_equal(np.array(before)[:, own], np.array(after)[:, own])
    assert not np.array_equal(before.value[~out], after.value[~out])


def test_schemes_and_predictors_that_cannot_be_are_absent_with_a_reason(simulate):
    report = validate(simulate(12, ("chest",)))
    assert list(report.schemes) == [
        "leave-one-candidate-out",
        "leave-one-family-out",
        "leave-one-geometry-out",
        "leave-one-domain-out",
        "published-out",
    ]
    assert report.absent["leave-one-data-set-out"] == "needs at least two data sets; there is one"
    assert "ae-plus-bicubic" not in report.schemes["leave-one-candidate-out"]
    assert "bicubic_psnr" in report.absent["leave-one-candidate-out/ae-plus-bicubic"]


def test_report_as_json(simulate):
    record = json.loads(json.dumps(validate(simulate(), "posterior_mean_psnr").as_json(), allow_nan=False))
    assert (record["recipe"], record["target"]) == ("compact", "posterior_mean_psnr")
    assert (record["points"], record["candidates"]) == (36, 12)
    assert record["data_sets"] == ["brain", "chest", "natural"]
    assert list(record["schemes"]) == list(SCHEMES)
    for predictors in record["schemes"].values():
        assert list(predictors) == list(PREDICTORS)
        for scores in predictors.values():
            assert {"q2", "mae", "rmse", "tau", "regret", "coverage", "width", "tau_by_data"} <= set(scores)
    assert list(record["in_sample"]) == list(PREDICTORS)
    assert record["absent"] == {}
