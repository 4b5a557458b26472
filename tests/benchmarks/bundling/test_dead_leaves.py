"""Dead leaves: the same request always gives the same image, and the image has the statistics of photographs."""

from itertools import pairwise

import numpy as np
import pytest
import pywt
from scipy import stats

from benchmarks.bundling.dead_leaves import draw_dead_leaves


@pytest.fixture(scope="module")
def images() -> list[np.ndarray]:
    return [draw_dead_leaves(index, 256) for index in range(16)]


def power_slope(image: np.ndarray) -> float:
    """Slope of log power on log frequency, 0.02 to 0.25 cycles a pixel: coarser than the final blur."""
    size = len(image)
    window = np.outer(np.hanning(size), np.hanning(size))
    power = np.abs(np.fft.fft2((image - image.mean()) * window)) ** 2
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.fftfreq(size)[None])
    rings = [(frequency >= a) & (frequency < b) for a, b in pairwise(np.geomspace(0.02, 0.25, 13))]
    x = [np.log(frequency[ring].mean()) for ring in rings]
    return float(np.polyfit(x, [np.log(power[ring].mean()) for ring in rings], 1)[0])


def detail_kurtosis(image: np.ndarray) -> float:
    _, details = pywt.dwt2(image.astype(np.float64), "haar")
    return float(stats.kurtosis(np.concatenate([band.ravel() for band in details]), fisher=False))


@pytest.mark.parametrize("size", [64, 128])
def test_an_image_is_float32_in_the_unit_range_at_the_size_asked_for(size):
    image = draw_dead_leaves(1, size)
    assert image.shape == (size, size)
    assert image.dtype == np.float32
    assert image.min() >= 0
    assert image.max() <= 1
    assert image.std() > 0.1


def test_images_do_not_depend_on_the_order_of_requests():
    forwards = {index: draw_dead_leaves(index, 64) for index in (0, 1, 2)}
    for index in (2, 1, 0):
        np.testing.assert_array_equal(draw_dead_leaves(index, 64), forwards[index])


def test_indices_and_populations_differ():
    first = draw_dead_leaves(0, 64, seed=0)
    for other in (draw_dead_leaves(1, 64, seed=0), draw_dead_leaves(0, 64, seed=1)):
        assert np.abs(first - other).mean() > 0.05


@pytest.mark.parametrize("index", range(3))
def test_the_same_index_at_two_sizes_is_the_same_scene(index):
    large = draw_dead_leaves(index, 256).reshape(64, 4, 64, 4).mean(axis=(1, 3))
    same = np.corrcoef(large.ravel(), draw_dead_leaves(index, 64).ravel())[0, 1]
    other = np.corrcoef(large.ravel(), draw_dead_leaves(index + 1, 64).ravel())[0, 1]
    assert same > 0.85
    assert abs(other) < 0.4


def test_power_falls_as_in_photographs(images):
    """Measured: -2.8 on average; 60 photographs of 256 pixels have -2.3 on average, 90 % of them -3.0 to -1.3."""
    assert -3.0 < np.mean([power_slope(image) for image in images]) < -2.5


def test_details_are_as_heavy_tailed_as_in_photographs(images):
    """Measured: median 21, as 60 photographs of 256 pixels have, 90 % of them 7 to 78; a Gaussian has 3."""
    kurtosis = [detail_kurtosis(image) for image in images]
    assert min(kurtosis) > 10
    assert 16 < np.median(kurtosis) < 28
