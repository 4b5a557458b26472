"""Published layouts: which files are taken, whose they are, and in which split; names as the data sets have them."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vaescreen.errors import DataError
from vaescreen.images import Declaration, open_data
from vaescreen.registry.layouts import LAYOUTS, Chosen
from vaescreen.registry.layouts.mimic_cxr import SPLIT_TABLE, VIEW_TABLE

MRNET = [
    f"MRNet-v1.0/{part}/{plane}/{case:04}.npy"
    for part, cases in (("train", (0, 1)), ("valid", (1130,)))
    for plane in ("axial", "coronal", "sagittal")
    for case in cases
]
BRATS = [
    f"BraTS-GLI-{patient:05}-{visit:03}/BraTS-GLI-{patient:05}-{visit:03}-{what}.nii.gz"
    for patient, visit in ((0, 0), (2, 0), (2, 1))
    for what in ("t1c", "t1n", "t2f", "t2w", "seg")
]


def no_table(_: str) -> None:
    """No table comes with the images."""


def test_mrnet_takes_one_plane_and_tests_on_the_published_validation_cases():
    chosen = LAYOUTS["mrnet"].select(
        no_table, [*MRNET, "train-abnormal.csv", "train/sagittal/notes.npy"], "sagittal"
    )
    assert chosen == [
        Chosen("MRNet-v1.0/train/sagittal/0000.npy", "0000", "train"),
        Chosen("MRNet-v1.0/train/sagittal/0001.npy", "0001", "train"),
        Chosen("MRNet-v1.0/valid/sagittal/1130.npy", "1130", "test"),
    ]
    assert [c.file.split("/")[2] for c in LAYOUTS["mrnet"].select(no_table, MRNET, "axial")] == ["axial"] * 3


def test_brats_takes_one_sequence_and_keeps_visits_together():
    chosen = LAYOUTS["brats"].select(no_table, BRATS, "t2f")
    assert [(c.patient, c.split) for c in chosen] == [
        ("BraTS-GLI-00000", None), ("BraTS-GLI-00002", None), ("BraTS-GLI-00002", None),
    ]  # fmt: skip
    assert all(c.file.endswith("-t2f.nii.gz") for c in chosen)
    assert len(LAYOUTS["brats"].select(no_table, BRATS, "t1c")) == 3


def mimic(subject: int, study: int, image: str) -> str:
    return f"files/p{subject // 10**6}/p{subject}/s{study}/{image}.jpg"


def write_mimic(folder: Path, views: bool = True, splits: bool = True, packed: bool = True) -> dict[str, str]:
    """Four subjects with a frontal and a lateral image each, and the tables; gives file by image."""
    files, view_rows, split_rows = (
        {},
        ["dicom_id,subject_id,ViewPosition"],
        ["dicom_id,study_id,subject_id,split"],
    )
    names = zip((10000032, 10000764, 11000011, 19999987), ("train", "train", "validate", "test"), strict=True)
    for number, (subject, split) in enumerate(names):
        for view in ("PA" if number % 2 else "AP", "LATERAL"):
            image = f"{number:08x}-{len(files):08x}-aaaaaaaa"
            files[image] = mimic(subject, 50000000 + number, image)
            view_rows.append(f"{image},{subject},{view}")
            split_rows.append(f"{image},{50000000 + number},{subject},{split}")
    for file in files.values():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(len(file)).integers(0, 255, (32, 40), np.uint8)
        Image.fromarray(pixels).save(folder / file)
    for wanted, table, rows in ((views, VIEW_TABLE, view_rows), (splits, SPLIT_TABLE, split_rows)):
        if wanted:
            text = ("\n".join(rows) + "\n").encode()
            place = folder / (f"{table}.gz" if packed else table)
            place.write_bytes(gzip.compress(text) if packed else text)
    return files


class TestMimic:
    def open(self, folder: Path):
        return open_data(Declaration("mimic", folder, layout=LAYOUTS["mimic-cxr"]), size=32)

    @pytest.mark.parametrize("packed", [True, False])
    def test_frontal_views_in_their_published_splits(self, tmp_path, packed):
        files = write_mimic(tmp_path, packed=packed)
        data = self.open(tmp_path)
        assert {split: data.patients(split) for split in ("train", "val", "test")} == {
            "train": ("p10000032", "p10000764"),
            "val": ("p11000011",),
            "test": ("p19999987",),
        }
        frontal = {file.removesuffix(".jpg") for place, file in enumerate(files.values()) if place % 2 == 0}
        assert {id_ for split in ("train", "val", "test") for id_ in data.ids(split)} == frontal
        assert data.description["split_rule"] == "published: mimic-cxr-2.0.0-split.csv"
        assert data.description["patient_rule"] == "MIMIC subject"
        assert data.description["layout"] == "mimic-cxr"

    def test_without_tables_all_views_and_splits_by_patient(self, tmp_path):
        write_mimic(tmp_path, views=False, splits=False)
        data = self.open(tmp_path)
        patients = {split: data.patients(split) for split in ("train", "val", "test")}
        assert sum(map(len, patients.values())) == 8
        assert not set(patients["train"]) & set(patients["test"])
        assert data.description["split_rule"].startswith("seeded, by patient")

    def test_damaged_tables_are_named(self, tmp_path):
        write_mimic(tmp_path)
        table = tmp_path / f"{SPLIT_TABLE}.gz"
        whole = gzip.decompress(table.read_bytes())
        table.write_bytes(b"not packed")
        with pytest.raises(DataError, match=rf"{SPLIT_TABLE}\.gz cannot be read .*; fetch it again"):
            self.open(tmp_path)
        table.write_bytes(gzip.compress(whole.replace(b"split", b"part", 1)))
        with pytest.raises(DataError, match="cannot be read"):
            self.open(tmp_path)
        table.write_bytes(gzip.compress(b"\n".join(whole.split(b"\n")[:3])))
        with pytest.raises(DataError, match="does not say which split"):
            self.open(tmp_path)

    def test_a_manifest_of_the_user_goes_before_the_layout(self, tmp_path):
        files = list(write_mimic(tmp_path).values())
        rows = [
            f"{file},{split},me{n}"
            for n, (file, split) in enumerate(zip(files, ["train", "test", "val"], strict=False))
        ]
        (tmp_path / "manifest.csv").write_text("\n".join(["file,split,patient_id", *rows]))
        data = self.open(tmp_path)
        assert data.description["split_rule"] == "manifest.csv"
        assert "layout" not in data.description
        assert data.patients("train") == ("me0",)

    def test_patterns_for_patients_are_refused(self, tmp_path):
        write_mimic(tmp_path)
        declaration = Declaration("mimic", tmp_path, layout=LAYOUTS["mimic-cxr"])
        with pytest.raises(DataError, match="names the patients itself"):
            open_data(declaration, size=32, patient_pattern="(x)")


@pytest.mark.parametrize(
    ("layout", "series", "example"),
    [
        ("mrnet", "coronal", "train/coronal/0000.npy"),
        ("brats", "t1c", "BraTS-GLI-00000-000-t1c.nii.gz"),
        ("mimic-cxr", None, "files/p10/p10000032/"),
    ],
)
def test_another_folder_is_refused_with_an_example(tmp_path, layout, series, example):
    (tmp_path / "x.png").write_bytes(b"")
    with pytest.raises(DataError) as caught:
        open_data(Declaration("mine", tmp_path, layout=LAYOUTS[layout], series=series), size=32)
    assert example in str(caught.value)
    assert "no image in the layout of mine" in str(caught.value)


def test_examples_are_files_that_the_layouts_take():
    for layout in LAYOUTS.values():
        assert layout.select(no_table, [layout.example], layout.series[0] if layout.series else None)
