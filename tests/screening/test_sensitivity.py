"""Sensitivity of autoencoders that do something known."""

import math

import pytest
import torch

from vaescreen.screening.guarded import GuardedAutoencoder
from vaescreen.screening.sensitivity import NOISE, drift, gain_db, of_rms


@pytest.fixture
def images():
    return torch.rand(3, 1, 32, 32, generator=torch.Generator().manual_seed(0)) * 0.5 + 0.25


def test_change_has_the_rms_asked_for():
    change = of_rms(torch.randn(4, 2, 8, 8) * torch.tensor([1.0, 10, 0.1, 0])[:, None, None, None])
    rms = change.square().mean(dim=(1, 2, 3)).sqrt()
    torch.testing.assert_close(rms, torch.tensor([NOISE, NOISE, NOISE, 0]))


def test_gain_of_a_linear_decoder(images):
    change = of_rms(torch.randn(images.shape, generator=torch.Generator().manual_seed(1)))
    found = gain_db(images, images + 0.3 * change)
    torch.testing.assert_close(found, torch.full((3,), 20 * math.log10(0.3)).double(), atol=1e-3, rtol=0)


def test_a_projection_does_not_drift(images, fake):
    autoencoder = GuardedAutoencoder(fake(factor=4), "pooling", 2)
    decoded = autoencoder.decode(autoencoder.encode(images), (32, 32))
    assert float(drift(autoencoder, decoded).min()) > 100


def test_a_shrinking_autoencoder_drifts_by_what_it_shrinks(images, fake):
    autoencoder = GuardedAutoencoder(fake(spoil=lambda x: 0.9 * x), "shrinking", 2)
    expected = -10 * (0.01 * images.double().square().mean(dim=(1, 2, 3))).log10()
    torch.testing.assert_close(drift(autoencoder, images), expected, atol=1e-3, rtol=0)
