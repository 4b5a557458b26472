"""Every file of a folder is read, or counted by reason; content decides what a file is, and few files say why."""

import gzip
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from dicom_files import make_dicom, write_dicom
from PIL import Image
from pydicom import dcmread
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from vaescreen.errors import DataError
from vaescreen.images import open_data
from vaescreen.images.files import frames_of, read_frame
from vaescreen.registry.reading import AS_FILES_SAY

PIXELS = np.random.default_rng(0).integers(0, 4096, (24, 20)).astype(np.uint16)


def without_preamble(path: Path, *, explicit: bool) -> Path:
    buffer = DicomBytesIO()
    buffer.is_implicit_VR, buffer.is_little_endian = not explicit, True
    made = make_dicom(PIXELS, BitsStored=12, PatientID="P")
    write_dataset(buffer, made)
    path.write_bytes(buffer.getvalue())
    return path


def packed(path: Path) -> Path:
    plain = write_dicom(path.with_suffix(".plain"), PIXELS, BitsStored=12)
    path.write_bytes(gzip.compress(plain.read_bytes()))
    plain.unlink()
    return path


MAKERS: dict[str, Callable[[Path], Path]] = {
    "implicit, without preamble": lambda folder: without_preamble(folder / "IM0001", explicit=False),
    "explicit, without preamble": lambda folder: without_preamble(folder / "a.dcm", explicit=True),
    "called PNG": lambda folder: write_dicom(folder / "a.png", PIXELS, BitsStored=12),
    "called by its UID": lambda folder: write_dicom(folder / "1.2.840.113619.2.55", PIXELS, BitsStored=12),
    "gzip": lambda folder: packed(folder / "a.dcm.gz"),
    "gzip without suffix": lambda folder: packed(folder / "a"),
}


@pytest.mark.parametrize("how", MAKERS)
def test_dicom_is_known_by_its_content(tmp_path: Path, how: str) -> None:
    path = MAKERS[how](tmp_path)
    assert len(frames_of(path, AS_FILES_SAY)) == 1
    np.testing.assert_array_equal(read_frame(path, "", AS_FILES_SAY), (PIXELS / 4095).astype(np.float32))


@pytest.mark.parametrize("name", ["a.dcm", "a.nii.gz", "a", "a.png"])
def test_png_is_known_by_its_content(tmp_path: Path, name: str) -> None:
    Image.fromarray(PIXELS).save(tmp_path / name, format="PNG")
    np.testing.assert_allclose(read_frame(tmp_path / name, "", AS_FILES_SAY), PIXELS / 65535, atol=1e-7)


def test_all_files_that_are_no_images_are_counted(write_images: Callable[..., Path]) -> None:
    folder = write_images("a.png", "b.png", "c.png", "sub/d.png")
    for name in ("notes.txt", "sub/list.xml", "README", ".DS_Store", "sub/._d.png"):
        (folder / name).write_text("text")
    data = open_data(folder, size=None)
    assert data.description["passed_over"] == {
        "hidden file": 2,
        "no image (.txt)": 1,
        "no image (.xml)": 1,
        "no image (no suffix)": 1,
    }
    assert {entry.path for entry in data.passed_over} >= {"notes.txt", "sub/._d.png", "README"}


@pytest.mark.parametrize("header", ["filename,patientid,studyid", "File;Modality", "a\tb"])
def test_a_foreign_manifest_is_not_ours(write_images: Callable[..., Path], header: str) -> None:
    folder = write_images("a.png", "b.png", "c.png")
    (folder / "manifest.csv").write_text(f"{header}\na.png,1,1\n")
    data = open_data(folder, size=None)
    assert any("manifest.csv is of another kind" in warning for warning in data.warnings)


@pytest.mark.parametrize("name", ["a.png", "a.nii", "a.npz"])
def test_the_reason_of_a_single_bad_file_comes_first(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"nothing of the kind")
    with pytest.raises(DataError) as caught:
        open_data(tmp_path, size=None)
    assert name in str(caught.value)
    assert "give at least" not in str(caught.value)


class TestEncodings:
    """Where a header's syntax and the data set disagree: what pydicom reads, or a refusal."""

    def patched(self, path: Path, old: bytes, new: bytes) -> Path:
        content = path.read_bytes()
        assert content.count(old) == 1
        path.write_bytes(content.replace(old, new))
        return path

    @pytest.mark.parametrize(
        ("written", "claimed"),
        [
            ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2"),
            ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1"),
        ],
    )
    def test_native_syntaxes_one_called_the_other(self, tmp_path: Path, written: str, claimed: str) -> None:
        path = write_dicom(tmp_path / "a.dcm", PIXELS, written, BitsStored=12)
        read = dcmread(path)
        read.file_meta.TransferSyntaxUID = claimed
        content = path.read_bytes()
        start = content.index(b"\x08\x00", 132 + 12)
        meta = io.BytesIO()
        with io.BytesIO() as buffer:
            read.save_as(buffer, implicit_vr=claimed.endswith("1.2"), little_endian=True)
            header = buffer.getvalue()
        meta.write(header[: 132 + 12 + int.from_bytes(header[140:144], "little")])
        body = content[132 + 12 + int.from_bytes(content[140:144], "little") :]
        assert start
        path.write_bytes(meta.getvalue() + body)
        assert (dcmread(path).pixel_array == PIXELS).all()
        np.testing.assert_array_equal(read_frame(path, "", AS_FILES_SAY), (PIXELS / 4095).astype(np.float32))

    def test_encapsulated_pixels_under_a_native_syntax_are_refused(self, tmp_path: Path) -> None:
        path = write_dicom(tmp_path / "a.dcm", PIXELS, "1.2.840.10008.1.2.5", BitsStored=12)
        self.patched(path, b"UI\x14\0" + b"1.2.840.10008.1.2.5\0", b"UI\x14\0" + b"1.2.840.10008.1.2.1\0")
        with pytest.raises(DataError, match="its pixels are encapsulated"):
            read_frame(path, "", AS_FILES_SAY)

    def test_native_pixels_under_a_compressed_syntax_are_refused(self, tmp_path: Path) -> None:
        path = write_dicom(tmp_path / "a.dcm", PIXELS, BitsStored=12)
        self.patched(path, b"UI\x14\0" + b"1.2.840.10008.1.2.1\0", b"UI\x14\0" + b"1.2.840.10008.1.2.5\0")
        with pytest.raises(DataError, match="its pixels are not encapsulated"):
            read_frame(path, "", AS_FILES_SAY)

    def test_another_byte_order_is_refused(self, tmp_path: Path) -> None:
        path = write_dicom(tmp_path / "a.dcm", PIXELS, BitsStored=12)
        self.patched(path, b"UI\x14\0" + b"1.2.840.10008.1.2.1\0", b"UI\x14\0" + b"1.2.840.10008.1.2.2\0")
        with pytest.raises(DataError, match="not in the byte order"):
            read_frame(path, "", AS_FILES_SAY)


class TestPadding:
    """PixelPaddingValue is no data: black, and no part of percentiles."""

    @pytest.mark.parametrize(
        "padding", [{"PixelPaddingValue": 0}, {"PixelPaddingValue": 0, "PixelPaddingRangeLimit": 99}]
    )
    def test_padded_pixels_are_no_data(self, tmp_path: Path, padding: dict[str, int]) -> None:
        last = padding.get("PixelPaddingRangeLimit", 0)
        pixels = PIXELS.copy()
        pixels[:5], pixels[5, :3] = 0, (50, 99, 100)
        path = write_dicom(tmp_path / "a.dcm", pixels, BitsStored=12, Modality="MR", **padding)
        gray = read_frame(path, "", AS_FILES_SAY)
        np.testing.assert_array_equal(np.isnan(gray), pixels <= last)
        low, high = np.percentile(pixels[pixels > last], [0.5, 99.5])
        expected = ((pixels.astype(float) - low) / (high - low)).clip(0, 1)
        np.testing.assert_allclose(gray[pixels > last], expected[pixels > last], atol=1e-6)

    def test_it_is_drawn_black_and_said_where_white_is_low(self, tmp_path: Path) -> None:
        for number in range(4):
            pixels = np.random.default_rng(number).integers(100, 4096, (24, 24)).astype(np.uint16)
            pixels[:6] = 0
            write_dicom(
                tmp_path / f"{number}.dcm", pixels, BitsStored=12, PatientID=str(number), PixelPaddingValue=0,
                PhotometricInterpretation="MONOCHROME1",
            )  # fmt: skip
        data = open_data(tmp_path, size=None)
        assert not next(data.batches("test", 1)).images[0, 0, :6].any()
        assert any("4 of 4 images" in warning and "25.0 %" in warning for warning in data.warnings)


@pytest.mark.parametrize(
    "name", ["a.png", "a.nii.gz", "a.dcm", "a.h5", "a.npy", "a.tif", "a.parquet", "a.mha"]
)
@pytest.mark.parametrize(
    ("head", "said"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "a Git LFS pointer, not the file"),
        (b"<!DOCTYPE html><html><body>Forbidden", "an HTML page, not the file; fetch it again"),
    ],
)
def test_what_stands_in_place_of_a_file_is_said(tmp_path: Path, name: str, head: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(head + bytes(600))
    with pytest.raises(DataError, match=said):
        [
            read_frame(tmp_path / name, frame.key, AS_FILES_SAY)
            for frame in frames_of(tmp_path / name, AS_FILES_SAY)
        ]
