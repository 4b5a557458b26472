"""Before any training a bundled network is the patch PCA of scikit-learn."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from torch.nn import functional as F

from benchmarks.bundling.architecture import GEOMETRIES, build
from benchmarks.bundling.dead_leaves import draw_dead_leaves
from benchmarks.bundling.warm_start import start_as_pca
from vaescreen.autoencoders.networks import NetworkAutoencoder


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return torch.from_numpy(np.stack([draw_dead_leaves(index, 128) for index in range(8)]))[:, None]


def patches_of(images: torch.Tensor, factor: int) -> np.ndarray:
    return F.unfold(images, factor, stride=factor).movedim(1, 2).reshape(-1, factor**2).double().numpy()


def warm_started(geometry, images) -> NetworkAutoencoder:
    torch.manual_seed(0)
    network = build(geometry)
    start_as_pca(network, 2 * images - 1)
    return NetworkAutoencoder(network, "warm", "0")


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
def test_decodes_what_pca_decodes(geometry, images):
    """The last norm bends the largest values by up to 0.015; 52 dB and more lie between the two."""
    channels, factor = geometry
    network = warm_started(geometry, images)
    patches = patches_of(2 * images - 1, factor)
    pca = PCA(channels, svd_solver="full").fit(patches)
    expected = pca.inverse_transform(pca.transform(patches)).reshape(len(images), -1, factor**2)
    folded = F.fold(torch.from_numpy(expected).movedim(1, 2), (128, 128), factor, stride=factor)
    expected = ((folded + 1) / 2).clamp(0, 1)
    error = network.decode(network.encode(images), (128, 128)) - expected
    assert error.abs().max() < 0.02
    assert -10 * error.square().mean().log10() > 50


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
def test_latents_are_scores_in_units_of_the_first_ones_sd(geometry, images):
    channels, factor = geometry
    patches = patches_of(2 * images - 1, factor)
    pca = PCA(channels, svd_solver="full").fit(patches)
    scores = pca.transform(patches) / np.sqrt(pca.explained_variance_[0])
    latents = (
        warm_started(geometry, images).encode(images).movedim(1, -1).reshape(-1, channels).double().numpy()
    )
    signs = np.sign((latents * scores).sum(0))
    np.testing.assert_allclose(latents, signs * scores, atol=1e-4)
    assert latents[:, 0].std() == pytest.approx(1, abs=1e-3)
