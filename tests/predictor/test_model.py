from dataclasses import replace

import numpy as np
import pytest

from vaescreen.predictor.catalogue import PREDICTORS
from vaescreen.predictor.linear import Form, held_out_errors
from vaescreen.predictor.model import Predictor
from vaescreen.predictor.sample import Sample


@pytest.fixture
def sample(simulate) -> Sample:
    return Sample.of(simulate(noise=0.05), "sr_psnr")


def test_the_form_with_the_least_held_out_error_is_chosen(sample):
    good, bad = Form(("conv_probe_psnr",)), Form(("ssim",))
    assert Predictor((bad, good)).fit(sample).form == good
    assert Predictor((good, bad)).fit(sample).form == good


def test_a_feature_that_gains_less_than_a_standard_error_is_not_worth_its_parameter(sample):
    plain, more = Form(("conv_probe_psnr",)), Form(("conv_probe_psnr", "ssim"))
    assert Predictor((more, plain)).choose(sample) == plain


def test_a_feature_that_gains_more_is(sample):
    bent = replace(sample, target=sample.target + 3 * sample.columns["log2_factor"])
    plain, more = Form(("conv_probe_psnr",)), Form(("conv_probe_psnr", "log2_factor"))
    assert Predictor((plain, more)).choose(bent) == more


def test_a_form_must_transfer_to_data_sets_too(sample):
    """SIMULATION: data sets differ in level, and two features that are constants of a data set tell them apart."""
    level = {"brain": 0.0, "chest": 0.5, "natural": -0.5}
    shifted = replace(
        sample,
        target=sample.target + np.array([level[name] for name in sample.data]),
        columns=sample.columns | {"is_chest": (sample.data == "chest").astype(float)},
    )
    honest, memory = Form(("conv_probe_psnr",)), Form(("conv_probe_psnr", "bicubic_psnr", "is_chest"))
    by_candidate = (held_out_errors([honest, memory], shifted, shifted.candidates) ** 2).mean(axis=1)
    assert by_candidate[1] < by_candidate[0] / 4
    assert Predictor((honest, memory)).choose(shifted) == honest


def test_ours_recovers_a_law_among_its_forms(sample):
    law = 1 + sample.columns["conv_probe_psnr"] - 0.4 * sample.columns["log2_channels"]
    noise = np.random.default_rng(0).normal(0, 0.01, len(sample))
    model = PREDICTORS["ours"].fit(replace(sample, target=law + noise))
    assert model.form == Form(("log2_channels",), offset="conv_probe_psnr")
    assert model.coefficients == pytest.approx((-0.4,), abs=0.01)
    assert model.intercept == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("name", PREDICTORS)
def test_order_of_the_points_changes_nothing(name, simulate):
    points = simulate()
    sample, turned = Sample.of(points, "sr_psnr"), Sample.of(points[::-1], "sr_psnr")
    predictor = PREDICTORS[name]
    model, again = predictor.fit(sample), predictor.fit(turned)
    assert model.form == again.form
    np.testing.assert_allclose(again.predict(sample.columns), model.predict(sample.columns), rtol=1e-10)
