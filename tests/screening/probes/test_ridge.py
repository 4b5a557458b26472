"""The ridge probe is ridge regression, and recovers what is linear."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge
from torch.nn import functional as F

from vaescreen.screening.probes.ridge import design, fit_ridge


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def linear(told: torch.Tensor, channels: int) -> torch.Tensor:
    """Targets that are a fixed linear function of the 3 x 3 neighbourhood of each cell."""
    kernel = noise(channels, told.shape[1], 3, 3, seed=9)
    return F.conv2d(F.pad(told, (1,) * 4, mode="replicate"), kernel) + 0.5


@pytest.mark.parametrize(("told", "channels"), [(2, 1), (4, 3), (17, 16)])
def test_recovers_a_linear_function(told, channels):
    seen, unseen = noise(40, told, 8, 8), noise(4, told, 7, 9, seed=1)
    predicted, truth = fit_ridge([(seen, linear(seen, channels))]).predict(unseen), linear(unseen, channels)
    assert predicted.shape == truth.shape
    assert (predicted - truth).square().mean() < 1e-4 * truth.var()


def test_is_that_of_scikit_learn():
    told, target = noise(6, 2, 5, 5), noise(6, 3, 5, 5, seed=1)
    probe = fit_ridge([(told, target)], regularisation=0.1)
    matrix = design(told).numpy()
    features = matrix[:, :-1]
    np.testing.assert_array_equal(matrix[:, -1], 1)
    penalty = 0.1 * np.square(features).sum(axis=0).mean()
    reference = Ridge(alpha=penalty).fit(features, target.double().movedim(1, -1).reshape(-1, 3).numpy())
    np.testing.assert_allclose(probe.weights[:-1], reference.coef_.T, atol=1e-9)
    np.testing.assert_allclose(probe.weights[-1], reference.intercept_, atol=1e-9)


def test_design_holds_the_neighbourhood_of_each_cell():
    cells = torch.arange(49.0).reshape(1, 1, 7, 7)
    rows = design(cells)[:, :-1].reshape(7, 7, 3, 3).numpy()
    np.testing.assert_array_equal(rows[3, 3], cells[0, 0, 2:5, 2:5])
    np.testing.assert_array_equal(rows[0, 0, :2, :2], 0)
    np.testing.assert_array_equal(rows[0, 0, 1:, 1:], cells[0, 0, :2, :2])


def test_streaming_equals_in_memory():
    told, target = noise(12, 2, 4, 4), noise(12, 2, 4, 4, seed=1)
    whole = fit_ridge([(told, target)])
    streamed = fit_ridge(zip(told.split(5), target.split(5), strict=True))
    torch.testing.assert_close(streamed.weights, whole.weights, rtol=0, atol=1e-12)


def test_what_is_unpredictable_is_predicted_by_its_mean():
    probe = fit_ridge([(noise(400, 1, 8, 8), noise(400, 1, 8, 8, seed=1))])
    assert probe.predict(noise(10, 1, 8, 8, seed=2)).square().mean() < 0.01


def test_conditions_that_do_not_vary():
    probe = fit_ridge([(torch.zeros(4, 1, 3, 3), torch.full((4, 1, 3, 3), 2.0))])
    torch.testing.assert_close(probe.predict(torch.zeros(1, 1, 2, 2)), torch.full((1, 1, 2, 2), 2.0))
