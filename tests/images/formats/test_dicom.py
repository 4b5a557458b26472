"""DICOM images are what pydicom gives, at full depth, inverted once, windowed as the file or the user says."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dicom_files import by_pydicom, lut, make_dicom, save, save_codestreams, write_dicom
from PIL import Image
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.encaps import get_frame
from pydicom.pixels import apply_color_lut
from pydicom.uid import (
    JPEG2000,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from vaescreen.images.files import frames_of, read_frame
from vaescreen.registry.reading import Reading, Window

RNG = np.random.default_rng(0)
RAMP_12 = np.arange(4096, dtype=np.uint16).reshape(64, 64)
NOISE_12 = RNG.integers(0, 4096, (40, 48), np.uint16)
SMOOTH_8 = np.add.outer(np.arange(48), 3 * np.arange(64)).astype(np.uint8)
CT = {"Modality": "CT", "RescaleSlope": 1, "RescaleIntercept": -1024}
LOSSLESS = [
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
    RLELossless,
    JPEGLSLossless,
    JPEG2000Lossless,
]
LUMA = np.array([0.299, 0.587, 0.114])


def gray(path: Path, key: str = "", window: str = "file") -> np.ndarray:
    return read_frame(path, key, Reading(window=Window.parse(window)))


def keys(path: Path, **choices: Any) -> list[str]:
    return [frame.key for frame in frames_of(path, Reading(**choices))]


def by_name(syntax: Any) -> str:
    return syntax.name if hasattr(syntax, "name") else str(syntax)


class TestTransferSyntaxes:
    @pytest.mark.parametrize("syntax", LOSSLESS, ids=by_name)
    @pytest.mark.parametrize(
        ("dtype", "stored"),
        [(np.uint8, 8), (np.uint16, 10), (np.uint16, 12), (np.uint16, 16), (np.int16, 12), (np.int16, 16)],
    )
    def test_a_lossless_one_gives_the_stored_values(
        self, tmp_path: Path, syntax: Any, dtype: type, stored: int
    ) -> None:
        low = -(2 ** (stored - 1)) if np.dtype(dtype).kind == "i" else 0
        pixels = RNG.integers(low, low + 2**stored, (40, 48)).astype(dtype)
        path = write_dicom(tmp_path / "a.dcm", pixels, syntax, BitsStored=stored)
        expected = (pixels.astype(np.float64) - low) / (2**stored - 1)
        np.testing.assert_array_equal(gray(path), expected.astype(np.float32))

    @pytest.mark.parametrize("syntax", [*LOSSLESS[:5], JPEGLSLossless, JPEG2000Lossless], ids=by_name)
    def test_colour_becomes_gray_by_luma(self, tmp_path: Path, syntax: Any) -> None:
        pixels = RNG.integers(0, 256, (40, 48, 3), np.uint8)
        path = write_dicom(tmp_path / "a.dcm", pixels, syntax, colour=True)
        np.testing.assert_allclose(gray(path), pixels @ LUMA / 255, atol=1e-6)

    def test_8_bit_jpeg_is_what_pillow_decodes(self, tmp_path: Path) -> None:
        path = write_dicom(tmp_path / "a.dcm", SMOOTH_8, JPEGBaseline8Bit)
        decoded = Image.open(io.BytesIO(get_frame(dcmread(path).PixelData, 0, number_of_frames=1)))
        assert not np.array_equal(decoded, SMOOTH_8)
        np.testing.assert_array_equal(gray(path), np.asarray(decoded) / np.float32(255))

    def test_8_bit_jpeg_in_colour_is_what_pillow_decodes(self, tmp_path: Path) -> None:
        colours = np.stack([SMOOTH_8, SMOOTH_8[::-1], SMOOTH_8 // 2], axis=-1)
        path = write_dicom(tmp_path / "a.dcm", colours, JPEGBaseline8Bit, colour=True)
        decoded = Image.open(io.BytesIO(get_frame(dcmread(path).PixelData, 0, number_of_frames=1)))
        np.testing.assert_allclose(gray(path), np.asarray(decoded) @ LUMA / 255, atol=1.5 / 255)

    @pytest.mark.parametrize(
        ("syntax", "options", "plugin"),
        [
            (JPEGLSNearLossless, {"jls_error": 3}, "pyjpegls"),
            (JPEG2000, {"j2k_cr": [10]}, "pylibjpeg"),
        ],
        ids=by_name,
    )
    def test_a_lossy_one_is_what_another_decoder_gives(
        self, tmp_path: Path, syntax: Any, options: dict[str, Any], plugin: str
    ) -> None:
        pixels = np.sort(NOISE_12, axis=1)
        path = write_dicom(tmp_path / "a.dcm", pixels, syntax, BitsStored=12, options=options)
        expected = by_pydicom(path, plugin=plugin)
        assert not np.array_equal(expected, pixels / 4095)
        np.testing.assert_allclose(gray(path), expected, atol=1e-7)

    @pytest.mark.parametrize("syntax", [JPEGLossless, JPEGLosslessSV1], ids=by_name)
    @pytest.mark.parametrize("bits", [8, 12, 16])
    def test_lossless_jpeg_gives_the_stored_values(self, tmp_path: Path, syntax: Any, bits: int) -> None:
        imagecodecs = pytest.importorskip("imagecodecs")
        pixels = RNG.integers(0, 2**bits, (40, 48)).astype(np.uint8 if bits == 8 else np.uint16)
        codestream = imagecodecs.jpeg8_encode(pixels, lossless=True, bitspersample=bits)
        made = make_dicom(pixels, BitsStored=bits)
        path = save_codestreams(tmp_path / "a.dcm", made, syntax, [codestream])
        np.testing.assert_array_equal(gray(path), (pixels / (2**bits - 1)).astype(np.float32))

    def test_12_bit_jpeg_is_within_its_loss(self, tmp_path: Path) -> None:
        imagecodecs = pytest.importorskip("imagecodecs")
        codestream = imagecodecs.jpeg8_encode(RAMP_12, level=95, bitspersample=12)
        made = make_dicom(RAMP_12, BitsStored=12)
        path = save_codestreams(tmp_path / "a.dcm", made, JPEGExtended12Bit, [codestream])
        np.testing.assert_allclose(gray(path), RAMP_12 / 4095, atol=4 / 4095)

    @pytest.mark.parametrize(
        "name",
        [
            "CT_small.dcm", "MR_small.dcm", "MR_small_RLE.dcm", "MR_small_jp2klossless.dcm",
            "MR_small_jpeg_ls_lossless.dcm", "MR_small_bigendian.dcm", "MR_small_implicit.dcm",
            "J2K_pixelrep_mismatch.dcm", "JPEGLSNearLossless_16.dcm", "693_J2KI.dcm",
        ],
    )  # fmt: skip
    def test_files_of_other_writers(self, name: str) -> None:
        path = Path(str(get_testdata_file(name)))
        read = dcmread(path)
        window = "file" if "WindowWidth" in read else "full"
        padding = read.get("PixelPaddingValue", np.nan)
        expected = np.where(read.pixel_array == padding, np.nan, by_pydicom(path))
        np.testing.assert_allclose(gray(path, window=window), expected, atol=1e-6)


class TestValues:
    def test_a_12_bit_ramp_keeps_its_4096_levels(self, tmp_path: Path) -> None:
        seen = gray(write_dicom(tmp_path / "a.dcm", RAMP_12, BitsStored=12))
        np.testing.assert_array_equal(seen, (RAMP_12 / 4095).astype(np.float32))
        assert len(np.unique(seen)) == 4096

    def test_monochrome1_is_inverted_once(self, tmp_path: Path) -> None:
        plain = gray(write_dicom(tmp_path / "a.dcm", RAMP_12, BitsStored=12))
        path = write_dicom(
            tmp_path / "b.dcm", RAMP_12, BitsStored=12, PhotometricInterpretation="MONOCHROME1",
            PresentationLUTShape="INVERSE",
        )  # fmt: skip
        np.testing.assert_array_equal(gray(path), 1 - plain)
        np.testing.assert_allclose(gray(path), by_pydicom(path), atol=1e-7)

    def test_rescale_is_applied_once(self, tmp_path: Path) -> None:
        """Stored 1000 measures 2 * 1000 - 500 = 1500 units, which the window 1000 to 2000 shows as half gray."""
        pixels = np.full((16, 16), 1000, np.uint16)
        pixels[0, 0], pixels[0, 1] = 0, 4095
        path = write_dicom(
            tmp_path / "a.dcm", pixels, BitsStored=12, RescaleSlope=2, RescaleIntercept=-500,
        )  # fmt: skip
        seen = gray(path, window="1000,2000")
        assert (seen[0, 0], seen[0, 1], seen[5, 5]) == (0, 1, 0.5)

    def test_bits_that_are_not_stored_do_not_count(self, tmp_path: Path) -> None:
        path = write_dicom(tmp_path / "a.dcm", RAMP_12 | np.uint16(0xA000), BitsStored=12)
        np.testing.assert_array_equal(gray(path), (RAMP_12 / 4095).astype(np.float32))

    @pytest.mark.parametrize("function", [None, "LINEAR", "LINEAR_EXACT", "SIGMOID"])
    @pytest.mark.parametrize("rescale", [{}, CT, {"RescaleSlope": -0.5, "RescaleIntercept": 300.25}], ids=len)
    @pytest.mark.parametrize("dtype", [np.uint16, np.int16])
    def test_the_files_window(
        self, tmp_path: Path, function: str | None, rescale: dict[str, Any], dtype: type
    ) -> None:
        said = {"VOILUTFunction": function} if function else {}
        pixels = (RAMP_12.astype(np.int32) - (2048 if dtype == np.int16 else 0)).astype(dtype)
        path = write_dicom(
            tmp_path / "a.dcm", pixels, BitsStored=12, WindowCenter=[100, 600], WindowWidth=[190, 1500],
            **said, **rescale,
        )  # fmt: skip
        expected = by_pydicom(path)
        assert expected.max() - expected.min() > 0.8
        np.testing.assert_allclose(gray(path), expected, atol=1e-6)

    def test_a_window_of_width_one_is_a_threshold(self, tmp_path: Path) -> None:
        path = write_dicom(tmp_path / "a.dcm", RAMP_12, BitsStored=12, WindowCenter=2000, WindowWidth=1)
        np.testing.assert_array_equal(gray(path), RAMP_12 >= 2000)

    def test_voi_lut_comes_before_the_window(self, tmp_path: Path) -> None:
        curve = np.rint(65535 * np.linspace(0, 1, 3000) ** 2)
        path = write_dicom(
            tmp_path / "a.dcm", RAMP_12, BitsStored=12, VOILUTSequence=[lut(curve, 500, 16)],
            WindowCenter=40, WindowWidth=400,
        )  # fmt: skip
        np.testing.assert_allclose(gray(path), by_pydicom(path), atol=1e-7)
        np.testing.assert_allclose(gray(path), curve[np.clip(RAMP_12 - 500.0, 0, 2999).astype(int)] / 65535)

    def test_a_voi_lut_of_many_8_bit_entries(self, tmp_path: Path) -> None:
        curve = np.arange(4096) // 16
        path = write_dicom(tmp_path / "a.dcm", RAMP_12, BitsStored=12, VOILUTSequence=[lut(curve, 0, 8)])
        np.testing.assert_allclose(gray(path), (RAMP_12 // 16) / 255, atol=1e-7)

    @pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian], ids=by_name)
    def test_modality_lut(self, tmp_path: Path, syntax: Any) -> None:
        curve = np.rint(65000 * np.sqrt(np.linspace(0, 1, 4096)))
        path = write_dicom(
            tmp_path / "a.dcm", RAMP_12, syntax, BitsStored=12, ModalityLUTSequence=[lut(curve, 0, 16)],
            WindowCenter=32000, WindowWidth=50000,
        )  # fmt: skip
        np.testing.assert_allclose(gray(path), by_pydicom(path), atol=1e-6)
        np.testing.assert_allclose(gray(path, window="full"), curve[RAMP_12] / 65535, atol=1e-6)

    @pytest.mark.parametrize("interpretation", ["YBR_FULL", "YBR_FULL_422"])
    def test_colour_by_brightness_and_difference(self, tmp_path: Path, interpretation: str) -> None:
        """Equal differences of 128 are gray: luma is then the first channel."""
        y = RNG.integers(0, 256, (16, 32), np.uint8)
        neutral = np.full_like(y, 128)
        if interpretation == "YBR_FULL":
            stored = np.stack([y, neutral, neutral], axis=-1)
        else:
            pairs = y.reshape(16, 16, 2)
            stored = np.concatenate([pairs, np.full_like(pairs, 128)], axis=-1)
        made = make_dicom(np.zeros((16, 32, 3), np.uint8), colour=True)
        made.PhotometricInterpretation, made.PixelData = interpretation, stored.tobytes()
        np.testing.assert_allclose(gray(save(tmp_path / "a.dcm", made)), y / 255, atol=1e-6)

    def test_colour_by_plane(self, tmp_path: Path) -> None:
        pixels = RNG.integers(0, 256, (16, 24, 3), np.uint8)
        made = make_dicom(pixels, colour=True, PlanarConfiguration=1)
        made.PixelData = pixels.transpose(2, 0, 1).tobytes()
        np.testing.assert_allclose(gray(save(tmp_path / "a.dcm", made)), pixels @ LUMA / 255, atol=1e-6)

    @pytest.mark.parametrize("bits", [8, 16])
    def test_palette(self, tmp_path: Path, bits: int) -> None:
        entries = RNG.integers(0, 2**bits, (3, 256))
        made = make_dicom(RNG.integers(0, 256, (16, 24), np.uint8), PhotometricInterpretation="PALETTE COLOR")
        for colour, table in zip(("Red", "Green", "Blue"), entries, strict=True):
            setattr(made, f"{colour}PaletteColorLookupTableDescriptor", [256, 0, bits])
            data = table.astype("u1" if bits == 8 else "<u2").tobytes()
            made.add_new(f"{colour}PaletteColorLookupTableData", "OW", data)
        path = save(tmp_path / "a.dcm", made)
        read = dcmread(path)
        expected = apply_color_lut(read.pixel_array, read) @ LUMA / (2**bits - 1)
        np.testing.assert_allclose(gray(path), expected, atol=1e-6)


class TestWindows:
    def test_without_one_ct_shows_all_that_its_bits_can_hold(self, tmp_path: Path) -> None:
        path = write_dicom(tmp_path / "a.dcm", NOISE_12, BitsStored=12, **CT)
        np.testing.assert_allclose(gray(path), NOISE_12 / 4095, atol=1e-7)

    def test_without_one_mr_is_clipped_at_percentiles(self, tmp_path: Path) -> None:
        path = write_dicom(tmp_path / "a.dcm", NOISE_12, BitsStored=12, Modality="MR")
        low, high = np.percentile(NOISE_12, [0.5, 99.5])
        np.testing.assert_allclose(gray(path), np.clip((NOISE_12 - low) / (high - low), 0, 1), atol=1e-6)

    def test_mr_shows_its_own_window(self, tmp_path: Path) -> None:
        path = write_dicom(
            tmp_path / "a.dcm", NOISE_12, BitsStored=12, Modality="MR", WindowCenter=900, WindowWidth=1000
        )
        np.testing.assert_allclose(gray(path), by_pydicom(path), atol=1e-6)

    def test_the_users_choice_comes_before_the_files(self, tmp_path: Path) -> None:
        path = write_dicom(
            tmp_path / "a.dcm", NOISE_12, BitsStored=12, WindowCenter=900, WindowWidth=1000, **CT
        )
        measured = NOISE_12.astype(float) - 1024
        np.testing.assert_allclose(gray(path, window="full"), (measured + 1024) / 4095, atol=1e-6)
        np.testing.assert_allclose(
            gray(path, window="-160,240"), np.clip((measured + 160) / 400, 0, 1), atol=1e-6
        )
        low, high = np.percentile(measured, [10, 80])
        np.testing.assert_allclose(
            gray(path, window="percentile 10,80"), np.clip((measured - low) / (high - low), 0, 1), atol=1e-6
        )

    def test_percentiles_are_those_of_the_whole_volume(self, tmp_path: Path) -> None:
        stack = (RNG.integers(0, 1000, (5, 16, 16)) * np.arange(1, 6)[:, None, None] // 2).astype(np.uint16)
        path = write_dicom(tmp_path / "a.dcm", stack, BitsStored=12, Modality="MR")
        low, high = np.percentile(stack, [0.5, 99.5])
        for place, frame in enumerate(stack):
            expected = np.clip((frame - low) / (high - low), 0, 1)
            np.testing.assert_allclose(gray(path, str(place + 1)), expected, atol=1e-6)
