"""Shares of explained variance, and the velocity variance that the published integral gives."""

import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from sklearn.metrics import r2_score

from vaescreen.screening.information import Explained, Residuals


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_explained_share_is_r2_of_centred_latents():
    truth = noise(6, 2, 8, 8)
    truth = truth - truth.mean(dim=(0, 2, 3), keepdim=True)
    predicted = 0.7 * truth + 0.2 * noise(6, 2, 8, 8, seed=1)
    explained = Explained()
    for start in (0, 4):
        explained.add(predicted[start : start + 4], truth[start : start + 4])
    expected = [r2_score(truth[:, c].flatten(), predicted[:, c].flatten()) for c in (0, 1)]
    np.testing.assert_allclose(explained.by_channel(), expected, atol=1e-6)
    assert min(expected) < explained.share() < max(expected)


def test_nothing_to_explain():
    explained = Explained()
    explained.add(torch.zeros(1, 2, 4, 4), torch.zeros(1, 2, 4, 4))
    assert explained.share() == 1
    assert explained.by_channel() == [1, 1]


@pytest.mark.parametrize("variance", [0.04, 1.0, 3.0])
def test_velocity_variance_of_white_residuals_is_the_integral(variance):
    def posterior_over_square(t: float) -> float:
        """Var(z | x_t) / t^2 for z of the given variance and x_t = (1 - t) z + t e."""
        noise_to_signal = (t / (1 - t)) ** 2
        return variance * noise_to_signal / (variance + noise_to_signal) / t**2

    expected, _ = quad(posterior_over_square, 0, 1)
    residuals = Residuals(2)
    residuals.add(math.sqrt(variance) * noise(40, 1, 32, 32), torch.Size((16, 16)))
    assert residuals.velocity_variance() == pytest.approx(expected, rel=0.03)


def test_velocity_variance_counts_directions_not_power():
    one, all_alike = Residuals(2), Residuals(2)
    one.add(noise(40, 1, 32, 32), torch.Size((16, 16)))
    all_alike.add(
        noise(40, 1, 16, 16).repeat_interleave(2, -1).repeat_interleave(2, -2), torch.Size((16, 16))
    )
    assert all_alike.velocity_variance() == pytest.approx(one.velocity_variance() / 2, rel=0.03)
