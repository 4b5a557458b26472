from dataclasses import replace

import pytest

from vaescreen.autoencoders.contract import Geometry
from vaescreen.errors import ResultError
from vaescreen.predictor.files import load, save, shipped_path
from vaescreen.predictor.fitted import fit
from vaescreen.predictor.intervals import Novelty
from vaescreen.predictor.points import TARGETS, load_points
from vaescreen.predictor.words import in_words
from vaescreen.storage import read_json, write_json


@pytest.fixture(scope="module")
def fitted(simulate):
    return fit(simulate(14), "compact")


def test_json_round_trip_predicts_exactly_the_same(fitted, simulate, card, tmp_path):
    save(fitted, tmp_path / "compact.json")
    loaded = load(tmp_path / "compact.json")
    assert (loaded.recipe, loaded.points, loaded.span) == (fitted.recipe, fitted.points, fitted.span)
    for point in simulate(5, seed=9):
        for target in TARGETS:
            assert loaded.predict(card(point), target) == fitted.predict(card(point), target)


def test_prediction_is_near_the_simulated_truth_for_each_target(fitted, simulate, card):
    for point in simulate(5, seed=9):
        for target in TARGETS:
            prediction = fitted.predict(card(point), target)
            assert prediction.low <= prediction.value <= prediction.high
            assert prediction.value == pytest.approx(point.targets[target], abs=1.2)


def test_reference_points_themselves_lie_within_the_span(fitted, simulate, card):
    predictions = [fitted.predict(card(point)) for point in simulate(14)]
    assert not any("outside" in prediction.reason for prediction in predictions)
    inside = [prediction for prediction in predictions if not prediction.extrapolation]
    assert len(inside) >= 0.9 * len(predictions)
    assert all(prediction.reason == "" for prediction in inside)


@pytest.mark.parametrize("name", ["conv_probe_psnr", "bicubic_psnr", "ae_ceiling"])
def test_outside_the_span_is_extrapolation_and_says_why(fitted, simulate, card, name):
    point = simulate(14)[0]
    largest = max(p.features[name] for p in fitted.points)
    smallest = min(p.features[name] for p in fitted.points)
    for value, outside in ((largest, False), (largest + 1, True), (smallest - 1, True)):
        prediction = fitted.predict(card(replace(point, features=point.features | {name: value})))
        assert (f"{in_words(name)} {value:.2f} is outside" in prediction.reason) is outside
        assert prediction.extrapolation or not outside


def test_an_odd_combination_of_usual_values_is_extrapolation_by_leverage(simulate, card):
    def moved(point, excess):
        features = point.features | {
            "ae_ceiling": point.features["conv_probe_psnr"] + excess,
            "latent_gap": excess,
        }
        sr = features["conv_probe_psnr"] + 0.5 * excess
        return replace(point, features=features, targets=dict.fromkeys(TARGETS, sr))

    fitted = fit([moved(point, 5 + index % 3 / 3) for index, point in enumerate(simulate(14))], "compact")
    fitted = replace(fitted, span={})
    usual, odd = (fitted.predict(card(moved(fitted.points[20], excess))) for excess in (5.5, 4))
    assert not usual.extrapolation
    assert odd.extrapolation
    assert odd.reason.startswith("leverage")


def test_a_card_of_another_size_or_degradation_is_refused(fitted, simulate, card):
    point = simulate(1)[0]
    again = "score again with `--recipe compact`"
    fit_again = "fitted to score cards of score-3, not score-2; fit it again"
    for change, message in (
        ({"size": 256}, again),
        ({"kernel": "area"}, again),
        ({"scale": 2}, again),
        ({"conditioning": "latent from lr-latent"}, again),
        ({"protocol": "score-2"}, fit_again),
    ):
        other = card(replace(point, definition=point.definition._replace(**change)))
        with pytest.raises(ResultError, match=message):
            fitted.predict(other)


def test_a_card_with_noise_is_not_that_of_a_recipe_without(fitted, simulate, card):
    noisy = card(simulate(1)[0])
    noise = {"kind": "gaussian", "sd": 0.01, "seed": 0}
    noisy["view"]["degradation"] = {**noisy["view"]["degradation"], "noise": noise}
    with pytest.raises(ResultError, match=r"not of .* lanczos gaussian0\.01 x4"):
        fitted.predict(noisy)


def test_a_card_without_a_feature_that_counts_is_refused(fitted, simulate, card):
    points = [replace(p, features=p.features | {"roughness": n / 10}) for n, p in enumerate(simulate(14))]
    with pytest.raises(ResultError, match="ae-00 on brain has no roughness"):
        fit(points, "compact").predict(card(simulate(1)[0]))


def test_novelty_goes_by_geometry_and_by_pixels_not_by_the_name_of_the_data(fitted, simulate, card):
    point = simulate(1)[0]
    assert fitted.predict(card(point)).novelty is Novelty.CANDIDATE
    assert fitted.predict(card(replace(point, geometry=Geometry(2, 4)))).novelty is Novelty.GEOMETRY
    namesake = fitted.predict(card(replace(point, data_fingerprint="other images")))
    assert namesake.novelty is Novelty.DATA
    assert namesake.value == fitted.predict(card(point)).value


def test_effects_add_up_to_the_difference_from_the_mean_of_the_ranked(fitted, simulate, card):
    cards = [card(point) for point in simulate(6, ("chest",), seed=7)]
    values = [fitted.predict(each).value for each in cards]
    for each, value in zip(cards, values, strict=True):
        influences = fitted.explain(each, cards)
        assert sum(influence.effect for influence in influences) == pytest.approx(value - sum(values) / 6)
        sizes = [abs(influence.effect) for influence in influences]
        assert sizes == sorted(sizes, reverse=True)


def test_the_best_is_the_likeliest_best(fitted, simulate, card):
    cards = [card(point) for point in simulate(6, ("chest",), seed=7)]
    probability = fitted.probability_of_best(cards)
    assert probability.sum() == pytest.approx(1)
    assert probability.argmax() == max(range(6), key=lambda place: fitted.predict(cards[place]).value)


def test_fit_from_result_files(results, tmp_path):
    with pytest.raises(ResultError, match="6 reference points of 3 candidates"):
        fit(load_points(results, "compact"), "compact")


def test_points_of_another_recipe_are_refused(simulate):
    points = simulate(14)
    with pytest.raises(ResultError, match="ae-00 on brain is of recipe 'paper'"):
        fit([replace(points[0], recipe="paper"), *points[1:]], "compact")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda record: record.update(schema=1), "has schema 1, not 6"),
        (lambda record: record.pop("points"), "is damaged"),
        (lambda record: record["targets"]["sr_psnr"].update(model=None), "is damaged"),
    ],
)
def test_files_that_cannot_be_used_are_refused(fitted, tmp_path, change, message):
    path = tmp_path / "compact.json"
    save(fitted, path)
    record = read_json(path)
    change(record)
    write_json(path, record)
    with pytest.raises(ResultError, match=message):
        load(path)


def test_a_missing_file_is_named():
    with pytest.raises(ResultError, match=r"shipped/no-such-recipe\.json"):
        load(shipped_path("no-such-recipe"))
