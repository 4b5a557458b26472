import numpy as np
import pandas as pd
import pytest

from vaescreen.errors import DataError
from vaescreen.statistics.clusters import Patients, pair


def test_values_are_summed_and_averaged_by_patient():
    patients = Patients.of(["b", "a", "b", "c"])
    assert (patients.names, patients.sizes.tolist()) == (("a", "b", "c"), [1, 2, 1])
    values = np.array([1.0, 5.0, 3.0, 7.0])
    expected = pd.Series(values).groupby(["b", "a", "b", "c"])
    np.testing.assert_allclose(patients.totals(values), expected.sum())
    np.testing.assert_allclose(patients.means(values), expected.mean())
    table = np.column_stack([values, -values])
    np.testing.assert_allclose(patients.means(table), np.column_stack([expected.mean(), -expected.mean()]))


def test_what_has_no_finite_mean_is_refused_by_place():
    with pytest.raises(DataError, match=r"value nan of image 1, candidate 0"):
        pair([1.0, np.nan], [1.0, 2.0], ["p", "q"])
    with pytest.raises(DataError, match="one patient for each"):
        pair([1.0, 2.0], [1.0, 2.0], ["p"])
    with pytest.raises(DataError, match="one value an image"):
        pair([[1.0, 2.0]], [1.0], ["p"])
