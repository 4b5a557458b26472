"""What was done to an image: each sign is seen where it was put, and not where it was not."""

import io

import numpy as np
import pytest
from PIL import Image

from vaescreen.reports.preview.artefacts import (
    Sides,
    block_step,
    clipped,
    frame_widths,
    has_blocks,
    is_clipped,
    missing_levels,
)


def as_jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    stored = io.BytesIO()
    Image.fromarray(np.rint(255 * image).astype(np.uint8)).save(stored, "JPEG", quality=quality)
    return np.asarray(Image.open(stored), np.float32) / 255


def disc(side: int = 128, radius: float = 0.45) -> np.ndarray:
    """A bright head on black, whose tip touches no side squarely."""
    y, x = (np.mgrid[:side, :side] + 0.5) / side - 0.5
    return (0.6 * (np.hypot(y, x) < radius)).astype(np.float32)


@pytest.mark.parametrize("value", [0.0, 1.0, 0.2])
def test_a_frame_is_measured_on_every_side(texture, value: float) -> None:
    image = texture() * 0.3 + 0.4
    framed = np.full((256, 256), value, np.float32)
    framed[3:250, 20:247] = image[3:250, 20:247]
    assert frame_widths(framed) == Sides(top=3, bottom=6, left=20, right=9)


def test_a_frame_may_be_soft_and_noisy_by_one_level(texture) -> None:
    image = texture() * 0.3 + 0.4
    image[:10] = 0
    image[10] *= 0.5
    image[:10, ::3] = 1 / 255
    assert frame_widths(image).top == 10


def test_textures_dark_backgrounds_and_faint_edges_are_no_frames(texture) -> None:
    faint = texture() * 0.03 + 0.4
    faint[:10] = 0.4
    for image in (texture(), disc(), disc(radius=0.49), faint):
        assert not any(frame_widths(image))


def test_clipped_shares_are_exact_and_background_is_not_among_them() -> None:
    image = disc()
    image[60:70, 60:70] = 1
    image[40:44, 64:69] = 0
    assert clipped(image) == (100 / 128**2, 20 / 128**2)
    assert not is_clipped(image)
    image[50:70, 50:70] = 1
    assert is_clipped(image)


def test_values_cut_off_are_clipped_and_those_that_just_reach_the_ends_are_not(texture, as_8_bit) -> None:
    assert not is_clipped(texture())
    assert is_clipped(as_8_bit(texture() * 1.6))
    dark = as_8_bit(texture() - 0.3)
    dark[[0, -1]] = dark[:, [0, -1]] = 0.5
    assert is_clipped(dark)


def test_missing_levels_are_counted(texture, as_8_bit) -> None:
    ramp = np.tile(np.arange(256, dtype=np.float32), (256, 1)) / 255
    assert missing_levels(ramp) == 0
    every_fourth = np.floor(ramp * 255 / 4) * 4 / 255
    assert missing_levels(every_fourth) == pytest.approx(0.75, abs=0.01)
    assert missing_levels(texture()) < 0.01
    assert missing_levels(as_8_bit((texture() - 0.5) * 1.3 + 0.5)) == pytest.approx(1 - 1 / 1.3, abs=0.03)


def test_levels_are_not_missed_where_there_are_more_than_8_bits_or_few_pixels(texture) -> None:
    assert missing_levels(texture() * 0.99) == 0
    assert missing_levels(texture(side=32)) == 0


@pytest.mark.parametrize("quality", [30, 50])
@pytest.mark.parametrize("offset", [0, 3])
def test_jpeg_blocks_are_seen_wherever_they_begin(texture, quality: int, offset: int) -> None:
    for seed in range(3):
        spoilt = as_jpeg(texture(seed), quality)[offset:, 2 * offset :]
        assert has_blocks(spoilt)


def test_blocks_are_not_seen_in_textures_noise_stripes_and_tiny_images(texture) -> None:
    random = np.random.default_rng(0)
    stripes = texture() * 0.5
    stripes[:, ::8] += 0.2
    images = [
        *(texture(seed) for seed in range(10)),
        *random.random((10, 256, 256)),
        stripes,
        texture(side=24),
    ]
    assert not any(has_blocks(np.asarray(image, np.float32)) for image in images)
    assert not any(has_blocks(texture(seed, side=64)) for seed in range(10))


def test_the_step_grows_as_quality_falls(texture) -> None:
    steps = [block_step(as_jpeg(texture(), quality)) for quality in (95, 75, 50, 30)]
    assert steps == sorted(steps)
