"""The ridge probe is ridge regression, and recovers what is linear."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge
from torch.nn import functional as F

from vaescreen.screening.probes.ridge import NormalEquations, design, fit_ridge


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def linear_blocks(lr: torch.Tensor, scale: int) -> torch.Tensor:
    """HR latents that are a fixed linear function of the 3 x 3 neighbourhood of each LR cell."""
    channels = lr.shape[1]
    kernel = noise(channels * scale**2, channels, 3, 3, seed=9)
    return F.pixel_shuffle(F.conv2d(F.pad(lr, (1,) * 4, mode="replicate"), kernel), scale) + 0.5


@pytest.mark.parametrize(("channels", "scale"), [(1, 2), (3, 4), (2, 8)])
def test_recovers_a_linear_function(channels, scale):
    lr, unseen = noise(40, channels, 8, 8), noise(4, channels, 8, 8, seed=1)
    hr, truth = linear_blocks(lr, scale), linear_blocks(unseen, scale)
    predicted = fit_ridge([(lr, hr)], scale).predict(unseen, (8 * scale, 8 * scale))
    assert (predicted - truth).square().mean() < 1e-4 * truth.var()


def test_is_that_of_scikit_learn():
    lr, hr = noise(6, 2, 5, 5), noise(6, 2, 20, 20, seed=1)
    equations = NormalEquations(4)
    equations.add(lr, hr)
    probe = equations.solve(regularisation=0.1)
    matrix = design(lr).numpy()
    features = matrix[:, :-1]
    np.testing.assert_array_equal(matrix[:, -1], 1)
    penalty = 0.1 * np.square(features).sum(axis=0).mean()
    targets = F.unfold(hr.double(), 4, stride=4).movedim(1, 2).reshape(len(features), -1).numpy()
    reference = Ridge(alpha=penalty).fit(features, targets)
    np.testing.assert_allclose(probe.weights[:-1], reference.coef_.T, atol=1e-9)
    np.testing.assert_allclose(probe.weights[-1], reference.intercept_, atol=1e-9)


def test_design_holds_the_neighbourhood_of_each_cell():
    lr = torch.arange(49.0).reshape(1, 1, 7, 7)
    rows = design(lr)[:, :-1].reshape(7, 7, 5, 5).numpy()
    np.testing.assert_array_equal(rows[3, 3], lr[0, 0, 1:6, 1:6])
    np.testing.assert_array_equal(rows[0, 0, :3, :3], 0)
    np.testing.assert_array_equal(rows[0, 0, 2:, 2:], lr[0, 0, :3, :3])


def test_streaming_equals_in_memory():
    lr, hr = noise(12, 2, 4, 4), noise(12, 2, 16, 16, seed=1)
    whole = fit_ridge([(lr, hr)], 4)
    streamed = fit_ridge(zip(lr.split(5), hr.split(5), strict=True), 4)
    torch.testing.assert_close(streamed.weights, whole.weights, rtol=0, atol=1e-12)


def test_what_is_unpredictable_is_predicted_by_its_mean():
    lr, hr = noise(100, 1, 8, 8), noise(100, 1, 32, 32, seed=1)
    predicted = fit_ridge([(lr, hr)], 4).predict(noise(10, 1, 8, 8, seed=2), (32, 32))
    assert predicted.square().mean() < 0.01


def test_grids_that_do_not_divide():
    lr, hr = noise(4, 1, 3, 3), noise(4, 1, 9, 10, seed=1)
    assert fit_ridge([(lr, hr)], 4).predict(lr, (9, 10)).shape == (4, 1, 9, 10)


def test_most_channels():
    lr, hr = noise(20, 16, 4, 4), noise(20, 16, 16, 16, seed=1)
    assert torch.isfinite(fit_ridge([(lr, hr)], 4).predict(lr, (16, 16))).all()
