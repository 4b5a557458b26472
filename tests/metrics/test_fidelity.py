import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import uniform_filter
from skimage.metrics import mean_squared_error, normalized_root_mse, peak_signal_noise_ratio
from torchmetrics.functional.image import peak_signal_noise_ratio as torchmetrics_psnr
from torchmetrics.functional.regression import normalized_root_mean_squared_error

from vaescreen.errors import DataError
from vaescreen.metrics.fidelity import foreground_mask, foreground_psnr, mse, nrmse, psnr, psnr_of_mean_mse


@pytest.mark.parametrize(("height", "width"), [(16, 16), (64, 64), (33, 47)])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-4)])
def test_mse_and_psnr_are_those_of_scikit_image(make_pair, height, width, dtype, tolerance):
    reference, estimate = make_pair(height, width)
    errors = mse(reference.to(dtype), estimate.to(dtype))
    decibels = psnr(reference.to(dtype), estimate.to(dtype))
    for i in range(len(reference)):
        image, other = reference[i, 0].numpy(), estimate[i, 0].numpy()
        assert errors[i].item() == pytest.approx(mean_squared_error(image, other), rel=tolerance)
        expected = peak_signal_noise_ratio(image, other, data_range=1.0)
        assert decibels[i].item() == pytest.approx(expected, abs=tolerance)


@pytest.mark.parametrize(("height", "width"), [(16, 16), (33, 47)])
def test_psnr_of_an_image_and_of_the_mean_mse_are_those_of_torchmetrics(make_pair, height, width):
    reference, estimate = make_pair(height, width, batch=3)
    reference[0] *= 0.5
    each = torchmetrics_psnr(estimate, reference, data_range=1.0, dim=(1, 2, 3), reduction="none")
    # torchmetrics keeps 2 / ln(10) in float32.
    torch.testing.assert_close(psnr(reference, estimate), each, rtol=1e-6, atol=0)
    pooled = torchmetrics_psnr(estimate, reference, data_range=1.0).item()
    assert psnr_of_mean_mse(mse(reference, estimate)) == pytest.approx(pooled, rel=1e-6)


def test_psnr_of_the_mean_mse_is_below_the_mean_psnr_where_images_differ():
    errors = torch.tensor([1e-2, 1e-4], dtype=torch.float64)
    assert psnr_of_mean_mse(errors) == pytest.approx(-10 * math.log10(0.00505), abs=1e-12)
    assert psnr_of_mean_mse(errors) < 30 - 6


@pytest.mark.parametrize(("height", "width"), [(16, 16), (33, 47)])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-5)])
def test_nrmse_is_that_of_scikit_image_and_of_torchmetrics(make_pair, height, width, dtype, tolerance):
    reference, estimate = make_pair(height, width, batch=3)
    values = nrmse(reference.to(dtype), estimate.to(dtype)).tolist()
    expected = [
        normalized_root_mse(a[0].numpy(), b[0].numpy()) for a, b in zip(reference, estimate, strict=True)
    ]
    assert values == pytest.approx(expected, rel=tolerance)
    columns = [images.flatten(start_dim=1).T for images in (estimate, reference)]
    theirs = normalized_root_mean_squared_error(*columns, normalization="l2", num_outputs=3)
    assert values == pytest.approx((theirs * math.sqrt(height * width)).tolist(), rel=max(tolerance, 1e-6))


def test_nrmse_of_a_black_reference_is_zero_or_infinite():
    black = torch.zeros(2, 1, 8, 8)
    estimate = black.clone()
    estimate[1] += 0.1
    assert nrmse(black, estimate).tolist() == [0.0, math.inf]


def test_constant_shift_has_a_psnr_known_by_hand():
    reference = torch.full((2, 1, 16, 16), 0.5, dtype=torch.float64)
    assert psnr(reference, reference + 0.1).tolist() == pytest.approx([20.0, 20.0])


def test_identical_images_have_infinite_psnr():
    image = torch.rand(1, 1, 16, 16)
    assert psnr(image, image).item() == math.inf
    assert foreground_psnr(image, image).item() == math.inf


def test_foreground_mask_is_the_thresholded_box_mean_of_scipy(make_pair):
    reference, _ = make_pair(40, 30)
    reference = reference * (torch.arange(30) > 14)
    image = reference[0, 0].numpy()
    inside = uniform_filter(image, 5, mode="constant") / uniform_filter(
        np.ones_like(image), 5, mode="constant"
    )
    assert 0 < (inside > 0.05).sum() < image.size
    np.testing.assert_array_equal(foreground_mask(reference)[0, 0].numpy(), inside > 0.05)


def test_foreground_psnr_ignores_errors_in_the_background():
    reference = torch.zeros(1, 1, 32, 32, dtype=torch.float64)
    reference[..., :16] = 0.8
    estimate = reference.clone()
    estimate[..., :16] += 0.01
    estimate[..., 24:] += 0.5
    # The 5x5 box carries the foreground two columns past the edge; those have no error: 16 of 18 do.
    expected = -10 * math.log10(0.01**2 * 16 / 18)
    assert foreground_psnr(reference, estimate).item() == pytest.approx(expected, abs=1e-9)
    assert psnr(reference, estimate).item() < 13


def test_image_without_foreground_is_scored_as_a_whole():
    reference = torch.full((1, 1, 16, 16), 0.01, dtype=torch.float64)
    assert foreground_psnr(reference, reference + 0.1).item() == pytest.approx(20.0)


def test_foreground_depends_on_the_reference_alone(make_pair):
    reference, estimate = make_pair(32, 32, batch=1)
    reference = reference.clone()
    reference[..., :12] = 0.0
    blank = foreground_psnr(reference, torch.zeros_like(reference)).item()
    kept = foreground_mask(reference)[0, 0].numpy()
    power = (reference[0, 0].numpy()[kept] ** 2).mean()
    assert blank == pytest.approx(-10 * math.log10(power), abs=1e-9)
    assert foreground_psnr(reference, estimate).item() != pytest.approx(blank)


def test_pinned_values(formula_pair):
    assert mse(*formula_pair).item() == pytest.approx(0.0050520601271050285, rel=1e-10)
    assert psnr(*formula_pair).item() == pytest.approx(22.9653148933, abs=1e-8)
    assert foreground_psnr(*formula_pair).item() == pytest.approx(22.9542989834, abs=1e-8)


@given(seed=st.integers(0, 999), noise=st.floats(0.01, 0.2), side=st.integers(5, 40))
@settings(max_examples=20, deadline=None)
def test_mse_is_symmetric_and_bounds_foreground_error(make_pair, seed, noise, side):
    reference, estimate = make_pair(side, side + 3, noise, seed=seed)
    torch.testing.assert_close(mse(reference, estimate), mse(estimate, reference), rtol=0, atol=0)
    share = foreground_mask(reference).double().mean(dim=(1, 2, 3))
    foreground_error = 10 ** (-foreground_psnr(reference, estimate) / 10)
    assert (foreground_error * share <= mse(reference, estimate) * (1 + 1e-9)).all()


@pytest.mark.parametrize("metric", [mse, psnr, foreground_psnr, nrmse])
def test_unlike_shapes_and_integer_images_are_refused(metric):
    with pytest.raises(DataError, match="one shape"):
        metric(torch.rand(1, 1, 16, 16), torch.rand(1, 1, 16, 15))
    with pytest.raises(DataError, match="one shape"):
        metric(torch.rand(1, 3, 16, 16), torch.rand(1, 3, 16, 16))
    with pytest.raises(DataError, match="floating point"):
        metric(torch.zeros(1, 1, 16, 16, dtype=torch.uint8), torch.rand(1, 1, 16, 16))
