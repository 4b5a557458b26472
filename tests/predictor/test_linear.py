import numpy as np
import pytest
import statsmodels.api as sm

from vaescreen.errors import ResultError
from vaescreen.predictor.catalogue import PREDICTORS
from vaescreen.predictor.linear import Form
from vaescreen.predictor.sample import Sample

FORMS = [Form(()), Form(("ae_ceiling",)), Form(("conv_probe_psnr", "ae_ceiling", "bicubic_psnr"))]


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_least_squares_agrees_with_statsmodels(form, simulate):
    sample = Sample.of(simulate(), "sr_psnr")
    design = np.column_stack([np.ones(len(sample)), *(sample.columns[name] for name in form.features)])
    expected, model = sm.OLS(sample.target, design).fit(), form.fit(sample)
    np.testing.assert_allclose((model.intercept, *model.coefficients), expected.params, rtol=1e-8)
    np.testing.assert_allclose(model.predict(sample.columns), expected.fittedvalues, rtol=1e-10)


def test_one_point_more_than_coefficients_is_enough(simulate):
    few = Sample.of(simulate(3, ("chest",)), "sr_psnr")
    expected = np.polyfit(few.columns["ae_ceiling"], few.target, 1)
    model = PREDICTORS["published"].fit(few)
    assert (*model.coefficients, model.intercept) == pytest.approx(tuple(expected))


def test_what_the_points_cannot_tell_is_an_error_not_a_number(simulate):
    one_data_set = Sample.of(simulate(12, ("chest",)), "sr_psnr")
    with pytest.raises(ResultError, match="bicubic_psnr"):
        PREDICTORS["ae-plus-bicubic"].fit(one_data_set)
    with pytest.raises(ResultError, match="2 reference points do not determine 1 \\+ ae_ceiling"):
        PREDICTORS["published"].fit(Sample.of(simulate(2, ("chest",)), "sr_psnr"))
    with pytest.raises(ResultError, match="no spectral_slope in every score card"):
        Form(("spectral_slope",)).fit(one_data_set)
