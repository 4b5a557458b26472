import numpy as np
import pytest
import pywt
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import mean_squared_error

from vaescreen.metrics.wavelets import haar_band_errors


def pywavelets_band_errors(reference: np.ndarray, estimate: np.ndarray, levels: int) -> dict[str, float]:
    """Transform both images, then compare: what the linear shortcut of ours has to equal."""
    pairs = [
        pywt.wavedec2(image, "haar", mode="periodization", level=levels) for image in (reference, estimate)
    ]
    bands = {f"LL{levels}": (pairs[0][0], pairs[1][0])}
    for level, ours, theirs in zip(range(levels, 0, -1), pairs[0][1:], pairs[1][1:], strict=True):
        for name, a, b in zip(("LH", "HL", "HH"), ours, theirs, strict=True):
            bands[f"{name}{level}"] = (a, b)
    return {name: float(((a - b) ** 2).sum() / reference.size) for name, (a, b) in bands.items()}


@pytest.mark.parametrize("size", [(16, 16), (64, 40)])
@pytest.mark.parametrize("levels", [1, 2, 3])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-5)])
def test_bands_are_those_of_pywavelets(make_pair, size, levels, dtype, tolerance):
    reference, estimate = make_pair(*size)
    bands = haar_band_errors(reference.to(dtype), estimate.to(dtype), levels)
    for i in range(len(reference)):
        expected = pywavelets_band_errors(reference[i, 0].numpy(), estimate[i, 0].numpy(), levels)
        assert list(bands) == list(expected)
        assert {name: errors[i].item() for name, errors in bands.items()} == pytest.approx(
            expected, rel=tolerance
        )


@pytest.mark.parametrize(
    ("pattern", "band"),
    [
        ([[1, 1], [1, 1]], "LL1"),
        ([[1, 1], [-1, -1]], "LH1"),
        ([[1, -1], [1, -1]], "HL1"),
        ([[1, -1], [-1, 1]], "HH1"),
    ],
)
def test_each_elementary_error_falls_into_its_band_alone(pattern, band):
    error = 0.1 * torch.tensor(pattern, dtype=torch.float64).repeat(4, 4)[None, None]
    reference = torch.full_like(error, 0.5)
    bands = haar_band_errors(reference, reference + error, levels=1)
    expected = {name: 0.01 if name == band else 0.0 for name in ("LL1", "LH1", "HL1", "HH1")}
    assert {name: value.item() for name, value in bands.items()} == pytest.approx(expected, abs=1e-15)


def test_pinned_values(formula_pair):
    bands = {name: value.item() for name, value in haar_band_errors(*formula_pair).items()}
    assert bands == pytest.approx(
        {
            "LL3": 1.0397048954e-04,
            "LH3": 8.0940719834e-05,
            "HL3": 8.4922276244e-05,
            "HH3": 5.6424737349e-05,
            "LH2": 3.6289884260e-04,
            "HL2": 3.5194489372e-04,
            "HH2": 2.4892785804e-04,
            "LH1": 9.1586764710e-04,
            "HL1": 1.5900733117e-03,
            "HH1": 1.2560893510e-03,
        },
        rel=1e-8,
    )


@given(
    seed=st.integers(0, 999), height=st.integers(1, 40), width=st.integers(1, 40), levels=st.integers(1, 4)
)
@settings(max_examples=40, deadline=None)
def test_bands_add_up_to_the_mse_for_any_size(make_pair, seed, height, width, levels):
    reference, estimate = make_pair(height, width, seed=seed)
    total = torch.stack(list(haar_band_errors(reference, estimate, levels).values())).sum(dim=0)
    for i in range(len(reference)):
        expected = mean_squared_error(reference[i, 0].numpy(), estimate[i, 0].numpy())
        assert total[i].item() == pytest.approx(expected, rel=1e-12, abs=1e-18)


def test_identical_images_have_no_error_in_any_band(make_pair):
    reference, _ = make_pair(21, 34)
    assert all((errors == 0).all() for errors in haar_band_errors(reference, reference).values())
