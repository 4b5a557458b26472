"""Segmentations, doses, localizers and label maps are no pictures: left out, counted, and kept only on demand."""

from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest
from dicom_files import write_dicom
from PIL import Image

from vaescreen.images import open_data
from vaescreen.images.labels import is_label_file

RNG = np.random.default_rng(0)
AREAS = np.kron(RNG.integers(0, 5, (6, 6)), np.ones((8, 8), int)).astype(np.uint8)
STORAGE = "1.2.840.10008.5.1.4.1.1."
ORIGINAL = ["ORIGINAL", "PRIMARY"]


def picture(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 4096, (48, 48)).astype(np.uint16)


def pictures(folder: Path) -> None:
    for number in range(4):
        write_dicom(folder / f"{number}.dcm", picture(number), BitsStored=12, PatientID=f"P{number}")


OTHERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "label map SEG": (lambda p: write_dicom(p, AREAS, SOPClassUID=f"{STORAGE}66.7"), "segmentation"),
    "SEG of 32 bits": (
        lambda p: write_dicom(p, AREAS.astype(np.uint32), SOPClassUID=f"{STORAGE}66.4"),
        "segmentation",
    ),
    "SEG without class": (lambda p: write_dicom(p, AREAS, Modality="SEG"), "segmentation"),
    "dose": (lambda p: write_dicom(p, picture(9), SOPClassUID=f"{STORAGE}481.2"), "radiotherapy dose"),
    "parametric map": (lambda p: write_dicom(p, picture(9), SOPClassUID=f"{STORAGE}30"), "parametric map"),
    "localizer": (lambda p: write_dicom(p, picture(9), ImageType=[*ORIGINAL, "LOCALIZER"]), "localizer"),
    "screen save": (
        lambda p: write_dicom(p, picture(9), ImageType=["DERIVED", "SECONDARY", "SCREEN SAVE"]),
        "screen save",
    ),
    "dose report": (
        lambda p: write_dicom(p, picture(9), ImageType=["DERIVED", "SECONDARY", "DOSE_INFO"]),
        "dose report",
    ),
}


@pytest.mark.parametrize("what", OTHERS)
def test_dicom_files_that_are_no_pictures_are_left_out_by_kind(tmp_path: Path, what: str) -> None:
    make, kind = OTHERS[what]
    pictures(tmp_path)
    make(tmp_path / "other.dcm")
    data = open_data(tmp_path, size=None)
    assert data.description["left_out"] == {kind: 1}
    assert [entry.path for entry in data.left_out] == ["other.dcm"]
    assert sum(len(data.ids(split)) for split in ("train", "val", "test")) == 4
    assert not data.skipped
    assert any(f"{kind}: 1" in warning for warning in data.warnings)


def test_who_wants_them_keeps_them(tmp_path: Path) -> None:
    pictures(tmp_path)
    write_dicom(tmp_path / "dose.dcm", picture(9), SOPClassUID=f"{STORAGE}481.2", PatientID="P9")
    data = open_data(tmp_path, size=None, keep_labels=True)
    assert sum(len(data.ids(split)) for split in ("train", "val", "test")) == 5
    assert data.description["reading"]["keep_labels"]


@pytest.mark.parametrize(
    "label", ["labels/a.png", "masks/a.png", "a_mask.png", "a-seg.png", "labelsTr/a.png"]
)
def test_label_maps_are_known_by_their_place(tmp_path: Path, label: str) -> None:
    for name in ("images/a.png", "images/b.png", "images/c.png", label):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((picture(len(name)) >> 4).astype(np.uint8)).save(tmp_path / name)
    data = open_data(tmp_path, size=None)
    assert data.description["left_out"] == {"label map": 1}
    assert [entry.path for entry in data.left_out] == [label]


def test_kept_label_maps_are_in_the_split_of_their_image(tmp_path: Path) -> None:
    for number in range(10):
        for folder, suffix in (("images", ""), ("masks", "_mask")):
            path = tmp_path / folder / f"case{number}{suffix}.png"
            path.parent.mkdir(exist_ok=True)
            Image.fromarray((picture(number) >> 4).astype(np.uint8)).save(path)
    data = open_data(tmp_path, size=None, keep_labels=True)
    for split in ("train", "val", "test"):
        names = [name.split("/") for name in data.ids(split)]
        assert {name for folder, name in names if folder == "images"} == {
            name.removesuffix("_mask") for folder, name in names if folder == "masks"
        }


@pytest.mark.parametrize("suffix", [".png", ".tif", ".npy", ".nii.gz"])
def test_label_maps_are_known_by_what_they_hold(tmp_path: Path, suffix: str) -> None:
    def save(name: str, values: np.ndarray) -> None:
        path = tmp_path / f"{name}{suffix}"
        if suffix == ".npy":
            np.save(path, values)
        elif suffix == ".nii.gz":
            nibabel.save(nibabel.Nifti1Image(np.stack([values] * 3, -1), np.diag([1, 1, 3, 1])), path)
        else:
            Image.fromarray(values).save(path)

    for number in range(4):
        save(f"p{number}", (picture(number) >> 4).astype(np.uint8))
    save("other", AREAS)
    data = open_data(tmp_path, size=None)
    assert data.description["left_out"] == {"label map": 1}


def test_names_that_only_resemble_those_of_labels_are_pictures() -> None:
    assert not is_label_file("scans/unmasked/patient_segment7.png", "patient_segment7")
    assert not is_label_file("gt/0001.png", "0001")


def test_a_folder_of_nothing_but_such_names_is_a_folder_of_pictures(tmp_path: Path) -> None:
    for number in range(4):
        Image.fromarray((picture(number) >> 4).astype(np.uint8)).save(tmp_path / f"{number}_mask.png")
    assert not open_data(tmp_path, size=None).left_out
