"""Random features make ridge regression nonlinear, and cost it nothing where the truth is linear."""

import torch

from vaescreen.screening.probes.random_features import fit_random_features
from vaescreen.screening.probes.ridge import fit_ridge, grid_of, neighbourhoods


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def error(found: torch.Tensor, truth: torch.Tensor) -> float:
    return float((found - truth).square().mean() / truth.var())


def bent(lr: torch.Tensor) -> torch.Tensor:
    """Blocks of 2 x 2 HR cells that depend on the size of the sum of the cells around."""
    total = neighbourhoods(lr).sum(dim=1, keepdim=True).abs() / 5
    return grid_of(total.repeat(1, 4), lr, 2, (2 * lr.shape[-2], 2 * lr.shape[-1]))


def test_finds_what_is_not_linear():
    lr, unseen = noise(60, 1, 8, 8), noise(5, 1, 8, 8, seed=1)
    probe = fit_random_features([(lr, bent(lr))], 1, 2, 0)
    linear = fit_ridge([(lr, bent(lr))], 2)
    assert error(probe.predict(unseen, (16, 16)), bent(unseen)) < 0.5
    assert error(linear.predict(unseen, (16, 16)), bent(unseen)) > 0.9


def test_seed_decides_the_features_and_streaming_does_not():
    lr, hr = noise(12, 2, 4, 4), noise(12, 2, 16, 16, seed=1)
    whole = fit_random_features([(lr, hr)], 2, 4, 0).predict(lr, (16, 16))
    streamed = fit_random_features(zip(lr.split(5), hr.split(5), strict=True), 2, 4, 0)
    torch.testing.assert_close(streamed.predict(lr, (16, 16)), whole, atol=1e-3, rtol=0)
    other = fit_random_features([(lr, hr)], 2, 4, 1).predict(lr, (16, 16))
    assert not torch.allclose(other, whole, atol=1e-3)
