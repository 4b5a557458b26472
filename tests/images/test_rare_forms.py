"""Forms that are rare but in order: each is what its own library makes of it."""

import io
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
from dicom_files import make_dicom
from PIL import Image
from pydicom.uid import RLELossless

from vaescreen.errors import DataError
from vaescreen.images import open_data
from vaescreen.images.files import frames_of, read_frame
from vaescreen.registry.reading import AS_FILES_SAY, Reading

NOISE = np.random.default_rng(0).integers(0, 256, (48, 40), dtype=np.uint8)
VOXELS = np.random.default_rng(1).integers(0, 4096, (12, 10, 9)).astype(np.int16)
SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"


def test_a_segmentation_of_one_bit_is_black_and_white_where_labels_are_kept(tmp_path: Path) -> None:
    mask = (NOISE > 200).astype(np.uint8)
    made = make_dicom(mask, SOPClassUID=SEGMENTATION, Modality="SEG")
    made.BitsAllocated = made.BitsStored = 1
    made.HighBit = 0
    made.PixelData = np.packbits(mask.ravel(), bitorder="little").tobytes()
    made.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    np.testing.assert_array_equal(pydicom.dcmread(tmp_path / "a.dcm").pixel_array, mask)
    with pytest.raises(DataError, match="not a picture: segmentation"):
        frames_of(tmp_path / "a.dcm", AS_FILES_SAY)
    gray = read_frame(tmp_path / "a.dcm", "", Reading(keep_labels=True))
    np.testing.assert_array_equal(gray, mask.astype(np.float32))


def test_run_lengths_in_an_implicit_data_set_are_not_shifted(tmp_path: Path) -> None:
    """The syntax of run lengths has explicit VR; some writers write implicit VR all the same."""
    made = make_dicom(NOISE)
    made.compress(RLELossless)
    path = tmp_path / "a.dcm"
    made.save_as(path, enforce_file_format=True)
    stream = io.BytesIO()
    body = pydicom.dcmread(path)
    pydicom.filewriter.write_dataset(_writer(stream), pydicom.Dataset(body))
    head = path.read_bytes()
    path.write_bytes(head[: 128 + 4 + 12 + body.file_meta.FileMetaInformationGroupLength] + stream.getvalue())
    np.testing.assert_array_equal(read_frame(path, "", AS_FILES_SAY), NOISE / np.float32(255))


def _writer(stream: io.BytesIO) -> pydicom.filebase.DicomIO:
    writer = pydicom.filebase.DicomIO(stream)
    writer.is_implicit_VR, writer.is_little_endian = True, True
    return writer


@pytest.mark.parametrize("suffix", [".jpg", ".mpo"])
def test_of_several_pictures_in_a_jpeg_the_first_is_taken(tmp_path: Path, suffix: str) -> None:
    first, others = Image.fromarray(NOISE), [Image.fromarray(NOISE[:16, :16]), Image.fromarray(NOISE[::-1])]
    first.save(tmp_path / f"a{suffix}", "MPO", save_all=True, append_images=others)
    expected = np.asarray(Image.open(tmp_path / f"a{suffix}")) / np.float32(255)
    np.testing.assert_array_equal(read_frame(tmp_path / f"a{suffix}", "", AS_FILES_SAY), expected)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_a_large_colour_profile_changes_no_pixel(tmp_path: Path, kind: str) -> None:
    profile = np.random.default_rng(0).bytes(2**21)
    lossless = {"lossless": True} if kind == "WEBP" else {}
    for name, options in (("plain", {}), ("profiled", {"icc_profile": profile})):
        Image.fromarray(NOISE).save(tmp_path / name, kind, **options, **lossless)
    np.testing.assert_array_equal(
        read_frame(tmp_path / "profiled", "", AS_FILES_SAY), read_frame(tmp_path / "plain", "", AS_FILES_SAY)
    )


@pytest.mark.parametrize(
    ("reading", "choice"), [(Reading(slices=(0.2, 0.8)), "slices"), (Reading(axis="coronal"), "axis")]
)
@pytest.mark.parametrize("suffix", [".png", ".tif", ".dcm"])
def test_a_choice_that_no_file_obeys_is_an_error(
    tmp_path: Path, reading: Reading, choice: str, suffix: str
) -> None:
    for number in range(3):
        if suffix == ".dcm":
            make_dicom(NOISE + number, PatientID=str(number)).save_as(tmp_path / f"{number}.dcm")
        else:
            Image.fromarray(NOISE + number).save(tmp_path / f"{number}{suffix}")
    with pytest.raises(DataError, match=f"obeys --{choice}, which is for volumes; leave it out"):
        open_data(tmp_path, size=None, reading=reading)


def patch(field: str, value: object) -> Callable[[np.ndarray], None]:
    def change(header: np.ndarray) -> None:
        header[field] = value

    return change


def negative_spacing(header: np.ndarray) -> None:
    header["pixdim"][2] *= -1


def no_w(header: np.ndarray) -> None:
    """Leave slightly less than nothing for the square of w, as rounding does."""
    parts = np.array([header[f"quatern_{part}"] for part in "bcd"], np.float64)
    parts *= np.sqrt(1 + 1.5e-7) / np.linalg.norm(parts)
    for part, value in zip("bcd", parts, strict=True):
        header[f"quatern_{part}"] = value


def no_qfac(header: np.ndarray) -> None:
    header["pixdim"][0] = 0


@pytest.mark.parametrize(
    "damage",
    [
        no_qfac,
        negative_spacing,
        no_w,
        patch("sform_code", 9),
        patch("qform_code", 77),
        patch("bitpix", 3),
        patch("scl_slope", 0),
        patch("xyzt_units", 255),
    ],
)
def test_headers_are_repaired_as_nibabel_repairs_them(
    tmp_path: Path, damage: Callable[[np.ndarray], None]
) -> None:
    image = nibabel.Nifti1Image(VOXELS, None)
    image.header.set_qform(np.diag([-1.0, 2, 3, 1]) @ _quarter_turn(), code=1)
    nibabel.save(image, tmp_path / "a.nii")
    content = bytearray((tmp_path / "a.nii").read_bytes())
    header = nibabel.Nifti1Header(bytes(content[:348]), check=False)
    damage(header.structarr)
    content[:348] = header.structarr.tobytes()
    (tmp_path / "a.nii").write_bytes(content)
    upright = nibabel.as_closest_canonical(nibabel.load(tmp_path / "a.nii")).get_fdata()
    low, high = np.percentile(upright, [0.5, 99.5])
    expected = ((upright[::-1, ::-1, 4].T - low) / (high - low)).clip(0, 1)
    gray = read_frame(tmp_path / "a.nii", "axial-4", Reading(axis="axial"))
    np.testing.assert_allclose(gray, expected, atol=1e-6)


def _quarter_turn() -> np.ndarray:
    turn = np.eye(4)
    turn[1:3, 1:3] = [[0, -1], [1, 0]]
    return turn
