"""Which images DICOM files hold, whose they are, how they are recognised, and why some are left out."""

import os
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dicom_files import by_pydicom, item, lut, make_dicom, per_frame, save, save_codestreams, write_dicom
from pydicom import dcmread
from pydicom.encaps import generate_frames
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    MediaStorageDirectoryStorage,
    RLELossless,
)

from vaescreen.errors import DataError
from vaescreen.images import open_data
from vaescreen.images.files import frames_of, read_frame
from vaescreen.images.formats import format_of
from vaescreen.registry.reading import AS_FILES_SAY, Reading, Window

RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 4096, (48, 40), np.uint16)
STACK = RNG.integers(0, 4096, (6, 48, 40), np.uint16)
AXIAL = item(PlaneOrientationSequence=[item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])])


def keys(path: Path, **choices: Any) -> list[str]:
    return [frame.key for frame in frames_of(path, Reading(**choices))]


def gray(path: Path, key: str = "", window: str = "file") -> np.ndarray:
    return read_frame(path, key, Reading(window=Window.parse(window)))


class TestFramesOfAFile:
    def test_a_file_of_one_frame_is_one_image(self, tmp_path: Path) -> None:
        assert keys(write_dicom(tmp_path / "a.dcm", NOISE)) == [""]
        assert keys(write_dicom(tmp_path / "b.dcm", NOISE[None])) == [""]

    @pytest.mark.parametrize(
        "syntax", [ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian, RLELossless, JPEG2000Lossless]
    )
    def test_each_frame_of_a_film_is_an_image(self, tmp_path: Path, syntax: Any) -> None:
        path = write_dicom(tmp_path / "a.dcm", STACK, syntax, BitsStored=12, Modality="US")
        assert keys(path) == keys(path, slices=(0, 0.5)) == ["1", "2", "3", "4", "5", "6"]
        for place, frame in enumerate(STACK):
            np.testing.assert_array_equal(gray(path, str(place + 1)), (frame / 4095).astype(np.float32))
            np.testing.assert_allclose(gray(path, str(place + 1)), by_pydicom(path, place), atol=1e-7)

    def test_only_the_frame_that_is_wanted_is_decoded(self, tmp_path: Path) -> None:
        made = dcmread(write_dicom(tmp_path / "a.dcm", STACK, JPEG2000Lossless, BitsStored=12))
        frames = list(generate_frames(made.PixelData, number_of_frames=6))
        frames[3] = b"\xff\x4f\xff\x51 no such codestream "
        path = save_codestreams(tmp_path / "b.dcm", made, JPEG2000Lossless, frames)
        np.testing.assert_array_equal(gray(path, "3"), (STACK[2] / 4095).astype(np.float32))
        with pytest.raises(DataError, match="its pixels are not JPEG 2000"):
            gray(path, "4")

    def test_slices_of_a_volume_are_chosen_along_its_normal(self, tmp_path: Path) -> None:
        heights = [50, 10, 30, 20, 40, 60]
        path = write_dicom(
            tmp_path / "a.dcm",
            STACK,
            Modality="MG",
            SharedFunctionalGroupsSequence=[AXIAL],
            PerFrameFunctionalGroupsSequence=per_frame([{"position": [0, 0, z]} for z in heights]),
        )
        assert keys(path) == ["1", "2", "3", "4", "5", "6"]
        assert keys(path, slices=(0, 0.5)) == ["2", "3", "4"]
        assert keys(path, slices=(0.5, 1)) == ["1", "5", "6"]

    def test_times_of_one_slice_stay_together(self, tmp_path: Path) -> None:
        path = write_dicom(
            tmp_path / "a.dcm",
            STACK,
            SharedFunctionalGroupsSequence=[AXIAL],
            PerFrameFunctionalGroupsSequence=per_frame([{"position": [0, 0, z]} for z in (1, 2, 3) * 2]),
        )
        assert keys(path, slices=(0, 0.5)) == ["1", "2", "4", "5"]

    def test_nearly_empty_slices_are_left_out(self, tmp_path: Path) -> None:
        stack = STACK.copy()
        stack[0], stack[5] = 0, 0
        stack[5, :2, :2] = 4095
        path = write_dicom(tmp_path / "a.dcm", stack, BitsStored=12, Modality="CT")
        assert keys(path) == ["2", "3", "4", "5"]
        assert keys(path, slices=(0, 1)) == ["1", "2", "3", "4", "5", "6"]

    def test_slices_of_a_dark_volume_are_all_kept(self, tmp_path: Path) -> None:
        assert len(keys(write_dicom(tmp_path / "a.dcm", STACK, BitsStored=16, Modality="CT"))) == 6

    def test_every_frame_has_its_own_rescale_and_window(self, tmp_path: Path) -> None:
        said = [
            {"rescale": (place + 1, -10 * place), "window": (1000 * (place + 1), 1500)} for place in range(6)
        ]
        path = write_dicom(
            tmp_path / "a.dcm",
            STACK,
            BitsStored=12,
            RescaleSlope=100,
            RescaleIntercept=5,
            PerFrameFunctionalGroupsSequence=per_frame(said),
        )
        for place, frame in enumerate(STACK):
            alone = write_dicom(
                tmp_path / "alone.dcm",
                frame,
                BitsStored=12,
                RescaleSlope=place + 1,
                RescaleIntercept=-10 * place,
                WindowCenter=1000 * (place + 1),
                WindowWidth=1500,
            )
            np.testing.assert_allclose(gray(path, str(place + 1)), by_pydicom(alone), atol=1e-6)

    def test_frames_share_what_is_said_for_all(self, tmp_path: Path) -> None:
        shared = per_frame([{"rescale": (2, -7), "window": (3000, 2000)}])
        path = write_dicom(tmp_path / "a.dcm", STACK, BitsStored=12, SharedFunctionalGroupsSequence=shared)
        measured = STACK[4] * 2.0 - 7
        expected = np.clip((measured - 2999.5) / 1999 + 0.5, 0, 1)
        np.testing.assert_allclose(gray(path, "5"), expected, atol=1e-6)

    def test_percentiles_are_of_what_is_measured_in_every_frame(self, tmp_path: Path) -> None:
        slopes = [1, 2, 3, 4, 5, 6]
        groups = per_frame([{"rescale": (slope, 0)} for slope in slopes])
        path = write_dicom(
            tmp_path / "a.dcm", STACK, BitsStored=12, Modality="PT", PerFrameFunctionalGroupsSequence=groups
        )
        measured = STACK * np.array(slopes)[:, None, None]
        low, high = np.percentile(measured, [0.5, 99.5])
        expected = np.clip((measured[3] - low) / (high - low), 0, 1)
        np.testing.assert_allclose(gray(path, "4"), expected, atol=1e-6)


class TestRecognition:
    @pytest.mark.parametrize("name", ["a.dcm", "A.DCM", "a.dicom", "a.ima", "IM0001", "1.2.840.4.5", "a.bak"])
    def test_by_name_or_by_mark(self, tmp_path: Path, name: str) -> None:
        kind = format_of(write_dicom(tmp_path / name, NOISE))
        assert kind is not None
        assert kind.name == "dicom"

    def test_other_files_without_a_known_suffix_are_none(self, tmp_path: Path) -> None:
        (tmp_path / "README").write_text("what this folder holds, DICM and all " * 10)
        (tmp_path / "short").write_bytes(b"DICM")
        assert format_of(tmp_path / "README") is None
        assert format_of(tmp_path / "short") is None
        assert format_of(tmp_path) is None
        assert format_of(tmp_path / "missing") is None

    def test_a_folder_of_files_without_suffix(self, tmp_path: Path) -> None:
        for patient in range(4):
            for place in range(3):
                write_dicom(
                    tmp_path / f"P{patient}" / f"IM{place}", RNG.integers(0, 4096, (32, 32), np.uint16),
                    PatientID=f"P{patient}",
                )  # fmt: skip
        (tmp_path / "README").write_text("not an image")
        data = open_data(tmp_path, size=32)
        assert sum(len(data.ids(split)) for split in ("train", "val", "test")) == 12
        assert data.skipped == ()
        assert data.description["gray"]["dicom"]["patient"] == "PatientID"


class TestPatients:
    def test_the_patient_is_that_of_the_header(self, tmp_path: Path) -> None:
        path = write_dicom(tmp_path / "a.dcm", STACK, PatientID=" P 1 ")
        assert {frame.patient for frame in frames_of(path, AS_FILES_SAY)} == {"P 1"}

    @pytest.mark.parametrize("said", [{}, {"PatientID": ""}, {"PatientID": "  "}])
    def test_none_where_the_header_is_silent(self, tmp_path: Path, said: dict[str, str]) -> None:
        path = write_dicom(tmp_path / "a.dcm", NOISE, **said)
        assert [frame.patient for frame in frames_of(path, AS_FILES_SAY)] == [None]

    def test_slices_of_a_patient_never_straddle(self, tmp_path: Path) -> None:
        """Golden: seven patients of one to five slices, whose files are mixed up, always split alike."""
        owners = [f"P{patient}" for patient in range(7) for _ in range(1 + patient % 5)]
        for place, owner in enumerate(np.random.default_rng(1).permutation(owners)):
            pixels = np.random.default_rng(place).integers(0, 4096, (32, 32)).astype(np.uint16)
            write_dicom(tmp_path / f"{place:02}.dcm", pixels, BitsStored=12, PatientID=str(owner))
        data = open_data(tmp_path, size=32)
        split_of = {split: sorted(set(data.patients(split))) for split in ("train", "val", "test")}
        assert split_of == GOLDEN_SPLIT
        assert data.description["patient_rule"] == "as the files say"
        found = sum(len(data.ids(split)) for split in split_of)
        assert found == len(owners)


GOLDEN_SPLIT = {"train": ["P0", "P1", "P2", "P4", "P6"], "val": ["P5"], "test": ["P3"]}


def with_codestream(path: Path, **elements: Any) -> Path:
    """A file of which the header says one thing and the codestream another."""
    made = dcmread(write_dicom(path, NOISE, JPEG2000Lossless, BitsStored=12))
    for keyword, value in elements.items():
        setattr(made, keyword, value)
    made.save_as(path)
    return path


def cut(path: Path, by: int) -> Path:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) - by])
    return path


def without_pixels(path: Path, **elements: Any) -> Path:
    made = make_dicom(NOISE, **elements)
    del made.PixelData
    return save(path, made)


def with_float_pixels(path: Path) -> Path:
    made = make_dicom(NOISE, BitsAllocated=32)
    del made.PixelData
    made.FloatPixelData = NOISE.astype("<f4").tobytes()
    return save(path, made)


def in_syntax(path: Path, uid: str) -> Path:
    return save_codestreams(path, make_dicom(NOISE), uid, [b"\0\0"])


def directory(path: Path) -> Path:
    return write_dicom(path, NOISE, SOPClassUID=MediaStorageDirectoryStorage)


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def with_lut(path: Path, keyword: str, bits: int) -> Path:
    table = lut(np.arange(16), 0, bits)
    table.LUTDescriptor = [4096, 0, bits]
    return write_dicom(path, NOISE, **{keyword: [table]})


BAD: dict[str, tuple[Callable[[Path], Path], str]] = {
    "no DICOM file": (lambda path: written(path, b"\0" * 500), "DICM is missing"),
    "an envelope of cipher text": (lambda path: written(path, b"\x30\x82" + os.urandom(500)), "encrypted as a"),
    "without pixels": (lambda path: without_pixels(path, SOPClassUID=CTImageStorage), "promises (CT Image Storage)"),
    "structured report": (
        lambda path: without_pixels(path, SOPClassUID="1.2.840.10008.5.1.4.1.1.88.11", Rows=None),
        "holds no pixels (Basic Text SR Storage)",
    ),
    "encrypted": (
        lambda path: without_pixels(path, EncryptedAttributesSequence=[item(EncryptedContent=b"\1\2")]),
        "encrypted: its pixels cannot be read",
    ),
    "directory": (directory, "DICOMDIR"),
    "floating point": (with_float_pixels, "floating-point pixels"),
    "cut within the pixels": (lambda path: cut(write_dicom(path, NOISE), 100), "truncated: 3740 bytes of pixels"),
    "cut within the header": (lambda path: cut(write_dicom(path, NOISE), 48 * 40 * 2 + 30), "ends before its pixels"),
    "cut within the codestream": (
        lambda path: cut(write_dicom(path, NOISE, JPEG2000Lossless), 1500), "",
    ),
    "cut within the deflated part": (
        lambda path: cut(write_dicom(path, NOISE, DeflatedExplicitVRLittleEndian), 400),
        "deflated part has no end",
    ),
    "header bomb": (
        lambda path: write_dicom(path, NOISE, Rows=30000, Columns=30000), "larger than 89478485 pixels",
    ),
    "header bomb of many frames": (
        lambda path: write_dicom(path, NOISE, NumberOfFrames=10**9), "1000000000 x 48 x 40 are promised",
    ),
    "header bomb of many compressed frames": (
        lambda path: with_codestream(path, NumberOfFrames=10**9), "1000000000 x 48 x 40 are promised",
    ),
    "codestream bomb": (
        lambda path: with_codestream(path, Rows=16, Columns=16), "40x48 with 1 samples a pixel, where 16x16",
    ),
    "negative number of frames": (lambda path: write_dicom(path, NOISE, NumberOfFrames=-1), "-1 x 48 x 40"),
    "too small": (lambda path: write_dicom(path, NOISE[:4]), "40x4 pixels"),
    "constant": (lambda path: write_dicom(path, NOISE * 0), "same value"),
    "video": (lambda path: in_syntax(path, "1.2.840.10008.1.2.4.100"), "MPEG2 Main Profile"),
    "private syntax": (lambda path: in_syntax(path, "1.2.3.4"), "transfer syntax 1.2.3.4 is not supported"),
    "another compression": (
        lambda path: in_syntax(path, JPEGBaseline8Bit), "not JPEG Baseline (Process 1), as the header says",
    ),
    "odd colours": (
        lambda path: write_dicom(path, NOISE, PhotometricInterpretation="HSV"), "interpretation HSV with 1",
    ),
    "control characters": (
        lambda path: write_dicom(path, NOISE, PhotometricInterpretation="A\tB\x1b" * 30), r"A\tB\x1bA",
    ),
    "no interpretation": (
        lambda path: write_dicom(path, NOISE, PhotometricInterpretation=""), "interpretation missing",
    ),
    "a mask": (lambda path: write_dicom(path, NOISE, BitsAllocated=1, BitsStored=1), "1 of 1 bits"),
    "32 bits": (lambda path: write_dicom(path, NOISE.astype(np.uint32)), "32 of 32 bits"),
    "a high bit": (lambda path: write_dicom(path, NOISE, BitsStored=12, HighBit=15), "highest bit"),
    "no rows": (lambda path: write_dicom(path, NOISE, Rows=None), "Rows is missing"),
    "no palette": (
        lambda path: write_dicom(path, NOISE, PhotometricInterpretation="PALETTE COLOR"), "palette is missing",
    ),
    "infinite slope": (
        lambda path: write_dicom(path, NOISE, RescaleSlope="inf", RescaleIntercept=0), "rescale slope inf",
    ),
    "slope without a number": (
        lambda path: write_dicom(path, NOISE, RescaleSlope="nan", RescaleIntercept=0), "rescale slope nan",
    ),
    "slope of zero": (lambda path: write_dicom(path, NOISE, RescaleSlope=0, RescaleIntercept=0), "slope 0"),
    "window without a number": (
        lambda path: write_dicom(path, NOISE, WindowCenter="nan", WindowWidth=10), "window has centre nan",
    ),
    "window without a width": (
        lambda path: write_dicom(path, NOISE, WindowCenter=10, WindowWidth=0), "width 0; choose one by --window",
    ),
    "unknown function": (
        lambda path: write_dicom(path, NOISE, WindowCenter=10, WindowWidth=5, VOILUTFunction="CUBIC"),
        "function CUBIC is not known",
    ),
    "short VOI LUT": (lambda path: with_lut(path, "VOILUTSequence", 12), "VOI LUT is damaged"),
    "short modality LUT": (lambda path: with_lut(path, "ModalityLUTSequence", 99), "modality LUT is damaged"),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_bad_files_are_left_out_with_one_line(
    tmp_path: Path, what: str, capfd: pytest.CaptureFixture[str]
) -> None:
    make, reason = BAD[what]
    path = make(tmp_path / "a.dcm")
    capfd.readouterr()
    with pytest.raises(DataError) as caught:
        read_frame(path, frames_of(path, AS_FILES_SAY)[0].key, AS_FILES_SAY)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
def test_a_deflated_bomb_is_refused(tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "a.dcm", NOISE, DeflatedExplicitVRLittleEndian)
    content = path.read_bytes()
    meta_ends = 144 + int.from_bytes(content[140:144], "little")
    deflater = zlib.compressobj(1, wbits=-zlib.MAX_WBITS)
    megabyte = bytes(2**20)
    bomb = b"".join(deflater.compress(megabyte) for _ in range(600)) + deflater.flush()
    path.write_bytes(content[:meta_ends] + bomb)
    with pytest.raises(DataError, match="bytes once inflated"):
        frames_of(path, AS_FILES_SAY)


def without(module: str, *paths: Path) -> str:
    """What reading files comes to in an interpreter where a module cannot be imported."""
    program = (
        f"import sys; sys.modules[{module!r}] = None\n"
        "from pathlib import Path\n"
        "from vaescreen.images.files import frames_of, read_frame\n"
        "from vaescreen.registry.reading import AS_FILES_SAY\n"
        f"for path in map(Path, {[str(path) for path in paths]}):\n"
        "    try:\n"
        "        read_frame(path, frames_of(path, AS_FILES_SAY)[0].key, AS_FILES_SAY)\n"
        "        print('read')\n"
        "    except Exception as error:\n"
        "        print(type(error).__name__, error)\n"
    )
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout


def test_without_the_decoder_the_reason_names_it(tmp_path: Path) -> None:
    plain = write_dicom(tmp_path / "plain.dcm", NOISE)
    packed = write_dicom(tmp_path / "packed.dcm", NOISE, JPEGLSLossless)
    assert without("imagecodecs", plain, packed).splitlines() == [
        "read",
        "DataError compressed as JPEG-LS Lossless Image Compression, which imagecodecs decodes; "
        "pip install 'vaescreen[medical]'",
    ]


def test_without_pydicom_the_run_stops(tmp_path: Path) -> None:
    said = without("pydicom", write_dicom(tmp_path / "a.dcm", NOISE))
    assert said.startswith("VaescreenError DICOM files are read by pydicom")
    assert "pip install 'vaescreen[medical]'" in said
