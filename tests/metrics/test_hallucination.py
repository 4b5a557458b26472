import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vaescreen.errors import DataError
from vaescreen.metrics.hallucination import common_threshold, error_threshold, excess


def published(hr: np.ndarray, sr: np.ndarray, ae: np.ndarray) -> tuple[float, float]:
    """One image, as the paper words it: share hallucinated, share lost."""
    error = np.abs(ae - hr)
    threshold = np.mean(error) + 2 * np.std(error)
    return float(np.mean(sr - hr > threshold)), float(np.mean(hr - sr > threshold))


@pytest.mark.parametrize(("height", "width"), [(16, 16), (33, 47)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_shares_are_those_of_the_published_rule(make_pair, height, width, dtype):
    hr, ae = make_pair(height, width, noise=0.03, batch=3)
    sr = (hr + 0.05 * torch.randn(hr.shape, generator=torch.Generator().manual_seed(1))).clamp(0, 1)
    hr, ae, sr = (images.to(dtype) for images in (hr, ae, sr))
    found = excess(hr, sr, error_threshold(hr, ae))
    for i in range(3):
        hallucinated, lost = published(*(images[i, 0].double().numpy() for images in (hr, sr, ae)))
        assert 0 < hallucinated < 1
        assert found.hallucinated[i].item() == pytest.approx(hallucinated, abs=1e-12)
        assert found.lost[i].item() == pytest.approx(lost, abs=1e-12)


def test_what_is_added_and_what_is_removed_is_told_apart_with_its_size():
    hr = torch.full((1, 1, 10, 10), 0.5)
    sr = hr.clone()
    sr[..., 0, :2] += 0.3  # 2 of 100 pixels too bright
    sr[..., 1, 0] -= 0.2  # 1 too dark
    sr[..., 2, :] += 0.05  # below the threshold
    found = excess(hr, sr, torch.tensor([0.1]))
    values = [found.hallucinated, found.lost, found.hallucinated_by, found.lost_by]
    assert [value.item() for value in values] == pytest.approx([0.02, 0.01, 0.3, 0.2], abs=1e-7)
    assert found.added.nonzero().tolist() == [[0, 0, 0, 0], [0, 0, 0, 1]]
    assert found.removed.nonzero().tolist() == [[0, 0, 1, 0]]


def test_a_perfect_output_adds_and_removes_nothing(make_pair):
    hr, ae = make_pair(20, 20)
    found = excess(hr, hr, error_threshold(hr, ae))
    for values in found[:4]:
        assert values.tolist() == [0.0, 0.0]


def test_a_threshold_in_common_pools_the_errors_of_all(make_pair):
    hr, good = make_pair(24, 30, noise=0.02)
    bad = make_pair(24, 30, noise=0.1)[1]
    pooled = np.abs(np.stack([good.numpy(), bad.numpy()]) - hr.numpy())[:, :, 0]
    expected = pooled.mean(axis=(0, 2, 3)) + 2 * pooled.std(axis=(0, 2, 3))
    common = common_threshold(hr, [good, bad])
    assert common.tolist() == pytest.approx(expected.tolist(), rel=1e-12)
    torch.testing.assert_close(common, common_threshold(hr, [bad, good]), rtol=1e-14, atol=0)
    torch.testing.assert_close(
        error_threshold(hr, good), common_threshold(hr, [good, good]), rtol=1e-14, atol=0
    )


def test_a_worse_autoencoder_excuses_more_by_its_own_threshold_and_not_by_one_in_common(make_pair):
    hr, good = make_pair(32, 32, noise=0.02)
    bad = hr + 3 * (good - hr)
    sr = hr + 0.07
    own = [excess(hr, sr, error_threshold(hr, ae)).hallucinated.mean().item() for ae in (good, bad)]
    assert own == [1.0, 0.0]
    limits = [error_threshold(hr, good), common_threshold(hr, [good, bad]), error_threshold(hr, bad)]
    assert (limits[0] < limits[1]).all()
    assert (limits[1] < limits[2]).all()


@given(seed=st.integers(0, 999), low=st.floats(0.001, 0.1), more=st.floats(0.001, 0.1))
@settings(max_examples=20, deadline=None)
def test_a_higher_threshold_never_finds_more(make_pair, seed, low, more):
    hr, sr = make_pair(14, 17, noise=0.1, seed=seed)
    small = excess(hr, sr, torch.full((2,), low))
    large = excess(hr, sr, torch.full((2,), low + more))
    assert (large.hallucinated <= small.hallucinated).all()
    assert (large.lost <= small.lost).all()
    assert not (large.added & ~small.added).any()


@pytest.mark.parametrize("spoilt", ["hr", "sr", "ae"])
def test_a_nan_pixel_gives_nan_for_its_image_and_no_share(make_pair, spoilt):
    hr, ae = make_pair(16, 16)
    images = {"hr": hr.clone(), "sr": hr + 0.2, "ae": ae.clone()}
    images[spoilt][1, 0, 3, 3] = torch.nan
    found = excess(images["hr"], images["sr"], error_threshold(images["hr"], images["ae"]))
    for values in found[:4]:
        assert values[0].isfinite()
        assert values[1].isnan()
    assert found.added[0].any()
    assert not found.added[1].any()


def test_unlike_shapes_are_refused():
    with pytest.raises(DataError, match="one shape"):
        error_threshold(torch.rand(1, 1, 8, 8), torch.rand(1, 1, 8, 9))
    with pytest.raises(DataError, match="one shape"):
        excess(torch.rand(1, 1, 8, 8), torch.rand(1, 1, 8, 9), torch.zeros(1))
