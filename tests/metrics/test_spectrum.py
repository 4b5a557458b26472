import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal, stats

from vaescreen.errors import DataError
from vaescreen.metrics.fidelity import mse
from vaescreen.metrics.spectrum import (
    Spectrum,
    half_error_frequency,
    half_power_frequency,
    relative_error,
    spectrum,
)


def binned_power(image: np.ndarray, count: int) -> np.ndarray:
    """Full transform, then scipy's histogram of the squared modulus by radius."""
    rows, columns = np.fft.fftfreq(image.shape[0]), np.fft.fftfreq(image.shape[1])
    radius = np.hypot(rows[:, None], columns[None])
    power = np.abs(np.fft.fft2(image)) ** 2 / image.size**2
    edges = np.concatenate([[-0.1], np.arange(count + 1) * 0.5 / count + 1e-10, [1.0]])
    return stats.binned_statistic(radius.ravel(), power.ravel(), "sum", bins=edges).statistic


@pytest.mark.parametrize(
    ("height", "width", "annuli"), [(64, 64, 32), (33, 47, 16), (48, 20, 10), (11, 11, 5), (128, 96, 32)]
)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-6)])
def test_powers_are_those_of_a_binned_full_transform(make_pair, height, width, annuli, dtype, tolerance):
    reference, estimate = make_pair(height, width)
    spectra = spectrum(reference.to(dtype), estimate.to(dtype))
    assert len(spectra.frequencies) == annuli + 2
    images = (reference, estimate, estimate - reference)
    for powers, pictures in zip(spectra[1:], images, strict=True):
        for i in range(len(reference)):
            expected = binned_power(pictures[i, 0].numpy(), annuli)
            np.testing.assert_allclose(powers[i].numpy(), expected, rtol=tolerance, atol=tolerance * 1e-3)


@given(seed=st.integers(0, 999), height=st.integers(1, 40), width=st.integers(1, 40))
@settings(max_examples=40, deadline=None)
def test_powers_add_up_to_mean_squares_for_any_size(make_pair, seed, height, width):
    reference, estimate = make_pair(height, width, seed=seed)
    spectra = spectrum(reference, estimate)
    torch.testing.assert_close(spectra.error.sum(dim=1), mse(reference, estimate), rtol=1e-10, atol=1e-18)
    torch.testing.assert_close(spectra.reference.sum(dim=1), reference.square().mean(dim=(1, 2, 3)))
    torch.testing.assert_close(spectra.reference[:, 0], reference.mean(dim=(1, 2, 3)) ** 2)


def test_a_wave_has_its_power_at_its_frequency():
    columns = torch.arange(64, dtype=torch.float64)
    wave = (0.5 + 0.2 * torch.sin(2 * torch.pi * 8 / 64 * columns)).expand(1, 1, 64, 64)
    spectra = spectrum(wave, torch.full_like(wave, 0.5))
    expected = torch.zeros(34, dtype=torch.float64)
    expected[spectra.frequencies.tolist().index(8 / 64)] = 0.02
    torch.testing.assert_close(spectra.error[0], expected, rtol=0, atol=1e-15)


def low_passed(images: torch.Tensor, cutoff: float) -> torch.Tensor:
    rows = torch.fft.fftfreq(images.shape[2], dtype=torch.float64)[:, None]
    columns = torch.fft.fftfreq(images.shape[3], dtype=torch.float64)[None]
    keep = (rows.square() + columns.square()).sqrt() <= cutoff
    return torch.fft.ifft2(torch.fft.fft2(images) * keep).real


@pytest.mark.parametrize("cutoff", [0.125, 0.25, 0.375])
def test_a_sharp_low_pass_loses_half_the_power_at_its_cutoff(make_pair, cutoff):
    reference = make_pair(128, 128)[0]
    spectra = spectrum(reference, low_passed(reference, cutoff))
    for frequency in (half_power_frequency(spectra), half_error_frequency(spectra)):
        # Between the middle of the last annulus kept and that of the first one lost, an annulus being 1/64.
        assert frequency.tolist() == pytest.approx([cutoff, cutoff], abs=1 / 128 + 1e-9)


def test_the_crossing_lies_between_the_middles_of_the_two_annuli_about_it():
    """By hand: 0.3 above half at 0.1875 cycles a pixel, 0.2 below it at 0.3125."""
    powers = torch.tensor([[1.0, 0.9, 0.8, 0.3, 0.1, 0.0]], dtype=torch.float64)
    frequencies = torch.tensor([0.0, 0.125, 0.25, 0.375, 0.5, 0.71], dtype=torch.float64)
    spectra = Spectrum(frequencies, torch.ones_like(powers), powers, 1 - powers)
    assert half_power_frequency(spectra).item() == pytest.approx(0.1875 + 0.6 * 0.125)
    assert half_error_frequency(spectra).item() == pytest.approx(0.1875 + 0.6 * 0.125)


def test_a_gaussian_blur_loses_half_the_power_where_theory_says(make_pair):
    generator = np.random.default_rng(0)
    reference = generator.uniform(size=(1, 1, 256, 256))
    sigma = 1.2
    offsets = np.arange(-8, 9)
    kernel = np.exp(-(offsets**2) / (2 * sigma**2))
    kernel /= kernel.sum()
    blurred = signal.fftconvolve(np.tile(reference[0, 0], (3, 3)), np.outer(kernel, kernel), mode="same")
    estimate = torch.from_numpy(blurred[256:512, 256:512].copy())[None, None]
    spectra = spectrum(torch.from_numpy(reference), estimate)
    # |H(f)|^2 = exp(-4 pi^2 sigma^2 f^2) is one half, and |1 - H(f)|^2 is.
    power = np.sqrt(np.log(2)) / (2 * np.pi * sigma)
    error = np.sqrt(-np.log(1 - np.sqrt(0.5)) * 2) / (2 * np.pi * sigma)
    assert half_power_frequency(spectra).item() == pytest.approx(power, abs=0.004)
    assert half_error_frequency(spectra).item() == pytest.approx(error, abs=0.004)


def test_invented_detail_counts_as_power_but_also_as_error(make_pair):
    reference = make_pair(128, 128, batch=1)[0]
    blurred = low_passed(reference, 0.2)
    noise = torch.from_numpy(np.random.default_rng(1).normal(0, 0.1, (1, 1, 128, 128)))
    invented = blurred + noise - low_passed(noise, 0.2)
    spectra = spectrum(reference, invented)
    assert half_power_frequency(spectra).item() == 0.5
    assert half_error_frequency(spectra).item() == pytest.approx(0.2, abs=0.01)


def test_identity_loses_nothing_up_to_nyquist(make_pair):
    reference = make_pair(32, 24)[0]
    spectra = spectrum(reference, reference)
    assert half_power_frequency(spectra).tolist() == [0.5, 0.5]
    assert half_error_frequency(spectra).tolist() == [0.5, 0.5]


def test_a_constant_image_has_no_frequency_to_lose():
    reference = torch.full((1, 1, 16, 16), 0.5)
    spectra = spectrum(reference, reference + 0.1)
    assert spectra.error[0, 0].item() == pytest.approx(0.01, rel=1e-5)
    assert half_power_frequency(spectra).item() == 0.5


def test_nan_gives_nan_and_no_frequency(make_pair):
    reference, estimate = make_pair(16, 16)
    estimate[1, 0, 0, 0] = torch.nan
    spectra = spectrum(reference, estimate)
    for frequency in (half_power_frequency(spectra), half_error_frequency(spectra)):
        assert frequency[0].isfinite()
        assert frequency[1].isnan()


def test_unlike_shapes_are_refused():
    with pytest.raises(DataError, match="one shape"):
        spectrum(torch.rand(1, 1, 8, 8), torch.rand(1, 1, 8, 9))


def test_relative_error_of_a_wave_that_is_halved_is_minus_six_decibels_at_its_frequency_alone():
    columns = torch.arange(64, dtype=torch.float64)
    wave = 0.5 + 0.2 * torch.cos(2 * torch.pi * columns * 8 / 64).expand(1, 1, 64, 64)
    found = dict(relative_error(spectrum(wave, 0.5 + (wave - 0.5) / 2)))
    assert list(found) == pytest.approx([0.125])
    assert list(found.values()) == pytest.approx([10 * np.log10(0.25)], abs=1e-6)
