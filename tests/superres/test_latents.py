"""Latents are encoded once, mirrored, and paired with their condition."""

import pytest
import torch
from torch.nn import functional as F

from vaescreen.images.degradation import Degradation
from vaescreen.superres.latents import encode_pairs, training_pairs

QUARTER = Degradation("lanczos", 4)


@pytest.fixture
def data(phantoms):
    return phantoms()


@pytest.fixture
def images(data):
    return torch.cat([batch.images for batch in data.batches("train", 8)])


def test_the_condition_is_the_lr_latent_at_the_size_of_the_hr_latent(shuffle, images):
    pairs = encode_pairs(shuffle(), images, QUARTER)
    assert pairs.hr.shape == pairs.condition.shape == (5, 16, 8, 8)
    small = F.pixel_unshuffle(QUARTER.apply(images), 4)
    assert small.shape == (5, 16, 2, 2)
    expected = F.interpolate(small, size=(8, 8), mode="bilinear", align_corners=False)
    torch.testing.assert_close(pairs.condition, expected)
    torch.testing.assert_close(pairs.hr, F.pixel_unshuffle(images, 4))


def test_training_pairs_are_all_images_and_their_mirror_images(shuffle, data, images):
    pairs = training_pairs(shuffle(), data, QUARTER)
    decoded = shuffle().decode(pairs.hr, (32, 32))
    wanted = torch.cat([images, images.flip(-1)])
    assert {image.numpy().tobytes() for image in decoded} == {image.numpy().tobytes() for image in wanted}
    assert len(decoded) == 10


def test_every_pair_is_of_one_image(shuffle, data):
    pairs = training_pairs(shuffle(), data, QUARTER)
    again = encode_pairs(shuffle(), shuffle().decode(pairs.hr, (32, 32)), QUARTER)
    torch.testing.assert_close(pairs.condition, again.condition)


def test_the_cache_gives_the_same_bytes_and_asks_the_autoencoder_nothing(shuffle, data):
    first, second = shuffle(), shuffle()
    computed = training_pairs(first, data, QUARTER)
    cached = training_pairs(second, data, QUARTER)
    assert first.encoded == 20
    assert second.encoded == 0
    assert torch.equal(cached.hr, computed.hr)
    assert torch.equal(cached.condition, computed.condition)


def test_another_autoencoder_data_set_or_degradation_is_encoded_anew(shuffle, data, phantoms):
    training_pairs(shuffle(), data, QUARTER)
    other_weights, other_data, other_degradation = shuffle(2.0), shuffle(), shuffle()
    training_pairs(other_weights, data, QUARTER)
    training_pairs(other_data, phantoms(seed=1), QUARTER)
    training_pairs(other_degradation, data, Degradation("bicubic", 4))
    assert [codec.encoded for codec in (other_weights, other_data, other_degradation)] == [20, 20, 20]
