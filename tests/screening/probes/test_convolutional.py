"""The convolutional probe learns what follows from LR latents, reproducibly and at bounded cost."""

import pytest
import torch

from vaescreen.screening.probes.convolutional import fit_convolutional
from vaescreen.screening.probes.crops import upsample


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_begins_as_bilinear_upsampling():
    lr = noise(3, 2, 4, 4)
    untrained = fit_convolutional(lr, noise(3, 2, 16, 16), 4, 0, steps=0)
    torch.testing.assert_close(untrained.predict(lr, (16, 16)), upsample(lr, 4, (16, 16)))


def test_upsampling_puts_a_cell_onto_its_block():
    lr = torch.arange(4.0).expand(1, 1, 4, 4)
    blocks = upsample(lr, 2, (8, 8))[0, 0, 0]
    torch.testing.assert_close(blocks, torch.tensor([0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3]))


def test_learns_a_nonlinear_function_that_differs_within_a_block():
    def hidden(lr: torch.Tensor) -> torch.Tensor:
        checkers = (torch.arange(16)[:, None] + torch.arange(16)) % 2
        return upsample(lr, 4, (16, 16)) + checkers * upsample(lr, 4, (16, 16)).square()

    lr, unseen = noise(64, 1, 4, 4), noise(8, 1, 4, 4, seed=1)
    probe = fit_convolutional(lr, hidden(lr), 4, 0, steps=150)
    before = (upsample(unseen, 4, (16, 16)) - hidden(unseen)).square().mean()
    after = (probe.predict(unseen, (16, 16)) - hidden(unseen)).square().mean()
    assert after < 0.1 * before


def test_same_seed_same_bytes():
    lr, hr = noise(6, 2, 10, 10), noise(6, 2, 40, 40, seed=1)

    def predicted(seed: int) -> torch.Tensor:
        torch.manual_seed(torch.randint(1000, ()).item())
        return fit_convolutional(lr, hr, 4, seed, steps=5).predict(lr, (40, 40))

    assert torch.equal(predicted(0), predicted(0))
    assert not torch.equal(predicted(0), predicted(1))


def test_leaves_the_global_generator_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    fit_convolutional(noise(2, 1, 2, 2), noise(2, 1, 8, 8), 4, 0, steps=2)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize(
    ("cells", "size", "scale"), [((3, 3), (9, 10), 4), ((1, 1), (8, 8), 8), ((5, 7), (10, 14), 2)]
)
def test_any_grid(cells, size, scale):
    lr, hr = noise(3, 1, *cells), noise(3, 1, *size)
    assert fit_convolutional(lr, hr, scale, 0, steps=2).predict(lr, size).shape == (3, 1, *size)
