"""Probes work on raw latents of any scale, and say what can and cannot be known."""

import torch
from torch.nn import functional as F

from vaescreen.screening.probes import PROBES, fit_probes


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_the_scale_of_a_latent_space_does_not_matter():
    gain = 10.0
    lr = 3 + noise(8, 2, 2, 2) * torch.tensor([1.0, 5.0])[:, None, None]
    hr = F.interpolate(lr, scale_factor=4) + 0.1 * noise(8, 2, 8, 8, seed=1)
    one = fit_probes(lr, hr, scale=4, seed=0)
    other = fit_probes(gain * lr, gain * hr, scale=4, seed=0)
    for name in PROBES:
        expected = one[name](lr, (8, 8))
        found = other[name](gain * lr, (8, 8)) / gain
        torch.testing.assert_close(found, expected, atol=0.02, rtol=0)


def test_latents_that_do_not_vary():
    lr, hr = torch.full((4, 1, 2, 2), 7.0), torch.full((4, 1, 8, 8), 7.0)
    for predict in fit_probes(lr, hr, scale=4, seed=0).values():
        torch.testing.assert_close(predict(lr, (8, 8)), hr, atol=1e-3, rtol=0)
