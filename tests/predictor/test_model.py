import numpy as np
import pytest
import statsmodels.api as sm
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict

from vaescreen.errors import ResultError
from vaescreen.predictor.model import PREDICTORS, Form, Predictor, Sample

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


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_error_without_refitting_is_that_of_refitting_without_each_candidate(form, sample):
    uneven = sample.take(np.arange(len(sample)) % 5 != 1)
    predicted = cross_val_predict(
        LinearRegression(fit_intercept=False),
        design(form, uneven),
        response(form, uneven),
        groups=uneven.candidates,
        cv=LeaveOneGroupOut(),
    )
    expected = np.mean((response(form, uneven) - predicted) ** 2)
    assert form.held_out_error(uneven) == pytest.approx(expected, rel=1e-9)


def test_the_form_with_the_least_held_out_error_is_chosen(simulate):
    sample = Sample.of(simulate(noise=0.05), "sr_psnr")
    good, bad = Form(("conv_probe_psnr",)), Form(("ssim",))
    assert Predictor((bad, good)).fit(sample).form == good
    assert Predictor((good, bad)).fit(sample).form == good


def test_ours_recovers_the_simulated_law(simulate):
    model = PREDICTORS["ours"].fit(Sample.of(simulate(40, noise=0.001), "sr_psnr"))
    slopes = dict(zip(model.form.features, model.coefficients, strict=True))
    total = slopes.pop("conv_probe_psnr", 0) + (model.form.offset == "conv_probe_psnr")
    assert total == pytest.approx(0.95, abs=0.01)
    assert all(abs(slope) < 0.01 for slope in slopes.values())


def test_what_the_points_cannot_tell_is_an_error_not_a_number(simulate):
    one_data_set = Sample.of(simulate(12, ("chest",)), "sr_psnr")
    with pytest.raises(ResultError, match="bicubic_psnr"):
        PREDICTORS["ae-plus-bicubic"].fit(one_data_set)
    with pytest.raises(ResultError, match="2 reference points do not determine 1 \\+ ae_ceiling"):
        PREDICTORS["published"].fit(Sample.of(simulate(2, ("chest",)), "sr_psnr"))
    assert "bicubic_psnr" not in PREDICTORS["ours"].fit(one_data_set).form.features


def test_a_form_that_one_candidate_alone_determines_is_not_chosen(simulate):
    sample = Sample.of(simulate(), "sr_psnr")
    marker = (sample.candidates == "ae-00").astype(float)
    marked = Sample(sample.columns | {"marker": marker}, sample.target + 10 * marker, sample.candidates)
    assert Form(("conv_probe_psnr", "marker")).held_out_error(marked) == float("inf")


@pytest.mark.parametrize("name", PREDICTORS)
def test_order_of_the_points_changes_nothing(name, simulate):
    points = simulate()
    sample, turned = Sample.of(points, "sr_psnr"), Sample.of(points[::-1], "sr_psnr")
    predictor = PREDICTORS[name]
    model, again = predictor.fit(sample), predictor.fit(turned)
    assert model.form == again.form
    np.testing.assert_allclose(again.predict(sample.columns), model.predict(sample.columns), rtol=1e-10)
