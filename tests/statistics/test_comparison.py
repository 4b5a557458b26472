import numpy as np
import pandas as pd
import pingouin
import pytest
from clustered import clustered, names
from statsmodels.stats.multitest import multipletests

from vaescreen.errors import DataError
from vaescreen.statistics.comparison import compare_all, holm
from vaescreen.statistics.effects import cliffs_delta, cohens_d, mean_difference
from vaescreen.statistics.mixed import mixed_model
from vaescreen.statistics.paired import t_test, wilcoxon_patients


@pytest.fixture
def table() -> tuple[pd.DataFrame, list[str]]:
    pairs = clustered(0, gap=0.6)
    noise = np.random.default_rng(9).normal(0.1, 0.4, len(pairs.first))
    return pd.DataFrame({"a": pairs.first, "b": pairs.second, "c": pairs.second + noise}), names(pairs)


def test_every_pair_is_compared_once_and_corrected_for_all(table):
    found = compare_all(*table)
    assert [(row.first, row.second) for row in found] == [("a", "b"), ("a", "c"), ("b", "c")]
    for corrected, plain in (
        ([row.p_holm for row in found], [row.t.p for row in found]),
        ([row.wilcoxon_p_holm for row in found], [row.wilcoxon.p for row in found]),
    ):
        assert corrected == pytest.approx(pingouin.multicomp(plain, method="holm")[1])
        assert corrected[0] > plain[0]


def test_figures_are_those_of_the_pair(table):
    found, pairs = compare_all(*table)[0], clustered(0, gap=0.6)
    assert (found.images, found.patients) == (len(pairs.first), 12)
    assert (found.t, found.wilcoxon) == (t_test(pairs), wilcoxon_patients(pairs))
    for figure, effect in (
        (found.difference, mean_difference),
        (found.cohens_d, cohens_d),
        (found.cliffs_delta, cliffs_delta),
    ):
        assert figure == effect(pairs)
    assert found.mixed == mixed_model(pairs)
    assert found.patient_sd == pytest.approx(pairs.patient_differences.std(ddof=1))
    assert found.patient_difference / found.patient_sd == pytest.approx(found.d_z)


def test_margin_adds_a_test_of_equivalence(table):
    assert compare_all(*table)[0].equivalence is None
    found = compare_all(*table, margin=2.0)[0].equivalence
    assert found is not None
    assert (found.margin, found.equivalent) == (2.0, True)


def test_level_draws_and_seed_reach_the_intervals(table):
    two, patients = table[0][["a", "b"]].copy(), table[1]
    two["a"] = two["b"] + np.random.default_rng(0).gamma(0.3, 1.0, len(two))
    usual = compare_all(two, patients)[0].difference
    assert compare_all(two, patients, level=0.8)[0].difference.high < usual.high
    assert compare_all(two, patients, draws=100)[0].difference != usual
    assert compare_all(two, patients, seed=1)[0].difference != usual


def test_one_candidate_cannot_be_compared(table):
    with pytest.raises(DataError, match="two or more"):
        compare_all(table[0][["a"]], table[1])


@pytest.mark.parametrize(
    "p",
    [
        [0.2],
        [0.03, 0.01, 0.02, 0.04],
        [0.5, 0.9, 0.5, 0.01],
        [0.0, 1.0, 0.0],
        [0.02, 0.02, 0.02],
        [0.011, 0.02, 0.01],
    ],
)
def test_holm_is_that_of_statsmodels(p):
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1], abs=1e-15)
