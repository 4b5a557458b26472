"""Copies are near, others are far, and every pair is found."""

import io

import numpy as np
import pytest
from PIL import Image
from scipy import fft

from vaescreen.reports.preview.duplicates import NEAR, SIDE, near_pairs, perceptual_hash


def distance(one: np.ndarray, other: np.ndarray) -> int:
    return int.from_bytes(np.bitwise_xor(one, other).tobytes()).bit_count()


def test_bits_say_which_cosines_are_stronger_than_the_median() -> None:
    strengths = np.zeros((4 * SIDE, 4 * SIDE))
    strengths[:SIDE, :SIDE] = np.random.default_rng(0).permutation(SIDE**2).reshape(SIDE, SIDE) / SIDE**2
    image = fft.idctn(strengths, norm="ortho").astype(np.float32)
    expected = strengths[:SIDE, :SIDE].ravel() > np.median(strengths[:SIDE, :SIDE].ravel()[1:])
    expected[0] = False
    assert np.array_equal(np.unpackbits(perceptual_hash(image)).astype(bool), expected)


def test_contrast_and_brightness_do_not_matter(texture) -> None:
    assert distance(perceptual_hash(texture()), perceptual_hash(texture() * 0.5 + 0.2)) <= 2


def test_copies_are_near_and_others_far(texture) -> None:
    image = texture()
    picture = Image.fromarray(image)
    stored = io.BytesIO()
    Image.fromarray(np.rint(255 * image).astype(np.uint8)).save(stored, "JPEG", quality=50)
    noise = np.random.default_rng(0).normal(0, 0.02, image.shape)
    copies = (
        np.asarray(picture.resize((180, 180)).resize((300, 300))),
        np.asarray(Image.open(stored), np.float32) / 255,
        (image + noise).astype(np.float32),
    )
    assert all(distance(perceptual_hash(image), perceptual_hash(copy)) <= NEAR for copy in copies)
    others = [perceptual_hash(texture(seed)) for seed in range(1, 40)]
    assert min(distance(perceptual_hash(image), other) for other in others) > 2 * NEAR


@pytest.mark.parametrize("counts", [(300, 1000), (1, 1), (0, 5), (5, 0)])
def test_all_pairs_are_found_however_many_are_looked_at_in_a_go(counts: tuple[int, int]) -> None:
    random = np.random.default_rng(0)
    first, second = (list(random.integers(0, 256, (count, 4), np.uint8)) for count in counts)
    expected = [
        (i, j, distance(one, other))
        for i, one in enumerate(first)
        for j, other in enumerate(second)
        if distance(one, other) <= 5
    ]
    assert near_pairs(first, second, near=5) == expected
    assert expected or min(counts) < 2
