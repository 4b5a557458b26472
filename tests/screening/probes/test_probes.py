"""Probes work on raw latents of any scale and of unlike sizes, and say what can and cannot be known."""

import pytest
import torch

from vaescreen.screening.probes import fit_probes


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def predictions(probes, told):
    """What the regressions say of raw conditions, raw."""
    inputs = probes.told.apply(told)
    return {
        "ridge": probes.target.undo(probes.ridge.predict(inputs)),
        "convolutional": probes.target.undo(probes.convolutional.predict(inputs)),
    }


def test_neither_scale_nor_unlike_sizes_matter():
    gain = 10.0
    sizes = [(8, 8), (8, 8), (12, 16), (20, 8)]
    told = [
        3 + noise(2, *size, seed=seed) * torch.tensor([[[1.0]], [[5.0]]]) for seed, size in enumerate(sizes)
    ]
    target = [2 * part.flip(0) for part in told]
    one = fit_probes(told, target, scale=4, factor=4, seed=0)
    other = fit_probes(
        [gain * part for part in told], [gain * part for part in target], scale=4, factor=4, seed=0
    )
    expected, found = predictions(one, told[2][None]), predictions(other, gain * told[2][None])
    for name in expected:
        torch.testing.assert_close(found[name] / gain, expected[name], atol=0.1, rtol=0)
    torch.testing.assert_close(expected["ridge"][0], target[2], atol=0.2, rtol=0)


@pytest.mark.parametrize("name", ["ridge", "convolutional"])
def test_latents_that_do_not_vary(name):
    told, target = torch.full((4, 1, 8, 8), 7.0), torch.full((4, 1, 8, 8), 5.0)
    probes = fit_probes(list(told), list(target), scale=4, factor=4, seed=0)
    torch.testing.assert_close(predictions(probes, told)[name], target, atol=1e-3, rtol=0)
