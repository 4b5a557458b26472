import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict

from vaescreen.predictor.sample import Sample
from vaescreen.predictor.transfer import group_errors

FEATURES = [(), ("ae_ceiling",), ("conv_probe_psnr", "ae_ceiling", "bicubic_psnr")]


@pytest.fixture
def sample(simulate) -> Sample:
    return Sample.of(simulate(), "sr_psnr")


@pytest.mark.parametrize("groups", ["candidates", "geometries", "data"])
def test_errors_without_refitting_are_those_of_refitting_without_each_group(groups, sample):
    uneven = sample.take(np.arange(len(sample)) % 5 != 1)
    labels = getattr(uneven, groups)
    _, group = np.unique(labels, return_inverse=True)
    for features in FEATURES:
        columns = np.column_stack([np.ones(len(uneven)), *(uneven.columns[name] for name in features)])
        root, _ = np.linalg.qr(columns)
        found = group_errors((root @ root.T)[None], uneven.target, group)[0]
        least_squares = LinearRegression(fit_intercept=False)
        predicted = cross_val_predict(
            least_squares, columns, uneven.target, groups=labels, cv=LeaveOneGroupOut()
        )
        np.testing.assert_allclose(found, uneven.target - predicted, rtol=1e-7, atol=1e-9)


def test_a_fit_that_one_group_alone_determines_has_no_finite_error(sample):
    _, group = np.unique(sample.candidates, return_inverse=True)
    probe = sample.columns["conv_probe_psnr"]
    designs = [np.column_stack([np.ones(len(sample)), probe, extra]) for extra in (group == 0, probe**2)]
    roots = [np.linalg.qr(each.astype(float))[0] for each in designs]
    errors = group_errors(np.stack([root @ root.T for root in roots]), sample.target, group)
    assert np.isinf(errors[0]).all()
    assert np.isfinite(errors[1]).all()
