"""Images come to size by a central crop and an antialiased resize, in floating point."""

import numpy as np
import pytest
from PIL import Image

from vaescreen.errors import DataError
from vaescreen.images.framing import frame, framing_description
from vaescreen.registry.reading import check_size

PIXELS = np.random.default_rng(0).random((50, 70), np.float32)


def test_the_central_square_is_resized_by_pillows_lanczos_on_floats() -> None:
    square = Image.fromarray(PIXELS[:, 10:60].copy())
    expected = np.clip(np.asarray(square.resize((24, 24), Image.Resampling.LANCZOS)), 0, 1)
    framed = frame(PIXELS, 24)
    assert framed.dtype == np.float32
    np.testing.assert_array_equal(framed, expected)


def test_an_image_of_the_right_size_is_not_touched() -> None:
    np.testing.assert_array_equal(frame(PIXELS[:48, :48], 48), PIXELS[:48, :48])


def test_the_resize_is_antialiased() -> None:
    stripes = np.tile(np.array([0, 1], np.float32), (64, 32))
    assert np.abs(frame(stripes, 16)[:, 2:-2] - 0.5).max() < 0.01


def test_overshoot_is_clipped() -> None:
    step = np.zeros((32, 32), np.float32)
    step[:, 16:] = 1
    enlarged = frame(step, 96)
    assert enlarged.min() == 0
    assert enlarged.max() == 1


@pytest.mark.parametrize("shape", [(50, 70), (17, 69), (16, 16), (49, 16)])
def test_native_size_leaves_every_pixel_where_it_is(shape: tuple[int, int]) -> None:
    pixels = PIXELS[: shape[0], : shape[1]]
    np.testing.assert_array_equal(frame(pixels, None), pixels)


@pytest.mark.parametrize("shape", [(15, 70), (50, 9)])
def test_native_images_that_hold_no_window_of_ssim_once_they_are_cut_are_refused(
    shape: tuple[int, int],
) -> None:
    with pytest.raises(DataError, match=rf"{shape[1]}x{shape[0]} pixels; at native size at least 16x16"):
        frame(PIXELS[: shape[0], : shape[1]], None)
    assert frame(PIXELS[: shape[0], : shape[1]], 24).shape == (24, 24)


@pytest.mark.parametrize("size", [0, -8, 100, 255])
def test_sizes_that_8_does_not_divide_are_refused(size: int) -> None:
    with pytest.raises(DataError, match="multiple of 8"):
        check_size(size)


def test_the_description_names_kernel_and_library() -> None:
    resize = framing_description(256)["resize"]
    assert (resize["kernel"], resize["library"], resize["antialias"]) == ("lanczos", "Pillow", True)
    assert framing_description(None)["resize"] is None
