"""Simulated clustered pairs for the tests of statistics."""

import numpy as np

from vaescreen.statistics.clusters import Pairs, pair


def clustered(seed: int = 0, patients: int = 12, gap: float = 0.4, most: int = 6) -> Pairs:
    """Two candidates on patients with one to `most` images, differences that vary between patients and within."""
    generator = np.random.default_rng(seed)
    owner = np.repeat(np.arange(patients), generator.integers(1, most + 1, patients))
    base = generator.normal(30, 2, len(owner))
    difference = gap + generator.normal(0, 0.5, patients)[owner] + generator.normal(0, 0.5, len(owner))
    return pair(base + difference, base, [f"p{i:03d}" for i in owner])


def names(pairs: Pairs) -> list[str]:
    """Patient of each image."""
    return [pairs.patients.names[owner] for owner in pairs.patients.owner]
