"""Phantoms: the same request always gives the same image, and the image resembles the real thing."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pytest
import pywt
from scipy import stats

from vaescreen.errors import DataError
from vaescreen.images.phantoms import ANATOMIES, generate


class Band(NamedTuple):
    """Figures of images: spectrum slope, Haar kurtosis, share of background, mean, standard deviation."""

    slope: float
    kurtosis: float
    background: float
    mean: float
    sd: float


REAL = {
    "chest": Band(slope=-3.14, kurtosis=123.8, background=0.043, mean=0.546, sd=0.214),
    "brain": Band(slope=-2.91, kurtosis=34.1, background=0.569, mean=0.126, sd=0.155),
}
# How far the phantoms may lie from real images; for kurtosis in the logarithm.
SLACK = Band(slope=0.35, kurtosis=0.5, background=0.06, mean=0.08, sd=0.04)


def spectrum_slope(image: np.ndarray) -> float:
    size = image.shape[0]
    window = np.hanning(size)
    spectrum = np.abs(np.fft.rfft2((image - image.mean()) * np.outer(window, window))) ** 2
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None])
    edges = np.geomspace(0.05, 0.4, 13)
    rings = [(frequency >= a) & (frequency < b) for a, b in pairwise(edges)]
    power = [np.log(spectrum[ring].mean()) for ring in rings]
    return float(np.polyfit([np.log(frequency[ring].mean()) for ring in rings], power, 1)[0])


def detail_kurtosis(image: np.ndarray) -> float:
    _, details = pywt.dwt2(image.astype(np.float64), "haar")
    return float(stats.kurtosis(np.concatenate([band.ravel() for band in details]), fisher=False))


@pytest.mark.parametrize("anatomy", ANATOMIES)
@pytest.mark.parametrize("size", [32, 65, 128])
def test_an_image_is_float32_in_the_unit_range_at_the_size_asked_for(anatomy: str, size: int) -> None:
    image = generate(anatomy, 1, size)
    assert image.shape == (size, size)
    assert image.dtype == np.float32
    assert image.min() >= 0
    assert image.max() <= 1
    assert image.std() > 0.05


@pytest.mark.parametrize("anatomy", ANATOMIES)
def test_images_do_not_depend_on_the_order_of_requests(anatomy: str) -> None:
    forwards = {k: generate(anatomy, k, 64) for k in (0, 1, 2)}
    backwards = {k: generate(anatomy, k, 64) for k in (2, 1, 0)}
    for k, image in forwards.items():
        np.testing.assert_array_equal(image, backwards[k])


@pytest.mark.parametrize("anatomy", ANATOMIES)
def test_patients_and_populations_differ(anatomy: str) -> None:
    first = generate(anatomy, 0, 64, seed=0)
    for other in (generate(anatomy, 1, 64, seed=0), generate(anatomy, 0, 64, seed=1)):
        assert np.abs(first - other).mean() > 0.01


@pytest.mark.parametrize("anatomy", ANATOMIES)
@pytest.mark.parametrize("index", [0, 5])
def test_the_same_index_at_two_sizes_is_the_same_patient(anatomy: str, index: int) -> None:
    large = generate(anatomy, index, 256).reshape(64, 4, 64, 4).mean(axis=(1, 3))
    same = np.corrcoef(large.ravel(), generate(anatomy, index, 64).ravel())[0, 1]
    other = np.corrcoef(large.ravel(), generate(anatomy, index + 1, 64).ravel())[0, 1]
    assert same > 0.975
    assert other < same - 0.02


@pytest.mark.parametrize("anatomy", sorted(REAL))
def test_phantoms_resemble_real_images(anatomy: str) -> None:
    images = [generate(anatomy, k, 256) for k in range(10)]
    real = REAL[anatomy]
    assert np.mean([spectrum_slope(x) for x in images]) == pytest.approx(real.slope, abs=SLACK.slope)
    kurtosis = np.median([detail_kurtosis(x) for x in images])
    assert abs(np.log(kurtosis / real.kurtosis)) < SLACK.kurtosis
    background = np.mean([(x < 0.05).mean() for x in images])
    assert background == pytest.approx(real.background, abs=SLACK.background)
    assert np.mean([x.mean() for x in images]) == pytest.approx(real.mean, abs=SLACK.mean)
    assert np.mean([x.std() for x in images]) == pytest.approx(real.sd, abs=SLACK.sd)


def test_chest_lungs_are_darker_than_mediastinum_and_abdomen() -> None:
    images = np.mean([generate("chest", k, 64) for k in range(8)], axis=0)
    lungs = images[24:36, 14:22].mean()
    assert lungs < images[24:36, 30:34].mean() - 0.15
    assert lungs < images[58:, 24:40].mean() - 0.15


def test_knee_marrow_is_bright_within_a_dark_rim() -> None:
    image = generate("knee", 0, 256)
    marrow = np.median(image[80:110, 110:150])
    rim = image[60:170, 60:200].min()
    assert marrow > 5 * rim


def test_an_unknown_anatomy_is_named_with_the_nearest_known_one() -> None:
    with pytest.raises(DataError, match=r"'ches'.*did you mean 'chest'"):
        generate("ches", 0, 64)
    with pytest.raises(DataError, match="choose one of chest, brain, knee"):
        generate("zzz", 0, 64)


@pytest.mark.parametrize(
    ("index", "size", "seed", "message"),
    [(0, 31, 0, "size 31"), (0, 1025, 0, "size 1025"), (-1, 64, 0, "index -1"), (0, 64, -2, "seed -2")],
)
def test_a_number_out_of_range_is_a_data_error(index: int, size: int, seed: int, message: str) -> None:
    with pytest.raises(DataError, match=message):
        generate("chest", index, size, seed)
