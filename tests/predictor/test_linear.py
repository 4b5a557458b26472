import numpy as np
import pytest
import statsmodels.api as sm
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict

from vaescreen.errors import ResultError
from vaescreen.predictor.catalogue import PREDICTORS
from vaescreen.predictor.linear import Form, LinearModel, group_errors
from vaescreen.predictor.sample import Sample

FORMS = [
    Form(("ae_ceiling",)),
    Form(("conv_probe_psnr", "ae_ceiling", "bicubic_psnr")),
    Form(("bicubic_psnr",), offset="conv_probe_psnr"),
    Form((), offset="conv_probe_psnr"),
]


@pytest.fixture
def sample(simulate) -> Sample:
    return Sample.of(simulate(), "sr_psnr")


def design(form: Form, sample: Sample) -> np.ndarray:
    return np.column_stack([np.ones(len(sample)), *(sample.columns[name] for name in form.features)])


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_least_squares_agrees_with_statsmodels(form, sample):
    expected = sm.OLS(form.response(sample), design(form, sample)).fit()
    model = form.fit(sample)
    np.testing.assert_allclose((model.intercept, *model.coefficients), expected.params, rtol=1e-8)
    np.testing.assert_allclose(
        model.predict(sample.columns),
        expected.fittedvalues + sample.target - form.response(sample),
        rtol=1e-10,
    )


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_leverage_agrees_with_statsmodels(form, sample):
    fitted = sm.OLS(form.response(sample), design(form, sample)).fit()
    expected = fitted.get_influence().hat_matrix_diag
    np.testing.assert_allclose(form.fit(sample).leverage(sample, sample.columns), expected, rtol=1e-9)


def test_leverage_under_a_penalty_is_what_a_point_moves_its_own_prediction_by(sample):
    form = FORMS[1]
    model = LinearModel(form, (0.0, 0.0, 0.0), 0.0, penalty=5.0)
    features = design(form, sample)[:, 1:]
    rows = (features - features.mean(axis=0)) / features.std(axis=0)
    moved = []
    for place in range(len(sample)):
        lifted = sample.target + (np.arange(len(sample)) == place)
        moved.append(
            Ridge(5.0).fit(rows, lifted).predict(rows)[place]
            - Ridge(5.0).fit(rows, sample.target).predict(rows)[place]
        )
    np.testing.assert_allclose(model.leverage(sample, sample.columns), moved, rtol=1e-8)


@pytest.mark.parametrize("groups", ["candidates", "geometries", "data"])
def test_errors_without_refitting_are_those_of_refitting_without_each_group(groups, sample):
    uneven = sample.take(np.arange(len(sample)) % 5 != 1)
    labels = getattr(uneven, groups)
    _, group = np.unique(labels, return_inverse=True)
    for form in FORMS:
        columns = design(form, uneven)
        root, _ = np.linalg.qr(columns)
        found = group_errors(root[None], form.response(uneven), group)[0]
        predicted = cross_val_predict(
            LinearRegression(fit_intercept=False),
            columns,
            form.response(uneven),
            groups=labels,
            cv=LeaveOneGroupOut(),
        )
        np.testing.assert_allclose(found, form.response(uneven) - predicted, rtol=1e-7, atol=1e-9)


def test_a_fit_that_one_group_alone_determines_has_no_finite_error(sample):
    _, group = np.unique(sample.candidates, return_inverse=True)
    probe = sample.columns["conv_probe_psnr"]
    designs = [np.column_stack([np.ones(len(sample)), probe, extra]) for extra in (group == 0, probe**2)]
    roots = np.stack([np.linalg.qr(each.astype(float))[0] for each in designs])
    errors = group_errors(roots, sample.target, group)
    assert np.isinf(errors[0]).all()
    assert np.isfinite(errors[1]).all()


def test_what_the_points_cannot_tell_is_an_error_not_a_number(simulate):
    one_data_set = Sample.of(simulate(12, ("chest",)), "sr_psnr")
    with pytest.raises(ResultError, match="bicubic_psnr"):
        PREDICTORS["ae-plus-bicubic"].fit(one_data_set)
    with pytest.raises(ResultError, match="2 reference points do not determine 1 \\+ ae_ceiling"):
        PREDICTORS["published"].fit(Sample.of(simulate(2, ("chest",)), "sr_psnr"))
    with pytest.raises(ResultError, match="no spectral_slope in every score card"):
        Form(("spectral_slope",)).fit(one_data_set)
