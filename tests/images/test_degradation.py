"""Low-resolution images against Pillow, NumPy and SciPy used directly."""

import numpy as np
import pytest
import scipy.fft
import scipy.ndimage
import torch
from PIL import Image

from vaescreen.errors import DataError
from vaescreen.images.degradation import KERNELS, SCALES, Degradation

IMAGES = torch.from_numpy(np.random.default_rng(0).random((3, 1, 48, 64), np.float32))


def smooth(height: int, width: int, row_frequency: int, column_frequency: int, offset: float) -> np.ndarray:
    """A wave sampled at pixel centres of a grid `height` x `width` over the unit square."""
    rows, columns = (np.arange(height) + 0.5) / height, (np.arange(width) + 0.5) / width
    phase = 2 * np.pi * (row_frequency * rows[:, None] + column_frequency * columns)
    return 0.5 + 0.3 * np.cos(phase + offset)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize(
    ("kernel", "pillow"), [("lanczos", "LANCZOS"), ("bicubic", "BICUBIC"), ("area", "BOX")]
)
def test_filters_are_pillows_on_float_pixels(kernel: str, pillow: str, scale: int) -> None:
    lr = Degradation(kernel, scale).apply(IMAGES)
    for image, result in zip(IMAGES[:, 0].numpy(), lr[:, 0].numpy(), strict=True):
        direct = Image.fromarray(image).resize((64 // scale, 48 // scale), Image.Resampling[pillow])
        np.testing.assert_array_equal(result, np.clip(np.asarray(direct), 0, 1))


@pytest.mark.parametrize("scale", SCALES)
def test_area_is_the_mean_of_each_block(scale: int) -> None:
    lr = Degradation("area", scale).apply(IMAGES)
    torch.testing.assert_close(lr, torch.nn.functional.avg_pool2d(IMAGES, scale), atol=1e-6, rtol=0)


@pytest.mark.parametrize("scale", SCALES)
def test_kspace_is_a_cut_fourier_transform(scale: int) -> None:
    """The same by SciPy: move the samples by `fourier_shift`, keep the centre, transform back."""
    lr = Degradation("kspace", scale).apply(IMAGES.double())
    height, width = 48 // scale, 64 // scale
    for image, result in zip(IMAGES[:, 0].double().numpy(), lr[:, 0].numpy(), strict=True):
        moved = scipy.ndimage.fourier_shift(scipy.fft.fft2(image), -(scale - 1) / 2)
        centred = scipy.fft.fftshift(moved)
        top, left = 24 - height // 2, 32 - width // 2
        kept = centred[top : top + height, left : left + width]
        expected = np.abs(scipy.fft.ifft2(scipy.fft.ifftshift(kept))) / scale**2
        np.testing.assert_allclose(result, np.clip(expected, 0, 1), atol=1e-12)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("frequencies", [(0, 1), (2, 0), (1, -2), (2, 3)])
def test_kspace_of_a_band_limited_image_is_exact(scale: int, frequencies: tuple[int, int]) -> None:
    """What the low-resolution grid can represent is sampled at its pixel centres, without loss."""
    hr = torch.from_numpy(smooth(48, 64, *frequencies, offset=0.7))[None, None]
    lr = Degradation("kspace", scale).apply(hr)
    np.testing.assert_allclose(
        lr[0, 0], smooth(48 // scale, 64 // scale, *frequencies, offset=0.7), atol=1e-12
    )


@pytest.mark.parametrize("kernel", KERNELS)
def test_smooth_images_keep_their_mean_and_place(kernel: str) -> None:
    hr = torch.from_numpy(smooth(64, 64, 1, 1, offset=0.3))[None, None]
    lr = Degradation(kernel, 4).apply(hr)
    assert lr.mean().item() == pytest.approx(hr.mean().item(), abs=2e-3)
    np.testing.assert_allclose(lr[0, 0, 2:-2, 2:-2], smooth(16, 16, 1, 1, offset=0.3)[2:-2, 2:-2], atol=0.02)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_dtype_is_kept_and_values_stay_in_range(kernel: str, dtype: torch.dtype) -> None:
    lr = Degradation(kernel, 2).apply((IMAGES > 0.5).to(dtype))
    assert lr.dtype == dtype
    assert lr.shape == (3, 1, 24, 32)
    assert 0 <= lr.min() <= lr.max() <= 1


@pytest.mark.parametrize("kernel", KERNELS)
def test_an_image_does_not_depend_on_its_batch(kernel: str) -> None:
    degradation = Degradation(kernel, 4)
    torch.testing.assert_close(
        degradation.apply(IMAGES)[1:2], degradation.apply(IMAGES[1:2]), atol=1e-6, rtol=0
    )


def test_upsampling_is_pillows_bicubic() -> None:
    up = Degradation("lanczos", 2).upsample(IMAGES, (96, 128))
    direct = Image.fromarray(IMAGES[0, 0].numpy()).resize((128, 96), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(up[0, 0].numpy(), np.clip(np.asarray(direct), 0, 1))


def test_what_cannot_be_done_is_refused() -> None:
    with pytest.raises(DataError, match="48x60 pixels cannot be reduced"):
        Degradation("area", 8).apply(IMAGES[..., :60])
    with pytest.raises(DataError, match="unknown degradation 'nearest'"):
        Degradation("nearest", 2)
    with pytest.raises(DataError, match="scale 3"):
        Degradation("area", 3)


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_description_says_enough_to_repeat_it(kernel: str) -> None:
    description = Degradation(kernel, 4).description()
    assert description["kernel"] == kernel
    assert description["scale"] == 4
    assert description["antialias"] is True
    assert {"library", "version", "upsample"} <= set(description)
