import importlib.util

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm
from sklearn.metrics.pairwise import polynomial_kernel

from vaescreen.errors import DataError
from vaescreen.metrics.distribution import FEWEST_FOR_FID, FEWEST_FOR_KID, Distances, open_inception
from vaescreen.metrics.optional import Missing


def features(images: int, seed: int, shift: float = 0.0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(images, 6, generator=generator) * torch.tensor([1.0, 2, 1, 1, 0.5, 1]) + shift


def distances(first: torch.Tensor, second: torch.Tensor, batch: int) -> dict[str, float | Missing]:
    streamed = Distances(6)
    for a, b in zip(first.split(batch), second.split(batch), strict=True):
        streamed.update(a, b)
    return streamed.compute()


def frechet(a: np.ndarray, b: np.ndarray) -> float:
    cov_a, cov_b = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    cross = sqrtm(cov_a @ cov_b).real
    return float(((a.mean(axis=0) - b.mean(axis=0)) ** 2).sum() + np.trace(cov_a + cov_b - 2 * cross))


def unbiased_mmd(a: np.ndarray, b: np.ndarray) -> float:
    m, n = len(a), len(b)
    kernel = {"degree": 3, "gamma": 1 / a.shape[1], "coef0": 1}
    aa, bb, ab = (polynomial_kernel(x, y, **kernel) for x, y in ((a, a), (b, b), (a, b)))
    return float(
        (aa.sum() - np.trace(aa)) / (m * (m - 1)) + (bb.sum() - np.trace(bb)) / (n * (n - 1)) - 2 * ab.mean()
    )


def test_fid_is_that_of_the_closed_form_and_kid_near_that_of_all_images():
    first, second = features(FEWEST_FOR_FID, 0), features(FEWEST_FOR_FID, 1, shift=0.5)
    found = distances(first, second, 300)
    a, b = first.double().numpy(), second.double().numpy()
    assert found["fid"] == pytest.approx(frechet(a, b), rel=1e-4)
    # Means over 100 subsets of 100 images.
    assert found["kid"] == pytest.approx(unbiased_mmd(a, b), rel=0.2)
    assert found["kid"] > 0


def test_neither_batch_size_nor_what_is_drawn_elsewhere_changes_a_distance():
    first, second = features(FEWEST_FOR_KID, 2), features(FEWEST_FOR_KID, 3, shift=0.2)
    once = distances(first, second, 64)["kid"]
    torch.manual_seed(99)
    before = torch.random.get_rng_state()
    assert distances(first, second, 7)["kid"] == pytest.approx(once, rel=1e-6)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_too_few_images_are_refused_with_the_number_that_is_needed():
    found = distances(features(FEWEST_FOR_KID - 1, 0), features(FEWEST_FOR_KID - 1, 1), 50)
    assert (
        str(found["fid"])
        == "fid is missing: it needs at least 2048 images and has 199; give more test images"
    )
    assert isinstance(found["kid"], Missing)
    more = distances(features(FEWEST_FOR_KID, 0), features(FEWEST_FOR_KID, 1), 50)
    assert isinstance(more["fid"], Missing)
    assert isinstance(more["kid"], float)


def test_features_that_are_not_finite_are_an_error():
    spoilt = features(4, 0)
    spoilt[2, 1] = torch.nan
    with pytest.raises(DataError, match="not finite"):
        Distances(6).update(features(4, 1), spoilt)


@pytest.mark.skipif(
    importlib.util.find_spec("torch_fidelity") is not None, reason="says what happens without it"
)
def test_without_torch_fidelity_both_are_missing_with_a_reason_and_a_remedy():
    missing = open_inception()
    assert isinstance(missing, Missing)
    assert "vaescreen[distribution]" in missing.reason
