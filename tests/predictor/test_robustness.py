from dataclasses import replace

import numpy as np
import pytest

from vaescreen.predictor.robustness import learning_curve, robustness


@pytest.fixture(scope="module")
def tried(simulate):
    return robustness(simulate(12))


def test_permuted_targets_destroy_the_score(tried):
    assert tried.plain.q2 > 0.95
    assert np.median(tried.permuted_q2) < 0
    assert tried.permutation_p == 1 / 20
    lucky = replace(tried, permuted_q2=(*tried.permuted_q2[1:], tried.plain.q2))
    assert lucky.permutation_p == 2 / 20


def test_random_features_do_not_improve_it(simulate):
    tried = robustness(simulate(10))
    assert len(tried.random_features) >= 3
    assert np.mean([scores.q2 for scores in tried.random_features]) < tried.plain.q2 + 0.002


def test_each_family_is_dropped_once(tried, simulate):
    assert sorted(tried.without_family) == sorted({p.family for p in simulate(12)})
    assert all(scores.q2 > 0.9 for scores in tried.without_family.values())
    assert len({scores.q2 for scores in tried.without_family.values()} | {tried.plain.q2}) == 5


def test_more_reference_points_predict_better(simulate):
    from vaescreen.predictor.catalogue import PREDICTORS

    rungs = learning_curve(simulate(16, noise=0.5), predictor=PREDICTORS["ae-plus-bicubic"])
    assert [rung.candidates for rung in rungs] == [5, 7, 9, 11, 13]
    assert [rung.points for rung in rungs] == [15, 21, 27, 33, 39]
    assert rungs[0].mae > rungs[-1].mae
    assert rungs[0].q2 < rungs[-1].q2
