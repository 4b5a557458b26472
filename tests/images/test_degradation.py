"""Low-resolution images against Pillow, NumPy and SciPy used directly."""

import json

import numpy as np
import PIL
import pytest
import scipy.fft
import scipy.ndimage
import scipy.stats
import torch
from PIL import Image

from vaescreen.errors import DataError
from vaescreen.images.degradation import KERNELS, SCALES, Degradation
from vaescreen.images.noise import Noise, noise_of

LOW_HIGH = (slice(1, 4), slice(5, 8))
"""Rows or columns of a transform of 16, without frequency zero: low frequencies and high ones."""
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


class TestTorch:
    """PyTorch's bicubic interpolation, as published code has it."""

    @pytest.mark.parametrize("antialias", [True, False])
    @pytest.mark.parametrize("scale", SCALES)
    def test_is_interpolate(self, scale: int, antialias: bool) -> None:
        lr = Degradation("bicubic", scale, "torch", antialias).apply(IMAGES)
        direct = torch.nn.functional.interpolate(
            IMAGES, (48 // scale, 64 // scale), mode="bicubic", antialias=antialias
        )
        assert torch.equal(lr, direct.clamp(0, 1))

    def test_without_antialias_reads_four_pixels_a_side_by_keys_cubic(self) -> None:
        """Centres lie half way between two pixels: weights of the cubic at 0.5 and 1.5 with a = -0.75."""
        weights = np.array([-0.09375, 0.59375, 0.59375, -0.09375])
        image = IMAGES[0, 0].double().numpy()
        lr = Degradation("bicubic", 4, "torch", antialias=False).apply(IMAGES[:1].double())[0, 0].numpy()
        for row, column in [(0, 0), (5, 3), (11, 15)]:
            window = image[4 * row : 4 * row + 4, 4 * column : 4 * column + 4]
            assert lr[row, column] == pytest.approx(np.clip(weights @ window @ weights, 0, 1), abs=1e-12)

    def test_with_antialias_is_pillows_up_to_rounding(self) -> None:
        both = [Degradation("bicubic", 4, library).apply(IMAGES) for library in ("torch", "Pillow")]
        torch.testing.assert_close(*both, atol=2e-6, rtol=0)

    def test_has_bicubic_alone_and_pillow_always_antialiases(self) -> None:
        with pytest.raises(DataError, match="bicubic alone, not for lanczos"):
            Degradation("lanczos", 4, "torch")
        with pytest.raises(DataError, match="always antialiased"):
            Degradation("bicubic", 4, antialias=False)
        with pytest.raises(DataError, match="unknown library 'opencv'"):
            Degradation("bicubic", 4, "opencv")


def flat(level: float, images: int = 4, side: int = 256) -> torch.Tensor:
    return torch.full((images, 1, side, side), level)


IDS = ("a", "b", "c", "d")


class TestNoise:
    """Moments against closed forms; 16,384 LR pixels, tolerances of four standard errors and more."""

    def test_gaussian_has_its_sd_and_no_mean(self) -> None:
        lr = Degradation("area", 4, noise=Noise("gaussian", 0.05)).apply(flat(0.5), IDS)
        assert lr.mean().item() == pytest.approx(0.5, abs=2e-3)
        assert lr.std().item() == pytest.approx(0.05, rel=0.03)

    @pytest.mark.parametrize("kernel", ["kspace", "area"])
    @pytest.mark.parametrize("level", [0.0, 0.02, 0.05, 0.3])
    def test_rician_has_the_moments_of_the_rice_distribution(self, kernel: str, level: float) -> None:
        """SciPy's `rice`; at level 0 its mean is Rayleigh's, sd * sqrt(pi / 2)."""
        sd = 0.04
        lr = Degradation(kernel, 4, noise=Noise("rician", sd)).apply(flat(level), IDS).double()
        expected = scipy.stats.rice(level / sd, scale=sd)
        assert lr.mean().item() == pytest.approx(expected.mean(), abs=4 * sd / 128)
        assert lr.std().item() == pytest.approx(expected.std(), rel=0.03)
        assert lr.square().mean().item() == pytest.approx(level**2 + 2 * sd**2, rel=0.03)
        if level == 0:
            assert lr.mean().item() == pytest.approx(sd * np.sqrt(np.pi / 2), rel=0.02)

    def test_rician_noise_is_white_noise_of_the_kept_kspace(self) -> None:
        """Every sample of the LR k-space has the same power, that of `N sd^2` in each part."""
        sd = 0.01
        ids = tuple(map(str, range(64)))
        lr = Degradation("kspace", 4, noise=Noise("rician", sd)).apply(flat(0.5, 64, 64), ids).double()
        power = torch.fft.fft2(lr - lr.mean()).abs().square().mean(dim=(0, 1)) / lr[0].numel()
        assert power.mean().item() == pytest.approx(sd**2, rel=0.05)
        quarters = [power[rows, columns].mean() for rows in LOW_HIGH for columns in LOW_HIGH]
        assert min(quarters) > 0.9 * max(quarters)

    @pytest.mark.parametrize("noise", [Noise("gaussian"), Noise("rician")])
    def test_follows_from_the_id_not_from_batch_or_order(self, noise: Noise) -> None:
        degradation = Degradation("kspace", 4, noise=noise)
        images = IMAGES.clone()
        together = degradation.apply(images, ("a", "b", "c"))
        turned = degradation.apply(images.flip(0), ("c", "b", "a")).flip(0)
        alone = torch.cat([degradation.apply(images[n : n + 1], (name,)) for n, name in enumerate("abc")])
        torch.testing.assert_close(together, turned, atol=1e-6, rtol=0)
        torch.testing.assert_close(together, alone, atol=1e-6, rtol=0)

    def test_differs_by_id_by_seed_and_from_other_noise_of_the_image(self) -> None:
        def noise(image_id: str, seed: int) -> torch.Tensor:
            degradation = Degradation("area", 4, noise=Noise("gaussian", 0.05, seed))
            return (degradation.apply(flat(0.5, 1), (image_id,)) - 0.5).flatten()

        own = noise("a", 0)
        diffusion = noise_of(("a",), torch.zeros(1, 1, 64, 64), 0).flatten()
        for other in (noise("b", 0), noise("a", 1), diffusion):
            assert abs(torch.corrcoef(torch.stack([own, other]))[0, 1].item()) < 0.07

    def test_needs_an_id_for_each_image(self) -> None:
        degradation = Degradation("area", 4, noise=Noise("gaussian"))
        for ids in (None, ("a",)):
            with pytest.raises(DataError, match="give one for each of 3 images"):
                degradation.apply(IMAGES, ids)

    def test_that_makes_no_sense_is_refused(self) -> None:
        for sd in (0, -0.1, 1.5, float("nan")):
            with pytest.raises(DataError, match="fraction of full scale"):
                Noise("gaussian", sd)
        with pytest.raises(DataError, match="unknown noise 'poisson'"):
            Noise("poisson")
        with pytest.raises(DataError, match="seed of -1"):
            Noise("rician", 0.1, -1)


KNOWN = [
    *(Degradation(kernel, scale) for kernel in KERNELS for scale in SCALES),
    Degradation("bicubic", 4, "torch"),
    Degradation("bicubic", 2, "torch", antialias=False),
    Degradation("kspace", 4, noise=Noise("rician", 0.02)),
    Degradation("bicubic", 8, "torch", False, Noise("gaussian", 0.00005, 7)),
]


@pytest.mark.parametrize("degradation", KNOWN, ids=str)
def test_the_description_makes_the_same_again(degradation: Degradation) -> None:
    written = json.loads(json.dumps(degradation.description()))
    assert Degradation.from_description(written) == degradation
    assert Degradation.from_description(written | {"version": "0.1", "upsample": "by hand"}) == degradation


def test_descriptions_tell_every_degradation_from_the_others() -> None:
    assert len({json.dumps(degradation.description()) for degradation in KNOWN}) == len(KNOWN)
    assert len({degradation.name for degradation in KNOWN}) == len(KNOWN)


def test_the_description_of_a_plain_filter_is_that_of_published_results() -> None:
    assert json.dumps(Degradation("lanczos", 4).description()) == json.dumps(
        {
            "kernel": "lanczos",
            "scale": 4,
            "library": "Pillow",
            "version": PIL.__version__,
            "antialias": True,
            "upsample": f"Pillow {PIL.__version__} bicubic",
        }
    )
    assert json.dumps(Degradation("kspace", 2).description()) == json.dumps(
        {
            "kernel": "kspace",
            "scale": 2,
            "library": "torch.fft",
            "version": torch.__version__,
            "antialias": True,
            "magnitude": True,
            "upsample": f"Pillow {PIL.__version__} bicubic",
        }
    )


def test_a_description_that_is_none_is_refused() -> None:
    assert Degradation.from_description({"kernel": "area", "scale": 2}) == Degradation("area", 2)
    for wrong in ({"scale": 4}, {"kernel": "area", "scale": 2, "noise": {"sd": 0.1}}):
        with pytest.raises(DataError, match="does not describe a degradation"):
            Degradation.from_description(wrong)
