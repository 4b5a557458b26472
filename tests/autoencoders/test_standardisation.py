"""Standardised latents have mean 0 and SD 1 in every channel, whatever the latent space was."""

import numpy as np
import pytest
import torch
from sklearn.preprocessing import StandardScaler

from vaescreen.autoencoders.standardisation import Standardisation


@pytest.fixture
def latents() -> torch.Tensor:
    noise = torch.randn(5, 3, 4, 6, generator=torch.Generator().manual_seed(0))
    return (
        noise * torch.tensor([0.01, 1.0, 50.0])[:, None, None]
        + torch.tensor([5.0, 0.0, -20.0])[:, None, None]
    )


def test_is_that_of_scikit_learn(latents):
    rows = latents.movedim(1, -1).reshape(-1, 3).double().numpy()
    scaler = StandardScaler().fit(rows)
    scale = Standardisation.of(latents)
    np.testing.assert_allclose(scale.mean, scaler.mean_, atol=1e-5)
    np.testing.assert_allclose(scale.sd, scaler.scale_, rtol=1e-5)
    ours = scale.apply(latents).movedim(1, -1).reshape(-1, 3)
    np.testing.assert_allclose(ours, scaler.transform(rows), atol=2e-4)


def test_undo_brings_the_latents_back(latents):
    scale = Standardisation.of(latents)
    torch.testing.assert_close(scale.undo(scale.apply(latents)), latents)


@pytest.mark.parametrize("gain", [16.0, 10.0, 1e-3])
def test_the_scale_of_the_latent_space_is_gone(latents, gain):
    standardised = Standardisation.of(gain * latents).apply(gain * latents)
    torch.testing.assert_close(standardised, Standardisation.of(latents).apply(latents), atol=2e-4, rtol=0)


@pytest.mark.parametrize("value", [0.0, 0.1, -3e4])
def test_a_constant_channel_becomes_zero_and_not_rounding_errors(latents, value):
    latents[:, 1] = value
    standardised = Standardisation.of(latents).apply(latents)
    assert standardised[:, 1].abs().max() < 1e-6 * max(1, abs(value))
    assert torch.isfinite(standardised).all()


def test_large_means_do_not_cancel_the_spread():
    latents = 1000 + torch.randn(50, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    assert float(Standardisation.of(latents).sd) == pytest.approx(1, abs=0.05)
