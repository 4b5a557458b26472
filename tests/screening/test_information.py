"""Shares of explained variance."""

import numpy as np
import torch
from sklearn.metrics import r2_score

from vaescreen.screening.information import Explained


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
