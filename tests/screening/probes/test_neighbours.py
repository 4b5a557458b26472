"""The neighbour probe gives what the most similar train cell has."""

import torch
from sklearn.neighbors import KNeighborsRegressor

from vaescreen.screening.probes import neighbours
from vaescreen.screening.probes.neighbours import fit_neighbours
from vaescreen.screening.probes.ridge import blocks_of, neighbourhoods


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_is_that_of_scikit_learn():
    lr, hr, unseen = noise(9, 2, 4, 5), noise(9, 2, 16, 20, seed=1), noise(2, 2, 4, 5, seed=2)
    reference = KNeighborsRegressor(1).fit(neighbourhoods(lr), blocks_of(hr, lr.shape[-2:], 4))
    expected = torch.from_numpy(reference.predict(neighbourhoods(unseen)))
    found = fit_neighbours([(lr[:4], hr[:4]), (lr[4:], hr[4:])], 4).predict(unseen, (16, 20))
    torch.testing.assert_close(blocks_of(found, lr.shape[-2:], 4), expected, atol=1e-6, rtol=0)


def test_train_images_are_their_own_neighbours():
    lr, hr = noise(3, 1, 4, 4), noise(3, 1, 7, 8, seed=1)
    torch.testing.assert_close(fit_neighbours([(lr, hr)], 2).predict(lr, (7, 8)), hr)


def test_memory_is_bounded():
    lr, hr = torch.zeros(3, 1, 100, 100), torch.zeros(3, 1, 200, 200)
    assert len(fit_neighbours([(lr, hr)], 2)._keys) <= neighbours.MOST_CELLS
