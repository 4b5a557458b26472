from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from vaescreen.predictor.catalogue import BASES, PREDICTORS
from vaescreen.predictor.intervals import Novelty, jackknife
from vaescreen.predictor.kernel import KernelRidge
from vaescreen.predictor.linear import Form
from vaescreen.predictor.sample import Sample


@dataclass(frozen=True)
class Shifted:
    """The convolutional probe and a constant: fit and model in one."""

    shift: float = 0.0

    def fit(self, sample: Sample) -> "Shifted":
        return Shifted(float((sample.target - sample.columns["conv_probe_psnr"]).mean()))

    def predict(self, columns):
        return columns["conv_probe_psnr"] + self.shift

    def spread(self, columns):
        return np.ones(len(columns["conv_probe_psnr"]))


@dataclass(frozen=True)
class Blind:
    """A predictor that believes itself as good at every card as at any other."""

    predictor: Any

    def fit(self, sample: Sample) -> "Blind":
        return Blind(self.predictor.fit(sample))

    def predict(self, columns):
        return self.predictor.predict(columns)

    def spread(self, columns):
        return np.ones(len(columns["conv_probe_psnr"]))


def test_interval_by_the_definition(simulate):
    sample = Sample.of(simulate(10, ("chest",), seed=3), "sr_psnr")
    features = sample.columns["ae_ceiling"][:, None]
    new = np.array([[30.0], [40.0]])
    lower, upper = [], []
    for left in range(10):
        keep = np.arange(10) != left
        model = LinearRegression().fit(features[keep], sample.target[keep])
        error = abs(sample.target[left] - model.predict(features[[left]])[0])
        lower.append(model.predict(new) - error)
        upper.append(model.predict(new) + error)
    # n = 10, alpha = 0.2: floor(0.2 * 11) = the 2nd smallest and ceil(0.8 * 11) = the 9th smallest.
    expected = np.sort(lower, axis=0)[1], np.sort(upper, axis=0)[8]
    fitted = jackknife(Form(("ae_ceiling",)), sample)
    ends = fitted.interval({"ae_ceiling": new[:, 0]}, Novelty.CANDIDATE, 0.8)
    np.testing.assert_allclose(ends, expected, rtol=1e-10)


@pytest.mark.parametrize("novelty", Novelty)
def test_what_will_be_new_is_left_out_with_all_its_points(novelty, simulate):
    sample = Sample.of(simulate(6), "sr_psnr")
    held_out = jackknife(PREDICTORS["conv-probe"], sample).held_out[novelty]
    groups = novelty.groups(sample)
    assert [left.group for left in held_out] == sorted(set(groups))
    for left in held_out:
        out = groups == left.group
        assert left.model == PREDICTORS["conv-probe"].fit(sample.take(~out))
        predicted = left.model.predict(sample.take(out).columns)
        np.testing.assert_allclose(left.errors, sample.target[out] - predicted)
        assert left.points.data.tolist() == sample.data[out].tolist()


@pytest.mark.parametrize(
    ("geometry", "data", "expected"),
    [
        (True, True, Novelty.CANDIDATE),
        (False, True, Novelty.GEOMETRY),
        (True, False, Novelty.DATA),
        (False, False, Novelty.DATA),
    ],
)
def test_novelty_is_the_most_that_is_new(geometry, data, expected):
    assert Novelty.of(geometry_known=geometry, data_known=data) is expected


@pytest.mark.parametrize(("name", "seeds"), [("published", 40), ("conv-probe", 40), ("ours", 12)])
def test_ninety_per_cent_of_new_candidates_fall_inside(name, seeds, simulate):
    inside = []
    for seed in range(seeds):
        points = simulate(24, seed=seed)
        known, new = points[:42], Sample.of(points[42:], "sr_psnr")
        fitted = jackknife(PREDICTORS[name], Sample.of(known, "sr_psnr"), [Novelty.CANDIDATE])
        low, high = fitted.interval(new.columns, Novelty.CANDIDATE)
        inside.append((low <= new.target) & (new.target <= high))
    assert 0.85 <= np.mean(inside) <= 0.97


def unlike(simulate, seed: int, far: float) -> tuple[Sample, Sample]:
    """SIMULATION: points of 12 candidates, and of 12 whose corrections lie `far` of their SDs beyond; a known law."""
    sample = Sample.of(simulate(24, ("brain", "chest"), seed=seed), "sr_psnr")
    random, new = np.random.default_rng(seed), np.arange(len(sample)) >= 24
    columns = dict(sample.columns)
    law = columns[BASES["sr_psnr"]] + random.normal(0, 0.1, len(sample))
    for name in ("latent_gap", "linear_gap", "ae_share", "log10_finest_share"):
        values = random.normal(0, 1, len(sample)) + far * new
        columns[name] = values
        law = law + 0.2 * values + 0.4 * np.sin(values)
    moved = replace(sample, columns=columns, target=law)
    return moved.take(~new), moved.take(new)


@pytest.mark.parametrize("far", [0.0, 1.5])
def test_candidates_unlike_all_points_fall_inside_as_often_as_others(far, simulate):
    ours = KernelRidge(("latent_gap", "linear_gap", "ae_share", "log10_finest_share"), BASES)
    coverage, width = {}, {}
    for name, predictor in (("ours", ours), ("blind", Blind(ours))):
        inside, widths = [], []
        for seed in range(10):
            known, new = unlike(simulate, seed, far)
            fitted = jackknife(predictor, known, [Novelty.CANDIDATE])
            low, high = fitted.interval(new.columns, Novelty.CANDIDATE)
            inside.append((low <= new.target) & (new.target <= high))
            widths.append(high - low)
        coverage[name], width[name] = np.mean(inside), np.mean(widths)
    assert 0.85 <= coverage["ours"] <= 0.97
    if far:
        assert coverage["blind"] < 0.8
    else:
        assert width["ours"] < 1.05 * width["blind"]


def test_a_data_set_with_a_level_of_its_own_widens_the_interval_of_new_data_alone(simulate):
    sample = Sample.of(simulate(14), "sr_psnr")
    shift = {"brain": -1.5, "chest": 0.0, "natural": 1.5}
    moved = replace(sample, target=sample.target + np.array([shift[name] for name in sample.data]))
    columns = {name: column[:3] for name, column in sample.columns.items()}
    width = {}
    for name, points in (("level", sample), ("shifted", moved)):
        fitted = jackknife(Shifted(), points)
        for novelty in (Novelty.CANDIDATE, Novelty.DATA):
            low, high = fitted.interval(columns, novelty)
            width[name, novelty] = float((high - low).mean())
    assert width["shifted", Novelty.DATA] > 1.4 * width["shifted", Novelty.CANDIDATE]
    assert width["level", Novelty.DATA] < 1.4 * width["level", Novelty.CANDIDATE]


def test_level_sets_the_width_and_the_prediction_is_inside(simulate):
    sample = Sample.of(simulate(), "sr_psnr")
    fitted = jackknife(PREDICTORS["ours"], sample, [Novelty.CANDIDATE])
    (low, high), (low_half, high_half) = (
        fitted.interval(sample.columns, Novelty.CANDIDATE, level) for level in (0.9, 0.5)
    )
    assert (high - low > high_half - low_half).all()
    value = fitted.model.predict(sample.columns)
    assert ((low_half <= value) & (value <= high_half)).all()


def test_too_few_points_or_groups_bound_nothing(simulate):
    sample = Sample.of(simulate(8, ("chest",)), "sr_psnr")
    fitted = jackknife(PREDICTORS["conv-probe"], sample)
    for novelty in (Novelty.CANDIDATE, Novelty.DATA):
        low, high = fitted.interval(sample.columns, novelty)
        assert np.isneginf(low).all()
        assert np.isposinf(high).all()


def test_errors_within_data_have_no_level(simulate):
    sample = Sample.of(simulate(), "sr_psnr")
    shifted = replace(sample, target=sample.target + 2 * (sample.data == "brain"))
    plain, moved = (
        jackknife(Shifted(), each, [Novelty.DATA]).errors_within_data(Novelty.DATA)
        for each in (sample, shifted)
    )
    np.testing.assert_allclose(np.sort(plain), np.sort(moved), atol=1e-9)
    by_hand = sample.target - sample.columns["conv_probe_psnr"]
    chest = by_hand[sample.data == "chest"]
    expected = (chest - chest.mean()) * np.sqrt(12 / 11)
    assert np.isclose(plain[:, None], expected).any(axis=0).all()
