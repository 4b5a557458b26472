"""Spectra against closed forms, and enlarged images against those that are not."""

import numpy as np
import pytest
from PIL import Image

from vaescreen.reports.preview.spectra import BINS, FREQUENCIES, is_upsampled, line_power, radial_power

SAMPLING = Image.Resampling


def resized(image: np.ndarray, side: int, by: SAMPLING) -> np.ndarray:
    return np.asarray(Image.fromarray(image).resize((side, side), by))


@pytest.mark.parametrize("shape", [(256, 256), (200, 320)])
def test_white_noise_has_its_variance_at_every_frequency(shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, (20, *shape)).astype(np.float32)
    power = np.mean([radial_power(image) for image in noise], axis=0)
    assert power[2:] == pytest.approx(0.01, rel=0.15)
    lines = np.mean([line_power(image) for image in noise], axis=0)
    assert lines[2:] == pytest.approx(0.01, rel=0.15)


@pytest.mark.parametrize("angle", [0.0, 0.5, 1.2])
def test_a_wave_stands_at_its_frequency_in_every_direction(angle: float) -> None:
    y, x = np.mgrid[:256, :256]
    wave = 0.5 + 0.3 * np.cos(np.pi * 0.4 * (np.cos(angle) * x + np.sin(angle) * y))
    place = int(radial_power(wave.astype(np.float32)).argmax())
    assert FREQUENCIES[place] == pytest.approx(0.4, abs=1 / BINS)


def test_rings_of_small_images_that_hold_no_frequency_are_unknown() -> None:
    power = radial_power(np.random.default_rng(0).random((16, 16), np.float32))
    assert np.isnan(power).any()
    assert np.isfinite(power).any()


@pytest.mark.parametrize(
    ("factor", "by"),
    [
        (1.5, SAMPLING.LANCZOS),
        *(
            (factor, by)
            for factor in (2, 3)
            for by in (SAMPLING.BILINEAR, SAMPLING.BICUBIC, SAMPLING.LANCZOS)
        ),
    ],
)
def test_enlarged_images_are_found(texture, as_8_bit, factor: float, by: SAMPLING) -> None:
    found = [
        is_upsampled(as_8_bit(resized(texture(seed, side=int(384 / factor)), 384, by))) for seed in range(5)
    ]
    assert all(found)


def test_images_as_they_are_or_reduced_are_not(texture, as_8_bit) -> None:
    for seed in range(5):
        image = texture(seed, side=512)
        assert not is_upsampled(image)
        assert not is_upsampled(as_8_bit(resized(image, 256, SAMPLING.LANCZOS)))


def test_enlarging_in_one_direction_only_and_tiny_images_are_let_pass(texture) -> None:
    wide = np.asarray(Image.fromarray(texture()).resize((512, 256), SAMPLING.BICUBIC))
    assert not is_upsampled(wide)
    assert not is_upsampled(resized(texture(side=32), 64, SAMPLING.BICUBIC))
