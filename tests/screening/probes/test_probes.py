"""Probes work on raw latents of any scale and of unlike sizes, and say what can and cannot be known."""

import pytest
import torch
from torch.nn import functional as F

from vaescreen.screening.probes import fit_probes

REGRESSIONS = ("ridge", "random_features", "convolutional")


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def predicted(probes, name, lr, size):
    """What a probe says of raw LR latents, raw."""
    return probes.hr.undo(getattr(probes, name).predict(probes.lr.apply(lr), size))


def test_neither_scale_nor_unlike_sizes_matter():
    gain = 10.0
    sizes = [(2, 2), (2, 2), (3, 4), (5, 2)]
    lr = [
        3 + noise(2, *size, seed=seed) * torch.tensor([[[1.0]], [[5.0]]]) for seed, size in enumerate(sizes)
    ]
    hr = [F.interpolate(part[None], scale_factor=4)[0] for part in lr]
    one = fit_probes(lr, hr, scale=4, factor=4, seed=0)
    other = fit_probes([gain * part for part in lr], [gain * part for part in hr], scale=4, factor=4, seed=0)
    for name in (*REGRESSIONS, "neighbours"):
        expected = predicted(one, name, lr[2][None], (12, 16))
        found = predicted(other, name, gain * lr[2][None], (12, 16)) / gain
        torch.testing.assert_close(found, expected, atol=0.05, rtol=0)
    torch.testing.assert_close(expected[0], hr[2], atol=1e-4, rtol=0)


@pytest.fixture(scope="module")
def constant():
    lr, hr = torch.full((4, 1, 2, 2), 7.0), torch.full((4, 1, 8, 8), 7.0)
    return lr, hr, fit_probes(list(lr), list(hr), scale=4, factor=4, seed=0)


@pytest.mark.parametrize("name", [*REGRESSIONS, "neighbours"])
def test_latents_that_do_not_vary(constant, name):
    lr, hr, probes = constant
    torch.testing.assert_close(predicted(probes, name, lr, (8, 8)), hr, atol=1e-3, rtol=0)
