"""Image pairs for the metric tests: smooth structure with texture, and a noisy copy of it."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

MakePair = Callable[..., tuple[Tensor, Tensor]]


@pytest.fixture(scope="session")
def make_pair() -> MakePair:
    """Give `make(height, width, noise=0.05, batch=2, seed=0)`: float64 reference and estimate."""

    def make(
        height: int, width: int, noise: float = 0.05, batch: int = 2, seed: int = 0
    ) -> tuple[Tensor, Tensor]:
        generator = np.random.default_rng(seed)
        rows, columns = np.mgrid[:height, :width]
        phases = generator.uniform(0, 6, (batch, 1, 1, 1))
        reference = 0.45 + 0.3 * np.sin(rows / 9 + phases) * np.cos(columns / 7 - phases)
        reference += generator.uniform(0, 0.2, reference.shape)
        estimate = reference + noise * generator.standard_normal(reference.shape)
        return torch.from_numpy(reference.clip(0, 1)), torch.from_numpy(estimate.clip(0, 1))

    return make


@pytest.fixture(scope="session")
def formula_pair() -> tuple[Tensor, Tensor]:
    """A pair of 64x48 float64 images given by formulas alone, for pinned values."""
    rows, columns = np.mgrid[:64, :48].astype(np.float64)
    reference = 0.4 + 0.4 * np.sin(rows / 5) * np.cos(columns / 4)
    estimate = (reference + 0.1 * np.cos(rows * columns / 17)).clip(0, 1)
    reference = reference.clip(0, 1)
    return torch.from_numpy(reference)[None, None], torch.from_numpy(estimate)[None, None]
