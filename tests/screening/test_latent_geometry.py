"""Geometry of latents with known spectra."""

import pytest
import torch
from torch.nn import functional as F

from vaescreen.screening.latent_geometry import (
    latent_geometry,
    radial_power,
    roughness,
)


@pytest.fixture(scope="module")
def white():
    return torch.randn(40, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def coloured(white, slope):
    frequency = torch.hypot(torch.fft.fftfreq(32)[:, None], torch.fft.fftfreq(32))
    frequency[0, 0] = 1
    return torch.fft.ifft2(torch.fft.fft2(white) * frequency ** (slope / 2)).real


def test_white_noise(white):
    geometry = latent_geometry(white)
    assert geometry["spectral_slope"] == pytest.approx(0, abs=0.1)
    assert geometry["roughness"] == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("slope", [-1.0, -2.0])
def test_slope_of_a_power_law(white, slope):
    assert latent_geometry(coloured(white, slope))["spectral_slope"] == pytest.approx(slope, abs=0.25)


def test_power_of_one_frequency_is_in_its_ring():
    wave = torch.cos(2 * torch.pi * torch.arange(32) * 9 / 32).expand(1, 1, 32, 32)
    assert int(radial_power(wave).argmax()) == int(9 / 16 * 8)


def test_smooth_latents_are_not_rough(white):
    smooth = F.interpolate(white, scale_factor=4, mode="bicubic")
    assert roughness(smooth) < 0.1
    assert roughness(torch.ones(2, 1, 4, 4)) == 0


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (1, 8)])
def test_small_grids(size):
    geometry = latent_geometry(torch.randn(3, 2, *size, generator=torch.Generator().manual_seed(2)))
    assert all(torch.isfinite(torch.tensor(value)) for value in geometry.values())


def test_scale_does_not_matter(white):
    one, other = latent_geometry(white), latent_geometry(10 * white)
    for name, value in one.items():
        assert other[name] == pytest.approx(value, rel=1e-6)
