import numpy as np
import pytest
import statsmodels.api as sm
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict

from vaescreen.errors import ResultError
from vaescreen.predictor.catalogue import PREDICTORS
from vaescreen.predictor.linear import Form, held_out_errors
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


def response(form: Form, sample: Sample) -> np.ndarray:
    return sample.target - (sample.columns[form.offset] if form.offset else 0)


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_least_squares_agrees_with_statsmodels(form, sample):
    expected = sm.OLS(response(form, sample), design(form, sample)).fit()
    model = form.fit(sample)
    np.testing.assert_allclose((model.intercept, *model.coefficients), expected.params, rtol=1e-8)
    np.testing.assert_allclose(
        model.predict(sample.columns),
        expected.fittedvalues + sample.target - response(form, sample),
        rtol=1e-10,
    )


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_leverage_agrees_with_statsmodels(form, sample):
    fitted = sm.OLS(response(form, sample), design(form, sample)).fit()
    expected = fitted.get_influence().hat_matrix_diag
    np.testing.assert_allclose(form.leverage(sample, sample.columns), expected, rtol=1e-9)


@pytest.mark.parametrize("groups", ["candidates", "geometries", "data"])
def test_errors_without_refitting_are_those_of_refitting_without_each_group(groups, sample):
    uneven = sample.take(np.arange(len(sample)) % 5 != 1)
    labels = getattr(uneven, groups)
    errors = held_out_errors(FORMS, uneven, labels)
    for form, found in zip(FORMS, errors, strict=True):
        predicted = cross_val_predict(
            LinearRegression(fit_intercept=False),
            design(form, uneven),
            response(form, uneven),
            groups=labels,
            cv=LeaveOneGroupOut(),
        )
        np.testing.assert_allclose(found, response(form, uneven) - predicted, rtol=1e-7, atol=1e-9)


def test_a_form_that_one_group_alone_determines_has_no_finite_error(simulate):
    sample = Sample.of(simulate(), "sr_psnr")
    marker = (sample.candidates == "ae-00").astype(float)
    marked = Sample(
        sample.columns | {"marker": marker},
        sample.target,
        sample.candidates,
        sample.geometries,
        sample.data,
    )
    forms = [Form(("conv_probe_psnr", "marker")), Form(("conv_probe_psnr",)), Form(("no-such-feature",))]
    errors = held_out_errors(forms, marked, marked.candidates)
    assert np.isinf(errors[[0, 2]]).all()
    assert np.isfinite(errors[1]).all()


def test_what_the_points_cannot_tell_is_an_error_not_a_number(simulate):
    one_data_set = Sample.of(simulate(12, ("chest",)), "sr_psnr")
    with pytest.raises(ResultError, match="bicubic_psnr"):
        PREDICTORS["ae-plus-bicubic"].fit(one_data_set)
    with pytest.raises(ResultError, match="2 reference points do not determine 1 \\+ ae_ceiling"):
        PREDICTORS["published"].fit(Sample.of(simulate(2, ("chest",)), "sr_psnr"))
    with pytest.raises(ResultError, match="no spectral_slope in every score card"):
        Form(("spectral_slope",)).fit(one_data_set)
    assert "bicubic_psnr" not in PREDICTORS["ours"].fit(one_data_set).form.features
