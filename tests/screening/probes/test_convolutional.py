"""The convolutional probe learns what follows from what it is told, reproducibly and at bounded cost."""

import pytest
import torch

from vaescreen.screening.probes.convolutional import fit_convolutional


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_begins_at_the_mean():
    told = noise(3, 2, 16, 16)
    untrained = fit_convolutional(told, noise(3, 4, 16, 16, seed=1), 4, 0, steps=0)
    assert not untrained.predict(told).any()


def test_learns_a_nonlinear_function_that_differs_within_a_block():
    def hidden(told: torch.Tensor) -> torch.Tensor:
        checkers = (torch.arange(16)[:, None] + torch.arange(16)) % 2
        return told + checkers * told.square()

    told, unseen = noise(64, 1, 16, 16), noise(8, 1, 16, 16, seed=1)
    probe = fit_convolutional(told, hidden(told), 4, 0, steps=200)
    error = (probe.predict(unseen) - hidden(unseen)).square().mean()
    assert error < 0.1 * hidden(unseen).var()


def test_same_seed_same_bytes():
    told, target = noise(6, 3, 40, 40), noise(6, 2, 40, 40, seed=1)

    def predicted(seed: int) -> torch.Tensor:
        torch.manual_seed(torch.randint(1000, ()).item())
        return fit_convolutional(told, target, 4, seed, steps=5).predict(told)

    assert torch.equal(predicted(0), predicted(0))
    assert not torch.equal(predicted(0), predicted(1))


def test_leaves_the_global_generator_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    fit_convolutional(noise(2, 1, 8, 8), noise(2, 1, 8, 8), 4, 0, steps=2)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize(("size", "scale"), [((9, 10), 4), ((1, 1), 8), ((10, 14), 2)])
def test_any_grid(size, scale):
    told, target = noise(3, 5, *size), noise(3, 1, *size)
    assert fit_convolutional(told, target, scale, 0, steps=2).predict(told).shape == (3, 1, *size)
