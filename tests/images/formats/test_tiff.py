"""TIFF is what tifffile reads, whatever its tags: bits, planes, sample format, byte order, compression, pages."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from vaescreen.errors import DataError
from vaescreen.images.files import frames_of, read_frame
from vaescreen.registry.reading import AS_FILES_SAY, Reading, Window

RNG = np.random.default_rng(0)
GRAY_8 = RNG.integers(0, 256, (24, 20), np.uint8)
GRAY_16 = RNG.integers(0, 65536, (24, 20), np.uint16)
COLOUR = RNG.integers(0, 256, (24, 20, 3), np.uint8)
UNIT = RNG.random((24, 20), np.float32)
LUMA = np.array([0.299, 0.587, 0.114])

FORMS: dict[str, tuple[np.ndarray, dict[str, Any], np.ndarray]] = {
    "gray in LZW": (GRAY_8, {"compression": "lzw"}, GRAY_8 / 255),
    "16 bits, big-endian": (GRAY_16, {"byteorder": ">"}, GRAY_16 / 65535),
    "16 bits, deflated with predictor": (
        GRAY_16,
        {"compression": "zlib", "predictor": True},
        GRAY_16 / 65535,
    ),
    "white is zero": (GRAY_8, {"photometric": "miniswhite"}, 1 - GRAY_8 / 255),
    "planes apart": (
        np.moveaxis(COLOUR, -1, 0),
        {"planarconfig": "separate", "photometric": "rgb"},
        COLOUR @ LUMA / 255,
    ),
    "colour of 16 bits": (COLOUR.astype(np.uint16) * 257, {"photometric": "rgb"}, COLOUR @ LUMA / 255),
    "floating point of 16 bits": (UNIT.astype(np.float16), {}, UNIT.astype(np.float16).astype(np.float64)),
    "floating point, big-endian": (UNIT, {"byteorder": ">"}, UNIT),
    "BigTIFF": (GRAY_8, {"bigtiff": True}, GRAY_8 / 255),
    "tiles": (GRAY_8, {"tile": (16, 16)}, GRAY_8 / 255),
    "JPEG 2000": (GRAY_16, {"compression": "jpeg2000"}, GRAY_16 / 65535),
}


@pytest.mark.parametrize("form", FORMS)
def test_an_image_is_what_was_written(tmp_path: Path, form: str) -> None:
    pixels, options, expected = FORMS[form]
    options = dict(options)
    opening = {key: options.pop(key) for key in ("byteorder", "bigtiff") if key in options}
    with tifffile.TiffWriter(tmp_path / "a.tif", **opening) as file:
        file.write(pixels, **options)
    assert [frame.key for frame in frames_of(tmp_path / "a.tif", AS_FILES_SAY)] == [""]
    np.testing.assert_allclose(read_frame(tmp_path / "a.tif", "", AS_FILES_SAY), expected, atol=1e-6)


@pytest.mark.parametrize("kind", [{"imagej": True}, {"ome": True, "metadata": {"axes": "ZYX"}}, {}])
def test_pages_are_slices_of_one_volume(tmp_path: Path, kind: dict[str, Any]) -> None:
    stack = RNG.integers(0, 65536, (5, 24, 20)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", stack, photometric="minisblack", **kind)
    frames = frames_of(tmp_path / "a.tif", AS_FILES_SAY)
    assert [(frame.key, frame.patient) for frame in frames] == [(str(number), None) for number in range(5)]
    for number, page in enumerate(tifffile.imread(tmp_path / "a.tif")):
        np.testing.assert_allclose(
            read_frame(tmp_path / "a.tif", str(number), AS_FILES_SAY), page / 65535, atol=1e-6
        )


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_hounsfield_units_need_a_window_in_them(tmp_path: Path, dtype: type) -> None:
    pixels = RNG.integers(-1000, 2000, (24, 20)).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", pixels)
    with pytest.raises(DataError, match="give --window auto or LOW,HIGH"):
        read_frame(tmp_path / "a.tif", "", AS_FILES_SAY)
    gray = read_frame(tmp_path / "a.tif", "", Reading(window=Window.parse("-160,240")))
    np.testing.assert_allclose(gray, ((pixels.astype(float) + 160) / 400).clip(0, 1), atol=1e-6)


def test_values_that_are_not_finite_are_no_data(tmp_path: Path) -> None:
    pixels = UNIT.copy()
    pixels[3, 4], pixels[5, 6] = np.nan, np.inf
    tifffile.imwrite(tmp_path / "a.tif", pixels)
    gray = read_frame(tmp_path / "a.tif", "", AS_FILES_SAY)
    np.testing.assert_array_equal(np.isnan(gray), ~np.isfinite(pixels))


def test_a_pyramid_of_tiles_is_named_as_a_whole_slide_image(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(np.kron(COLOUR, np.ones((8, 8, 1), np.uint8)), tile=(64, 64), photometric="rgb", subifds=1)
        file.write(COLOUR, tile=(64, 64), photometric="rgb", subfiletype=1)
    with pytest.raises(DataError, match="whole-slide image"):
        frames_of(tmp_path / "a.tif", AS_FILES_SAY)
