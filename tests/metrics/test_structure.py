import numpy as np
import pytest
import pytorch_msssim
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from skimage.metrics import structural_similarity

from vaescreen.errors import DataError
from vaescreen.metrics.structure import ms_ssim, ms_ssim_scales, ssim


def scikit_image_ssim(reference: np.ndarray, estimate: np.ndarray) -> float:
    return structural_similarity(
        reference, estimate, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1.0
    )


def scipy_ms_ssim(reference: np.ndarray, estimate: np.ndarray, scales: int) -> float:
    """MS-SSIM as the 2003 paper states it, in NumPy and SciPy, an image at a time."""
    published = np.array([0.0448, 0.2856, 0.3001, 0.2363, 0.1333])
    weights = published if scales == 5 else published[:scales] / published[:scales].sum()

    def local(image: np.ndarray) -> np.ndarray:
        return gaussian_filter(image, 1.5, radius=5)[5:-5, 5:-5]

    result = 1.0
    for scale, weight in enumerate(weights):
        mean_r, mean_e = local(reference), local(estimate)
        variances = local(reference**2) - mean_r**2 + local(estimate**2) - mean_e**2
        covariance = local(reference * estimate) - mean_r * mean_e
        term = (2 * covariance + 0.0009) / (variances + 0.0009)
        if scale == scales - 1:
            term = term * (2 * mean_r * mean_e + 0.0001) / (mean_r**2 + mean_e**2 + 0.0001)
        result *= max(term.mean(), 0.0) ** weight
        height, width = (side // 2 * 2 for side in reference.shape)
        reference, estimate = (
            image[:height, :width].reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3))
            for image in (reference, estimate)
        )
    return result


@pytest.mark.parametrize("size", [(11, 11), (16, 16), (64, 64), (33, 47)])
@pytest.mark.parametrize("noise", [0.01, 0.2])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-6)])
def test_ssim_is_that_of_scikit_image(make_pair, size, noise, dtype, tolerance):
    reference, estimate = make_pair(*size, noise)
    values = ssim(reference.to(dtype), estimate.to(dtype))
    for i, value in enumerate(values.tolist()):
        expected = scikit_image_ssim(reference[i, 0].numpy(), estimate[i, 0].numpy())
        assert value == pytest.approx(expected, abs=tolerance)


def test_ssim_of_nearly_constant_float32_images_keeps_its_digits():
    generator = torch.Generator().manual_seed(0)
    reference = 0.9 + 1e-4 * torch.randn(1, 1, 32, 32, generator=generator)
    estimate = 0.9 + 1e-4 * torch.randn(1, 1, 32, 32, generator=generator)
    expected = scikit_image_ssim(reference[0, 0].double().numpy(), estimate[0, 0].double().numpy())
    assert 1 - ssim(reference, estimate).item() == pytest.approx(1 - expected, rel=1e-6)


def test_ssim_of_constant_images_is_the_luminance_term():
    reference = torch.full((1, 1, 16, 16), 0.2, dtype=torch.float64)
    expected = (2 * 0.2 * 0.6 + 1e-4) / (0.2**2 + 0.6**2 + 1e-4)
    assert ssim(reference, reference + 0.4).item() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("side", "scales"),
    [(11, 1), (21, 1), (22, 2), (43, 2), (44, 3), (87, 3), (88, 4), (175, 4), (176, 5), (2048, 5)],
)
def test_scales_are_as_many_as_leave_the_window_room(side, scales):
    assert ms_ssim_scales(side, 3000) == scales
    assert ms_ssim_scales(3000, side) == scales


@pytest.mark.parametrize("size", [(176, 176), (192, 256)])
@pytest.mark.parametrize("noise", [0.02, 0.2])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-6)])
def test_ms_ssim_is_that_of_pytorch_msssim(make_pair, size, noise, dtype, tolerance):
    reference, estimate = make_pair(*size, noise)
    window = torch.exp(-(torch.arange(-5, 6, dtype=torch.float64) ** 2) / (2 * 1.5**2))
    window = (window / window.sum()).view(1, 1, 1, 11)
    expected = pytorch_msssim.ms_ssim(reference, estimate, data_range=1.0, size_average=False, win=window)
    values = ms_ssim(reference.to(dtype), estimate.to(dtype))
    assert values.tolist() == pytest.approx(expected.tolist(), abs=tolerance)


@pytest.mark.parametrize(
    ("height", "width", "scales"), [(16, 16, 1), (22, 40, 2), (45, 63, 3), (91, 120, 4), (181, 199, 5)]
)
@pytest.mark.parametrize("noise", [0.02, 0.3])
def test_ms_ssim_of_small_and_odd_sizes_is_that_of_a_plain_loop(make_pair, height, width, scales, noise):
    reference, estimate = make_pair(height, width, noise)
    expected = [scipy_ms_ssim(reference[i, 0].numpy(), estimate[i, 0].numpy(), scales) for i in range(2)]
    assert ms_ssim(reference, estimate).tolist() == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("inverted", ["fine", "coarse", "both"])
def test_negative_structure_at_any_scale_makes_ms_ssim_zero(inverted):
    rows, columns = torch.meshgrid(torch.arange(32.0), torch.arange(32.0), indexing="ij")
    # One level of pooling removes the checkerboard and keeps the wave.
    parts = {"fine": 0.2 * (-1) ** (rows + columns), "coarse": 0.2 * torch.sin(rows / 3)}
    signs = {name: -1 if inverted in {name, "both"} else 1 for name in parts}
    reference = 0.5 + parts["fine"] + parts["coarse"]
    estimate = 0.5 + signs["fine"] * parts["fine"] + signs["coarse"] * parts["coarse"]
    assert ms_ssim_scales(32, 32) == 2
    assert ms_ssim(reference[None, None], estimate[None, None]).item() == 0.0


def test_pinned_values(formula_pair):
    assert ssim(*formula_pair).item() == pytest.approx(0.751416452228, abs=1e-9)
    assert ms_ssim(*formula_pair).item() == pytest.approx(0.96839204027, abs=1e-9)


@pytest.mark.parametrize("metric", [ssim, ms_ssim])
@given(seed=st.integers(0, 999), height=st.integers(11, 50), width=st.integers(11, 50))
@settings(max_examples=15, deadline=None)
def test_similarity_is_symmetric_at_most_one_and_one_for_identity(make_pair, metric, seed, height, width):
    reference, estimate = make_pair(height, width, noise=0.1, seed=seed)
    forward = metric(reference, estimate)
    torch.testing.assert_close(forward, metric(estimate, reference), rtol=0, atol=1e-12)
    assert (forward < 1).all()
    torch.testing.assert_close(metric(reference, reference), torch.ones(2, dtype=torch.float64))


@pytest.mark.parametrize("metric", [ssim, ms_ssim])
def test_more_noise_means_less_similarity(make_pair, metric):
    values = torch.stack([metric(*make_pair(64, 48, noise)) for noise in (0.01, 0.03, 0.1, 0.3)])
    assert (values.diff(dim=0) < 0).all()


@pytest.mark.parametrize("metric", [ssim, ms_ssim])
def test_images_smaller_than_the_window_are_refused(metric):
    with pytest.raises(DataError, match="at least 11x11 pixels, got 10x32"):
        metric(torch.rand(1, 1, 10, 32), torch.rand(1, 1, 10, 32))
