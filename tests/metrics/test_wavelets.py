import numpy as np
import pytest
import pywt
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import mean_squared_error

from vaescreen.errors import DataError
from vaescreen.metrics.fidelity import psnr
from vaescreen.metrics.wavelets import (
    band_errors,
    band_psnr,
    band_shares,
    haar_band_errors,
    published_band_psnr,
)

pytestmark = pytest.mark.filterwarnings("ignore:Level value")  # PyWavelets, of small images


def pywavelets_bands(image: np.ndarray, wavelet: str, levels: int) -> dict[str, np.ndarray]:
    approximation, *details = pywt.wavedec2(image, wavelet, mode="periodization", level=levels)
    bands = {f"LL{levels}": approximation}
    for level, coefficients in zip(range(levels, 0, -1), details, strict=True):
        bands |= {f"{name}{level}": each for name, each in zip(("LH", "HL", "HH"), coefficients, strict=True)}
    return bands


def pywavelets_band_errors(
    reference: np.ndarray, estimate: np.ndarray, levels: int, wavelet: str = "haar"
) -> dict[str, float]:
    """Transform both images, then compare: what the linear shortcut of ours has to equal."""
    ours, theirs = (pywavelets_bands(image, wavelet, levels) for image in (reference, estimate))
    return {name: float(((ours[name] - theirs[name]) ** 2).sum() / reference.size) for name in ours}


def by_hand(image: np.ndarray, wavelet: str) -> dict[str, np.ndarray]:
    """One level as matrix products: the rows of the matrix are the filter, moved on by two and wrapped around."""
    filters = pywt.Wavelet(wavelet)

    def matrix(side: int, taps: list[float]) -> np.ndarray:
        rows = np.zeros((side // 2, side))
        for row in range(side // 2):
            for tap, weight in enumerate(taps):
                rows[row, (2 * row + len(taps) // 2 - tap) % side] += weight
        return rows

    low, high = ([matrix(side, taps) for side in image.shape] for taps in (filters.dec_lo, filters.dec_hi))
    return {
        "LL1": low[0] @ image @ low[1].T,
        "LH1": high[0] @ image @ low[1].T,
        "HL1": low[0] @ image @ high[1].T,
        "HH1": high[0] @ image @ high[1].T,
    }


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


@pytest.mark.parametrize("size", [(16, 16), (64, 40), (8, 8)])
@pytest.mark.parametrize("wavelet", ["sym4", "db4", "coif1", "db8"])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 1e-5)])
def test_bands_of_smooth_wavelets_are_those_of_pywavelets(make_pair, size, wavelet, dtype, tolerance):
    reference, estimate = make_pair(*size)
    bands = band_errors(reference.to(dtype), estimate.to(dtype), wavelet)
    for i in range(len(reference)):
        expected = pywavelets_band_errors(reference[i, 0].numpy(), estimate[i, 0].numpy(), 3, wavelet)
        assert list(bands) == list(expected)
        found = {name: errors[i].item() for name, errors in bands.items()}
        assert found == pytest.approx(expected, rel=tolerance, abs=tolerance * 1e-5)


@pytest.mark.parametrize("wavelet", ["haar", "sym4"])
@pytest.mark.parametrize("size", [(12, 20), (2, 6)])
def test_bands_are_those_of_matrix_products(make_pair, wavelet, size):
    reference, estimate = make_pair(*size, batch=1)
    bands = band_errors(reference, estimate, wavelet, levels=1)
    expected = by_hand((estimate - reference)[0, 0].numpy(), wavelet)
    assert {name: error.item() for name, error in bands.items()} == pytest.approx(
        {name: (values**2).sum() / np.prod(size) for name, values in expected.items()}, rel=1e-9
    )


@given(seed=st.integers(0, 999), height=st.integers(1, 40), width=st.integers(1, 40))
@settings(max_examples=40, deadline=None)
def test_smooth_bands_add_up_to_the_mse_for_any_size(make_pair, seed, height, width):
    reference, estimate = make_pair(height, width, seed=seed)
    errors = band_errors(reference, estimate)
    total = torch.stack(list(errors.values())).sum(dim=0)
    for i in range(len(reference)):
        expected = mean_squared_error(reference[i, 0].numpy(), estimate[i, 0].numpy())
        assert total[i].item() == pytest.approx(expected, rel=1e-9, abs=1e-18)


def test_smooth_shading_is_coarse_to_the_smooth_wavelet_and_fine_to_haar():
    ramp = torch.sin(torch.arange(64, dtype=torch.float64) * 2 * torch.pi / 64).expand(1, 1, 64, 64) / 10
    blank = torch.zeros_like(ramp)
    fine = {
        wavelet: band_shares(band_errors(blank, ramp, wavelet))["HL1"].item() for wavelet in ("haar", "sym4")
    }
    assert fine["haar"] > 1e-3
    assert fine["sym4"] < 1e-5


def test_shares_are_parts_of_one_and_decibels_add_up_to_the_psnr(make_pair):
    reference, estimate = make_pair(40, 33)
    errors = band_errors(reference, estimate)
    shares = torch.stack(list(band_shares(errors).values()))
    torch.testing.assert_close(shares.sum(dim=0), torch.ones(2, dtype=torch.float64))
    assert ((shares >= 0) & (shares <= 1)).all()
    total = sum(10 ** (-decibels / 10) for decibels in band_psnr(errors).values())
    torch.testing.assert_close(-10 * total.log10(), psnr(reference, estimate))


@pytest.mark.parametrize("size", [(16, 16), (64, 40)])
def test_published_band_psnr_has_each_images_own_peak(make_pair, size):
    reference, estimate = make_pair(*size)
    values = published_band_psnr(reference, estimate)
    for i in range(len(reference)):
        ours, theirs = (pywavelets_bands(images[i, 0].numpy(), "haar", 3) for images in (reference, estimate))
        expected = {
            name: 20 * np.log10(np.abs(ours[name]).max() / np.sqrt(((ours[name] - theirs[name]) ** 2).mean()))
            for name in ours
        }
        assert {name: value[i].item() for name, value in values.items()} == pytest.approx(expected, abs=1e-9)


def test_published_band_psnr_of_empty_bands_is_infinite_one_way_or_the_other(make_pair):
    flat = torch.full((1, 1, 16, 16), 0.5)
    noisy = make_pair(16, 16, batch=1)[1]
    assert published_band_psnr(flat, flat)["HH1"].item() == np.inf
    assert published_band_psnr(flat.double(), noisy)["HH1"].item() == -np.inf


@pytest.mark.parametrize("function", [band_errors, haar_band_errors, published_band_psnr])
def test_nan_spoils_every_band_of_its_image_and_none_of_another(make_pair, function):
    reference, estimate = make_pair(16, 24)
    estimate[1, 0, 5, 5] = torch.nan
    values = function(reference, estimate)
    assert all(value[0].isfinite() for value in values.values())
    spoilt = [name for name, value in values.items() if value[1].isnan()]
    assert {"LL3", "LH3", "LH1", "HL1", "HH1"} <= set(spoilt)


@pytest.mark.parametrize("wavelet", ["bior2.2", "morl", "haaar"])
def test_wavelets_that_are_not_orthogonal_are_refused(wavelet):
    with pytest.raises(DataError, match="orthogonal"):
        band_errors(torch.rand(1, 1, 16, 16), torch.rand(1, 1, 16, 16), wavelet)
