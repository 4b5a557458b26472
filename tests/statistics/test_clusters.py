import numpy as np
import pandas as pd
import pytest

from vaescreen.errors import DataError
from vaescreen.statistics.clusters import Patients, pair, pair_by_image


def test_values_are_summed_and_averaged_by_patient():
    patients = Patients.of(["b", "a", "b", "c"])
    assert (patients.names, patients.sizes.tolist()) == (("a", "b", "c"), [1, 2, 1])
    values = np.array([1.0, 5.0, 3.0, 7.0])
    expected = pd.Series(values).groupby(["b", "a", "b", "c"])
    np.testing.assert_allclose(patients.totals(values), expected.sum())
    np.testing.assert_allclose(patients.means(values), expected.mean())
    table = np.column_stack([values, -values])
    np.testing.assert_allclose(patients.means(table), np.column_stack([expected.mean(), -expected.mean()]))


def test_images_are_paired_by_id_and_not_by_place():
    first = pd.Series({"x_10": 3.0, "x_2": 1.0, "x_1": 2.0})
    second = pd.Series({"x_1": 0.5, "x_2": 0.25, "x_10": 0.125})
    pairs = pair_by_image(first, second, {"x_1": "p", "x_2": "p", "x_10": "q"})
    assert sorted(pairs.differences) == [0.75, 1.5, 2.875]
    assert dict(zip(pairs.patients.names, pairs.patient_differences, strict=True)) == {"p": 1.125, "q": 2.875}


def test_an_image_without_partner_patient_or_with_two_values_is_named():
    values, patients = pd.Series({"i": 1.0, "j": 2.0}), {"i": "p", "j": "q"}
    with pytest.raises(DataError, match="image j and 0 more have a value of one candidate only"):
        pair_by_image(values, values[:1], patients)
    with pytest.raises(DataError, match="image j has no patient"):
        pair_by_image(values, values, {"i": "p"})
    with pytest.raises(DataError, match="second candidate has image i twice"):
        pair_by_image(values, pd.concat([values, values[:1]]), patients)


def test_what_has_no_finite_mean_is_refused_by_place():
    with pytest.raises(DataError, match=r"value nan of image 1, candidate 0"):
        pair([1.0, np.nan], [1.0, 2.0], ["p", "q"])
    with pytest.raises(DataError, match="one patient for each"):
        pair([1.0, 2.0], [1.0, 2.0], ["p"])
    with pytest.raises(DataError, match="one value an image"):
        pair([[1.0, 2.0]], [1.0], ["p"])
