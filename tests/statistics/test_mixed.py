import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from clustered import clustered, names
from scipy import stats

from vaescreen.errors import DataError
from vaescreen.statistics.clusters import pair
from vaescreen.statistics.mixed import mixed_model


@pytest.mark.parametrize("scale", [1.0, 1e-4])
def test_fit_is_that_of_statsmodels_with_t_for_few_patients(scale):
    pairs = clustered(2, patients=15)
    table = pd.DataFrame({"d": pairs.differences, "patient": names(pairs)})
    fit = smf.mixedlm("d ~ 1", table, groups="patient").fit(reml=True)
    found = mixed_model(pair(pairs.first * scale, pairs.second * scale, names(pairs)))
    assert found.note == ""
    assert found.difference == pytest.approx(scale * fit.params["Intercept"], rel=1e-4)
    assert found.image_sd == pytest.approx(scale * math.sqrt(fit.scale), rel=1e-3)
    assert found.patient_sd == pytest.approx(scale * math.sqrt(fit.cov_re.iloc[0, 0]), rel=1e-3)
    reach = stats.t.ppf(0.975, 14) * fit.bse["Intercept"]
    assert found.high - found.low == pytest.approx(2 * scale * reach, rel=1e-3)
    assert found.p == pytest.approx(2 * stats.t.sf(abs(fit.tvalues["Intercept"]), 14), rel=1e-2)


def test_balanced_data_give_the_paired_t_test():
    generator = np.random.default_rng(3)
    by_patient = np.repeat(generator.normal(0.5, 1, 10), 4) + generator.normal(0, 0.3, 40)
    owners = [f"p{i // 4}" for i in range(40)]
    found = mixed_model(pair(by_patient, np.zeros(40), owners))
    means = by_patient.reshape(10, 4).mean(axis=1)
    assert found.p == pytest.approx(stats.ttest_1samp(means, 0).pvalue, rel=1e-3)
    within = by_patient.reshape(10, 4).var(axis=1, ddof=1).mean()
    between = means.var(ddof=1) - within / 4
    assert found.patient_sd**2 == pytest.approx(between, rel=1e-3)
    assert found.image_sd**2 == pytest.approx(within, rel=1e-3)


@pytest.mark.parametrize(
    ("differences", "patients", "note"),
    [
        ([0.1, 0.4, 0.2, 0.7], "abcd", "one image a patient"),
        ([0.2, 0.2, 0.2, 0.2], "aabb", "images of a patient do not vary"),
        ([1.0, 1.0, 2.0, 2.0, 4.0, 4.0], "aabbcc", "images of a patient do not vary"),
        ([1.0, -1.0, 1.0, -1.0, 1.1, -1.0], "aabbcc", "no variance between patients"),
    ],
)
def test_singular_models_become_t_tests_of_patients_and_say_so(differences, patients, note):
    found = mixed_model(pair(differences, np.zeros(len(differences)), list(patients)))
    assert note in found.note
    means = pd.Series(differences).groupby(list(patients)).mean()
    assert found.difference == pytest.approx(means.mean())
    if means.std() > 1e-9:
        low, high = stats.t.interval(0.95, len(means) - 1, means.mean(), stats.sem(means))
        assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))
        assert found.p == pytest.approx(stats.ttest_1samp(means, 0).pvalue)
    else:
        assert (found.low, found.high, found.p) == (pytest.approx(0.2), pytest.approx(0.2), 0)


def test_one_patient_is_refused():
    with pytest.raises(DataError, match="mixed model needs at least 2 patients"):
        mixed_model(pair([1.0, 2.0], [0.0, 0.0], ["p", "p"]))
