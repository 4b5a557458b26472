import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import peak_signal_noise_ratio

from vaescreen.errors import DataError
from vaescreen.metrics import image_metrics

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
