import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from vaescreen.predictor.external import external_check, published_points

# AE ceiling and SR PSNR in dB of SD-VAE, then MedVAE 4x3, on MRNet, BraTS and CXR: arXiv 2604.12152v1.
CEILING = [23.92, 31.39, 32.02, 27.85, 37.87, 36.93]
SR = [22.34, 23.51, 25.58, 25.26, 26.42, 28.87]


def test_the_data_file_holds_the_published_points():
    source, values, data = published_points()
    assert "2604.12152" in source
    assert (values["ae_ceiling"], values["sr_psnr"]) == (CEILING, SR)
    assert data == ["MRNet", "BraTS", "CXR"] * 2
    assert np.corrcoef(CEILING, SR)[0, 1] == pytest.approx(0.8156, abs=5e-5)


def test_errors_are_those_of_a_fit_to_our_points_alone(simulate):
    points = simulate(14)
    x = np.array([[p.features["ae_ceiling"], p.features["bicubic_psnr"]] for p in points])
    y = [p.targets["sr_psnr"] for p in points]
    published = np.array([CEILING, [23.79, 29.91, 30.47] * 2]).T
    error = LinearRegression().fit(x, y).predict(published) - SR
    check = external_check(points)
    assert list(check.scores) == ["published", "constant", "bicubic", "ae-plus-bicubic"]
    assert check.scores["ae-plus-bicubic"].mae == pytest.approx(np.abs(error).mean())
    assert check.bias["ae-plus-bicubic"] == pytest.approx(error.mean())
    assert check.scores["ae-plus-bicubic"].coverage is None


def test_what_our_points_do_not_determine_is_left_out(simulate):
    assert list(external_check(simulate(14, ("chest",))).scores) == ["published", "constant"]
