"""Sensitivity of autoencoders that do something known."""

import math

import pytest
import torch
from torch.nn import functional as F

from vaescreen.autoencoders.standardisation import Standardisation
from vaescreen.screening.guarded import GuardedAutoencoder
from vaescreen.screening.sensitivity import NOISE, drift, equivariance, gain_db, of_rms

FACTOR = 4


@pytest.fixture
def images():
    return torch.rand(3, 1, 32, 32, generator=torch.Generator().manual_seed(0)) * 0.5 + 0.25


def unit(channels=1):
    return Standardisation(torch.zeros(channels), torch.ones(channels))


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
    for values in drift(autoencoder, decoded).values():
        assert float(values.min()) > 100


def test_a_shrinking_autoencoder_drifts_further_with_every_pass(images, fake):
    autoencoder = GuardedAutoencoder(fake(spoil=lambda x: 0.9 * x), "shrinking", 2)
    values = [float(column.mean()) for column in drift(autoencoder, images).values()]
    expected = [
        float((-10 * ((1 - 0.9**k) ** 2 * images.double().square().mean(dim=(1, 2, 3))).log10()).mean())
        for k in (1, 2, 4)
    ]
    assert values == pytest.approx(expected, abs=1e-3)


def test_pooling_is_equivariant(images, fake):
    autoencoder = GuardedAutoencoder(fake(factor=4), "pooling", 2)
    for values in equivariance(
        autoencoder, images, autoencoder.encode(images), unit(), factor=FACTOR
    ).values():
        torch.testing.assert_close(values, torch.zeros(3).double(), atol=1e-9, rtol=0)


@pytest.mark.parametrize("shape", [(30, 29), (32, 31), (33, 35), (18, 21)])
def test_pooling_is_equivariant_whatever_the_sides(shape, images, fake):
    """A mirror image begins its cells at the other end: sides are cut to whole cells first."""
    odd = F.interpolate(images, shape, mode="bilinear")
    autoencoder = GuardedAutoencoder(fake(factor=4), "pooling", 2)
    errors = equivariance(autoencoder, odd, autoencoder.encode(odd), unit(), factor=FACTOR)
    for values in errors.values():
        torch.testing.assert_close(values, torch.zeros(3).double(), atol=1e-9, rtol=0)


def test_a_code_of_places_is_not(images, fake):
    class Ramp(fake):
        """Adds a slope to the latents that falls to the right: half of what a mirror image would need."""

        def encode(self, images):
            latents = super().encode(images)
            return latents + torch.linspace(0, 3, latents.shape[-1])

    autoencoder = GuardedAutoencoder(Ramp(factor=4), "ramp", 2)
    errors = equivariance(autoencoder, images, autoencoder.encode(images), unit(), factor=FACTOR)
    assert float(errors["flip_error"].min()) > 0.1
    assert float(errors["shift_error"].min()) > 0.01
