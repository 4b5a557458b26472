"""Whose an image is: what decides, in which order, and when it is said that nobody knows."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from dicom_files import write_dicom

from vaescreen.errors import DataError
from vaescreen.images import open_data
from vaescreen.images.formats import Frame
from vaescreen.images.patients import OWN, OWN_FILE, Ownership, patients_of

Write = Callable[..., Path]


def owners(*files: str, pattern: str | None = None) -> tuple[list[str], str, tuple[str, ...]]:
    """Patient of each file that is one image, the rule, and the warnings."""
    found = patients_of([(file, Frame(), file) for file in files], pattern)
    return list(found.patients.values()), found.rule, found.warnings


@pytest.mark.parametrize(
    ("files", "patients", "rule"),
    [
        (["sub-01/anat/sub-01_T1w.nii.gz", "sub-ab2/ses-1/x.nii"], ["sub-01", "sub-ab2"], "BIDS"),
        (["sub-01_T1w.png", "sub-02_T1w.png"], ["sub-01", "sub-02"], "BIDS"),
        (
            ["BraTS-GLI-00003-000/BraTS-GLI-00003-000-t2f.nii.gz", "BraTS-GLI-00003-001-t2f.nii.gz"],
            ["BraTS-GLI-00003"] * 2,
            "BraTS",
        ),
        (
            ["BraTS20_Training_001_slice_80.png", "BraTS20_Training_002_slice_80.png"],
            ["BraTS20_Training_001", "BraTS20_Training_002"],
            "BraTS",
        ),
        (["a/BraTS2021_00001_flair.nii.gz"], ["BraTS2021_00001"], "BraTS"),
        (
            ["axial/0007.npy", "valid/coronal/0007.npy", "sagittal/1130.npy"],
            ["0007", "0007", "1130"],
            "MRNet",
        ),
        (
            ["p10/p10000032/s50414267/02aa804e.jpg", "p10/p10000032/s53189527/2a2277a9.jpg"],
            ["p10000032"] * 2,
            "MIMIC-CXR",
        ),
        (["train/patient00001/study1/view1_frontal.jpg"], ["patient00001"], "CheXpert"),
        (["00000013_005.png", "images/00000014_000.png"], ["00000013", "00000014"], "NIH"),
        (["TCGA_CS_4941_19960909_1.tif", "TCGA-02-0001/x.png"], ["TCGA_CS_4941", "TCGA-02-0001"], "TCGA"),
        (["LIDC-IDRI-0001/1-001.dcm"], ["LIDC-IDRI-0001"], "LIDC"),
        (
            ["Mass-Training_P_00001_LEFT_CC/1-1.dcm", "Calc-Test_P_00001_RIGHT_MLO_2.png"],
            ["P_00001"] * 2,
            "CBIS-DDSM",
        ),
        (["A_1141_1.LEFT_CC.png", "cancer/A_1141_1.RIGHT_MLO.jpg"], ["A_1141"] * 2, "DDSM"),
        (["20586908_6c613a14b80a8591_MG_R_CC_ANON.dcm"], ["6c613a14b80a8591"], "INbreast"),
        ([f"images/{'0f' * 16}/{'1e' * 16}.dicom"], ["0f" * 16], "VinDr-Mammo"),
        (
            ["9001695L.png", "train/2/9001695R.png", "9003175/20050922/001.dcm"],
            ["9001695"] * 2 + ["9003175"],
            "OAI",
        ),
        (
            ["20536686640136348236148679891455886468_k6ga29.png", f"{'21' * 20}_00-014-015.png"],
            ["20536686640136348236148679891455886468", "21" * 20],
            "PadChest",
        ),
        (["10_left.jpeg", "10_right.jpeg", "0_left.jpg"], ["10", "10", "0"], "EyePACS"),
    ],
)
def test_published_namings_are_known(files: list[str], patients: list[str], rule: str) -> None:
    found, said, warnings = owners(*files)
    assert (found, warnings) == (patients, ())
    assert said.startswith(f"names as in {rule}")


@pytest.mark.parametrize(
    "files",
    [
        ["sub-01_T1w.png", "sub-02_T1w.png", "other.png"],
        ["00000013_005.png", "00000013_05.png"],
        ["axial/0007.npy", "axial/0007.png"],
        ["p1000003/s50414267/x.jpg"],
        ["subject-01_x.png"],
        ["BraTS20_Training_0001.png"],
    ],
)
def test_a_naming_that_does_not_fit_every_file_is_not_believed(files: list[str]) -> None:
    found, rule, _ = owners(*files)
    assert rule == OWN
    assert len(set(found)) == len(files)


def test_the_pattern_goes_before_what_files_say_and_that_before_names() -> None:
    images = [(f"sub-0{n}_x.dcm", Frame(patient=f"tag {n}"), f"sub-0{n}_x") for n in (1, 2)]
    assert set(patients_of(images, r"-(\d+)").patients.values()) == {"01", "02"}
    said = patients_of(images, None)
    assert (set(said.patients.values()), said.rule) == ({"tag 1", "tag 2"}, "as the files say")


def test_a_file_that_is_silent_beside_others_that_speak_is_warned_of() -> None:
    images = [("a.dcm", Frame(patient="p"), "a"), ("b.dcm", Frame(), "b"), ("c.dcm", Frame(), "c")]
    found = patients_of(images, None)
    assert list(found.patients.values()) == ["p", "b", "c"]
    assert "2 of 3 files do not say whose they are" in found.warnings[0]


def test_slices_of_a_volume_stay_together_whoever_it_is_of() -> None:
    images = [(f"{v}.npy", Frame(f"{s:02}"), f"{v}/{s:02}") for v in ("knee", "hip") for s in range(3)]
    found = patients_of(images, None)
    assert list(found.patients.values()) == ["knee"] * 3 + ["hip"] * 3
    assert found.rule == OWN_FILE
    assert "2 files hold several images each" in found.warnings[0]


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        (["mary_1.png", "mary_2.png", "john_1.png", "john_2.png"], "4 files have names in 2 groups"),
        (
            ["train/a/1.png", "train/a/2.png", "test/b/1.png", "test/b/2.png"],
            "4 files have names in 2 groups",
        ),
        (["slice_01.png", "slice_02.png", "slice_03.png"], "all 3 files are numbered like slices"),
    ],
)
def test_names_that_look_like_several_images_of_one_patient_are_warned_of(
    files: list[str], reason: str
) -> None:
    _, rule, warnings = owners(*files)
    assert rule == OWN
    assert len(warnings) == 1
    assert reason in warnings[0]
    assert not any(part in warnings[0] for part in ("mary", "john"))


@pytest.mark.parametrize(
    "files",
    [
        ["a.png", "b.png", "c.png"],
        ["IMG_0001.png", "IMG_0002.png", "IMG_0003.png"],
        ["train/1.png", "train/2.png", "test/3.png", "test/4.png"],
        ["2a2277a9.jpg", "02aa804e.jpg", "f1c3e4d9.jpg", "1.jpg"],
    ],
)
def test_names_that_say_nothing_are_not_warned_of(files: list[str]) -> None:
    assert owners(*files)[1:] == (OWN, ())


def test_one_patient_in_two_sub_folders_is_refused_when_names_tell_it(write_images: Write) -> None:
    folder = write_images("train/00000013_000.png", "test/00000013_001.png", "test/00000014_000.png")
    with pytest.raises(Exception, match="patient 00000013 is in both"):
        open_data(folder, size=32)


def test_rule_and_warning_stand_in_the_record(write_images: Write) -> None:
    folder = write_images(*(f"{who}_{n}.png" for who in ("mary", "john", "anne") for n in range(2)))
    data = open_data(folder, size=32)
    assert len(data.warnings) == 1
    assert data.record["description"]["warnings"] == list(data.warnings)
    told = open_data(folder, size=32, patient_pattern="([a-z]+)_")
    assert told.warnings == ()


class TestIdsOfFiles:
    """Ids are compared without blanks, NULs and case; a study is one patient's."""

    def owned(self, *said: tuple[str, str]) -> Ownership:
        images = [
            (f"{n}.dcm", Frame("", patient, None, study), f"{n}") for n, (patient, study) in enumerate(said)
        ]
        return patients_of(images, None)

    @pytest.mark.parametrize("other", ["p1 ", "P1\0", " P1", "p1\0 "])
    def test_padding_and_case_do_not_make_another_patient(self, other: str) -> None:
        assert set(self.owned(("P1", ""), (other, ""), ("P2", "")).patients.values()) == {"P1", "P2"}

    @pytest.mark.parametrize(
        ("ids", "person"),
        [
            (("P_00001_LEFT_CC", "P_00001_RIGHT_MLO", "Mass-Training_P_00001_LEFT_CC_1"), "P_00001"),
            (("sub-01_ses-1", "sub-01_ses-2", "sub-01"), "sub-01"),
            (("OAS30001_MR_d0129", "OAS30001_MR_d0757"), "OAS30001"),
            (("TCGA-02-0001-01", "TCGA-02-0001"), "TCGA-02-0001"),
        ],
    )
    def test_ids_of_views_and_visits_are_of_one_person(self, ids: tuple[str, ...], person: str) -> None:
        owned = self.owned(*((each, "") for each in ids), ("other", ""))
        assert list(owned.patients.values()) == [*[person] * len(ids), "other"]
        assert (owned.rule, owned.joined) == ("as the files say, the person in each id", ())

    def test_a_study_is_of_one_patient_though_nobody_says_of_whom(self) -> None:
        owned = self.owned(("", "1.2"), ("", "1.2"), ("", "1.3"))
        assert list(owned.patients.values()) == ["1.2", "1.2", "1.3"]
        assert (owned.joined, owned.warnings) == ((), ())
        assert len(set(self.owned(("A", "1.2"), ("", "1.2")).patients.values())) == 1

    def test_names_tell_patients_whom_all_files_call_alike(self) -> None:
        names = ("sub-01/a.dcm", "sub-01/b.dcm", "sub-02/a.dcm")
        owned = patients_of([(name, Frame("", "removed"), name) for name in names], None)
        assert list(owned.patients.values()) == ["sub-01", "sub-01", "sub-02"]
        assert owned.rule == "names as in BIDS (sub-LABEL), since the files all say one patient"

    def test_ids_of_one_study_are_one_patient_and_named(self) -> None:
        owned = self.owned(("A", "1.2"), ("B", "1.2"), ("B", "1.3"), ("C", "1.3"), ("D", "1.4"))
        assert len(set(owned.patients.values())) == 2
        assert owned.joined == (("A", "B", "C"),)

    def test_an_id_of_all_files_leads_to_a_way_out_that_works(self, tmp_path: Path) -> None:
        for number in range(4):
            pixels = np.random.default_rng(number).integers(0, 4096, (24, 24)).astype(np.uint16)
            write_dicom(tmp_path / f"{number}.dcm", pixels, BitsStored=12, PatientID="ANONYMOUS")
        with pytest.raises(DataError, match=r"'ANONYMOUS'.*--patients '\(\.\+\)'"):
            open_data(tmp_path, size=None)
        assert len(open_data(tmp_path, size=None, patient_pattern="(.+)").ids("train")) >= 1
