import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import peak_signal_noise_ratio

from vaescreen.errors import DataError
from vaescreen.metrics import image_metrics
from vaescreen.metrics.fidelity import mse, nrmse
from vaescreen.metrics.hallucination import excess
from vaescreen.metrics.table import detailed_metrics
from vaescreen.metrics.wavelets import haar_band_errors

COLUMNS = [
    *("psnr", "psnr_foreground", "ssim", "ms_ssim"),
    *("band_LL3", "band_LH3", "band_HL3", "band_HH3"),
    *("band_LH2", "band_HL2", "band_HH2", "band_LH1", "band_HL1", "band_HH1"),
]


@pytest.mark.parametrize(("height", "width"), [(16, 16), (37, 50)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_table_has_one_finite_float64_value_an_image_in_each_column(make_pair, height, width, dtype):
    reference, estimate = make_pair(height, width, batch=3)
    table = image_metrics(reference.to(dtype), estimate.to(dtype))
    assert list(table) == COLUMNS
    for values in table.values():
        assert values.shape == (3,)
        assert values.dtype == torch.float64
        assert values.isfinite().all()


def test_each_column_holds_the_metric_it_names(formula_pair):
    table = image_metrics(*formula_pair)
    # From scikit-image and PyWavelets; psnr_foreground and ms_ssim from the plain definition in NumPy.
    expected = {
        "psnr": 22.9653148933,
        "psnr_foreground": 22.9542989834,
        "ssim": 0.751416452228,
        "ms_ssim": 0.96839204027,
        "band_LL3": 1.0397048954e-04,
        "band_LH1": 9.1586764710e-04,
        "band_HL1": 1.5900733117e-03,
    }
    assert {name: table[name].item() for name in expected} == pytest.approx(expected, rel=1e-9)


def test_values_are_per_image_and_not_pooled_over_the_batch(make_pair):
    clean, noisy = make_pair(32, 32, noise=0.01, batch=1), make_pair(32, 32, noise=0.2, batch=1)
    table = image_metrics(torch.cat([clean[0], noisy[0]]), torch.cat([clean[1], noisy[1]]))
    for i, (reference, estimate) in enumerate([clean, noisy]):
        expected = peak_signal_noise_ratio(reference.numpy(), estimate.numpy(), data_range=1.0)
        assert table["psnr"][i].item() == pytest.approx(expected, abs=1e-9)


@given(seed=st.integers(0, 999), order=st.permutations(range(4)))
@settings(max_examples=10, deadline=None)
def test_neither_batch_nor_order_changes_a_value(make_pair, seed, order):
    reference, estimate = make_pair(29, 46, batch=4, seed=seed)
    together = image_metrics(reference[order], estimate[order])
    for place, i in enumerate(order):
        for name, value in image_metrics(reference[i : i + 1], estimate[i : i + 1]).items():
            torch.testing.assert_close(together[name][place], value[0], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("spoilt", ["reference", "estimate"])
def test_a_nan_pixel_spoils_its_own_image_and_no_other(make_pair, spoilt):
    images = dict(zip(("reference", "estimate"), make_pair(32, 32), strict=True))
    images["reference"][1] *= 0.01
    images[spoilt][1, 0, 20, 20] = torch.nan
    for name, values in image_metrics(**images).items():
        assert values[0].isfinite(), name
        if not name.startswith("band_"):
            assert values[1].isnan(), name


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_values_are_computed_on_the_device_of_the_images(make_pair):
    reference, estimate = make_pair(181, 199)
    there = image_metrics(reference.cuda(), estimate.cuda())
    for name, value in image_metrics(reference, estimate).items():
        assert there[name].device.type == "cuda"
        torch.testing.assert_close(there[name].cpu(), value, rtol=1e-10, atol=1e-15)


def test_images_too_small_for_ssim_are_refused_in_one_line():
    with pytest.raises(DataError) as error:
        image_metrics(torch.rand(1, 1, 10, 10), torch.rand(1, 1, 10, 10))
    assert "10x10" in str(error.value)
    assert "\n" not in str(error.value)


def test_the_detailed_table_has_every_column_of_the_plain_one_and_bands_that_agree(make_pair):
    reference, estimate = make_pair(37, 50, batch=3)
    plain = image_metrics(reference, estimate)
    detailed, spectra = detailed_metrics(reference, estimate)
    for name, values in plain.items():
        torch.testing.assert_close(detailed[name], values, rtol=0, atol=0)
    smooth = torch.stack(
        [values for name, values in detailed.items() if name.startswith("smooth_") and "psnr" not in name]
    )
    assert len(smooth) == 10
    torch.testing.assert_close(smooth.sum(dim=0), mse(reference, estimate))
    torch.testing.assert_close(spectra.error.sum(dim=1), detailed["mse"])
    torch.testing.assert_close(detailed["mse"], mse(reference, estimate))
    torch.testing.assert_close(detailed["nrmse"], nrmse(reference, estimate))
    torch.testing.assert_close(detailed["reference_mean"], reference.mean(dim=(1, 2, 3)))
    torch.testing.assert_close(detailed["estimate_mean"], estimate.mean(dim=(1, 2, 3)))
    assert all(values.shape == (3,) and values.dtype == torch.float64 for values in detailed.values())


@given(seed=st.integers(0, 999), order=st.permutations(range(4)))
@settings(max_examples=5, deadline=None)
def test_neither_batch_nor_order_changes_a_detailed_value(make_pair, seed, order):
    reference, estimate = make_pair(29, 46, batch=4, seed=seed)
    together, _ = detailed_metrics(reference[order], estimate[order])
    for place, i in enumerate(order):
        for name, value in detailed_metrics(reference[i : i + 1], estimate[i : i + 1])[0].items():
            torch.testing.assert_close(together[name][place], value[0], rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize("spoilt", ["reference", "estimate"])
def test_a_nan_pixel_gives_no_silent_number_in_the_detailed_table(make_pair, spoilt):
    images = dict(zip(("reference", "estimate"), make_pair(32, 32), strict=True))
    images[spoilt][1, 0, 20, 20] = torch.nan
    local = (
        "band_",
        "smooth_",
        "published_",
    )  # a fine band of a local wavelet may not reach the pixel's block
    for name, values in detailed_metrics(**images)[0].items():
        assert values[0].isfinite(), name
        if not name.startswith(local) and name not in {"reference_mean", "estimate_mean"}:
            assert values[1].isnan(), name
    assert detailed_metrics(**images)[0][f"{spoilt}_mean"][1].isnan()


@given(seed=st.integers(0, 999), below=st.integers(0, 9), right=st.integers(0, 9))
@settings(max_examples=10, deadline=None)
def test_padding_both_images_alike_adds_no_error_to_any_sum(make_pair, seed, below, right):
    reference, estimate = make_pair(24, 32, seed=seed)
    padded = [
        torch.nn.functional.pad(images, (0, right, 0, below), value=0.3) for images in (reference, estimate)
    ]
    pixels, more = 24 * 32, (24 + below) * (32 + right)
    torch.testing.assert_close(mse(*padded) * more, mse(reference, estimate) * pixels)
    bands, wider = haar_band_errors(reference, estimate), haar_band_errors(*padded)
    for name, errors in bands.items():
        torch.testing.assert_close(wider[name] * more, errors * pixels, rtol=1e-9, atol=1e-15)
    limit = torch.full((2,), 0.05)
    found, again = excess(reference, estimate, limit), excess(*padded, limit)
    torch.testing.assert_close(again.hallucinated * more, found.hallucinated * pixels)
    torch.testing.assert_close(again.lost_by, found.lost_by)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_detailed_values_are_computed_on_the_device_of_the_images(make_pair):
    reference, estimate = make_pair(64, 48)
    there, _ = detailed_metrics(reference.cuda(), estimate.cuda())
    for name, value in detailed_metrics(reference, estimate)[0].items():
        assert there[name].device.type == "cuda"
        torch.testing.assert_close(there[name].cpu(), value, rtol=1e-9, atol=1e-13)
