"""A file is read at its full depth, or refused with a reason."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vaescreen.errors import DataError
from vaescreen.images.files import read_frame
from vaescreen.registry.reading import Reading

RAMP_8 = np.arange(256, dtype=np.uint8).reshape(16, 16)
RAMP_16 = np.arange(65536, dtype=np.uint16).reshape(256, 256)
COLOUR = np.random.default_rng(0).integers(0, 256, (24, 16, 3), np.uint8)
WHITE_IS_ZERO = {262: 0}


def read_image(path: Path, *, keep_labels: bool = False) -> np.ndarray:
    return read_frame(path, "", Reading(keep_labels=keep_labels))


def save(path: Path, pixels: np.ndarray, **options: object) -> Path:
    Image.fromarray(pixels).save(path, **options)
    return path


def write_png(path: Path, pixels: np.ndarray, bits: int, colour_type: int) -> Path:
    """A PNG by hand, for the kinds that Pillow does not write."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], bits, colour_type, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2" if bits == 16 else np.uint8).tobytes() for row in pixels)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    return path


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.tif"])
def test_8_bit_gray_is_divided_by_255(tmp_path: Path, name: str) -> None:
    pixels = read_image(save(tmp_path / name, RAMP_8))
    assert pixels.dtype == np.float32
    np.testing.assert_array_equal(pixels, RAMP_8.astype(np.float32) / np.float32(255))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.png", {}),
        ("a.tif", {}),
        ("deflated.tif", {"compression": "tiff_adobe_deflate"}),
    ],
)
def test_16_bit_gray_keeps_all_its_levels(tmp_path: Path, name: str, options: dict[str, str]) -> None:
    pixels = read_image(save(tmp_path / name, RAMP_16, **options))
    assert len(np.unique(pixels)) == 65536
    np.testing.assert_array_equal(pixels, (RAMP_16 / 65535).astype(np.float32))


def test_big_endian_16_bit_tiff(tmp_path: Path) -> None:
    Image.frombytes("I;16B", (256, 256), RAMP_16.astype(">u2").tobytes()).save(tmp_path / "a.tif")
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), (RAMP_16 / 65535).astype(np.float32))


def test_32_bit_integers_within_16_bits_are_read_as_16_bits(tmp_path: Path) -> None:
    path = save(tmp_path / "a.tif", RAMP_16.astype(np.int32))
    np.testing.assert_array_equal(read_image(path), (RAMP_16 / 65535).astype(np.float32))


def test_a_16_bit_tiff_in_which_white_is_zero_is_inverted(tmp_path: Path) -> None:
    plain = read_image(save(tmp_path / "plain.tif", RAMP_16))
    inverted = read_image(save(tmp_path / "inverted.tif", RAMP_16, tiffinfo=WHITE_IS_ZERO))
    np.testing.assert_allclose(inverted, 1 - plain, atol=1e-7)


def test_float_tiff_in_the_unit_interval_is_taken_as_it_is(tmp_path: Path) -> None:
    values = np.random.default_rng(0).random((16, 16), np.float32)
    np.testing.assert_array_equal(read_image(save(tmp_path / "a.tif", values)), values)


@pytest.mark.parametrize(("name", "options"), [("a.jpg", {"quality": 90}), ("a.webp", {"quality": 80})])
def test_lossy_formats_give_what_pillow_decodes(tmp_path: Path, name: str, options: dict[str, int]) -> None:
    smooth = np.add.outer(np.arange(32), 3 * np.arange(32)).astype(np.uint8)
    path = save(tmp_path / name, np.stack([smooth, smooth.T, smooth], axis=-1), **options)
    with Image.open(path) as image:
        decoded = np.asarray(image, np.float64)
    np.testing.assert_allclose(read_image(path), decoded @ [0.299, 0.587, 0.114] / 255, atol=1e-7)


def test_colour_becomes_gray_without_rounding_to_8_bits(tmp_path: Path) -> None:
    pixels = read_image(save(tmp_path / "a.png", COLOUR))
    np.testing.assert_allclose(pixels, COLOUR.astype(np.float64) @ [0.299, 0.587, 0.114] / 255, atol=1e-7)
    rounded = np.asarray(Image.fromarray(COLOUR).convert("L"), np.float64) / 255
    assert 0 < np.abs(pixels - rounded).max() < 1 / 255


def test_gray_saved_as_colour_is_the_same_gray(tmp_path: Path) -> None:
    gray = read_image(save(tmp_path / "gray.png", RAMP_8))
    colour = read_image(save(tmp_path / "colour.png", np.stack([RAMP_8] * 3, axis=-1)))
    np.testing.assert_array_equal(gray, colour)


def test_alpha_is_dropped(tmp_path: Path) -> None:
    alpha = np.random.default_rng(1).integers(0, 256, (24, 16, 1), np.uint8)
    plain = read_image(save(tmp_path / "rgb.png", COLOUR))
    np.testing.assert_array_equal(
        read_image(save(tmp_path / "rgba.png", np.concatenate([COLOUR, alpha], axis=-1))), plain
    )
    gray_alpha = np.stack([RAMP_8, RAMP_8.T], axis=-1)
    np.testing.assert_array_equal(
        read_image(write_png(tmp_path / "la.png", gray_alpha, bits=8, colour_type=4)),
        read_image(save(tmp_path / "l.png", RAMP_8)),
    )


def test_palette_bilevel_and_cmyk(tmp_path: Path) -> None:
    palette = Image.fromarray(COLOUR).quantize(8)
    palette.save(tmp_path / "p.png")
    expected = np.asarray(palette.convert("RGB"), np.float64) @ [0.299, 0.587, 0.114] / 255
    np.testing.assert_allclose(read_image(tmp_path / "p.png", keep_labels=True), expected, atol=1e-7)

    checks = np.indices((16, 16)).sum(axis=0) % 2 == 0
    np.testing.assert_array_equal(
        read_image(save(tmp_path / "1.png", checks), keep_labels=True), checks.astype(np.float32)
    )

    cmyk = Image.fromarray(COLOUR).convert("CMYK")
    cmyk.save(tmp_path / "cmyk.tif")
    expected = np.asarray(cmyk.convert("RGB"), np.float64) @ [0.299, 0.587, 0.114] / 255
    np.testing.assert_allclose(read_image(tmp_path / "cmyk.tif"), expected, atol=1e-7)


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "webp", "bmp"])
def test_a_truncated_file_is_refused(tmp_path: Path, suffix: str) -> None:
    whole = save(tmp_path / f"whole.{suffix}", np.kron(COLOUR, np.ones((4, 4, 1), np.uint8)))
    cut = tmp_path / f"cut.{suffix}"
    cut.write_bytes(whole.read_bytes()[: int(0.6 * whole.stat().st_size)])
    with pytest.raises(DataError, match="cannot be decoded"):
        read_image(cut)


def test_files_that_are_no_images_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    with pytest.raises(DataError, match="the file is empty"):
        read_image(tmp_path / "empty.png")
    (tmp_path / "text.png").write_text("hello\n")
    with pytest.raises(DataError, match="not an image in one of the formats PNG, JPEG, TIFF, WEBP, BMP"):
        read_image(tmp_path / "text.png")
    with pytest.raises(DataError, match="no such file"):
        read_image(tmp_path / "absent.png")


def test_several_frames_are_refused(tmp_path: Path) -> None:
    pages = [Image.fromarray(RAMP_8), Image.fromarray(RAMP_8.T.copy())]
    for name in ("a.webp", "a.png"):
        pages[0].save(tmp_path / name, save_all=True, append_images=pages[1:])
        with pytest.raises(DataError, match="several frames"):
            read_image(tmp_path / name)


@pytest.mark.parametrize(("channels", "colour_type"), [(3, 2), (2, 4), (4, 6)])
def test_16_bit_colour_is_refused_instead_of_cut_to_8_bits(
    tmp_path: Path, channels: int, colour_type: int
) -> None:
    pixels = np.repeat(RAMP_16[..., None], channels, axis=-1)
    with pytest.raises(DataError, match="16 bits a channel"):
        read_image(write_png(tmp_path / "a.png", pixels, bits=16, colour_type=colour_type))


@pytest.mark.parametrize(
    ("pixels", "reason"),
    [
        (np.full((16, 16), 7, np.uint8), "same value"),
        (np.linspace(0, 2, 256, dtype=np.float32).reshape(16, 16), "values from 0 to 2"),
        (np.linspace(-1, 1, 256, dtype=np.float32).reshape(16, 16), "values from -1 to 1"),
        (np.full((16, 16), np.nan, np.float32), "no value that is finite"),
        (RAMP_8.astype(np.int32) - 1, "integers from -1 to 254"),
        (RAMP_8.astype(np.int32) * 1000, "integers from 0 to 255000"),
        (RAMP_8[:4], "16x4 pixels"),
    ],
)
def test_pixels_that_cannot_be_used_are_refused(tmp_path: Path, pixels: np.ndarray, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        read_image(save(tmp_path / "a.tif", pixels))


@pytest.mark.parametrize("side", [11_000, 20_000])
def test_a_decompression_bomb_is_refused_before_it_is_decoded(tmp_path: Path, side: int) -> None:
    Image.new("1", (side, side)).save(tmp_path / "bomb.png")
    with pytest.raises(DataError, match="larger than"):
        read_image(tmp_path / "bomb.png")


def test_reasons_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 64)
    with pytest.raises(DataError) as caught:
        read_image(tmp_path / "a.png")
    assert "\n" not in str(caught.value)
