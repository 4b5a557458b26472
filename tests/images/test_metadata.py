"""Tables beside images: patients of Hugging Face image folders, and lists in any of their forms."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vaescreen.images import open_data


def write(folder: Path, name: str, seed: int) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (16, 16), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


def owners(folder: Path) -> dict[str, str]:
    images = open_data(folder, size=16)
    return {
        id_: patient
        for split in ("train", "val", "test")
        for id_, patient in zip(images.ids(split), images.patients(split), strict=True)
    }


@pytest.mark.parametrize("form", ["csv", "jsonl", "one table above"])
def test_metadata_of_image_folders_says_whose_each_image_is(tmp_path: Path, form: str) -> None:
    names = {split: [f"{split}/{number}.png" for number in range(4)] for split in ("train", "test")}
    for split, files in names.items():
        for number, name in enumerate(files):
            write(tmp_path, name, 10 * len(split) + number)
        rows = [(Path(name).name, f"{split}-{n // 2}") for n, name in enumerate(files)]
        if form == "csv":
            text = "file_name,Patient ID\n" + "".join(f"{file},{patient}\n" for file, patient in rows)
            (tmp_path / split / "metadata.csv").write_text(text)
        elif form == "jsonl":
            lines = [json.dumps({"file_name": file, "patient_id": patient}) for file, patient in rows]
            (tmp_path / split / "metadata.jsonl").write_text("\n".join(lines))
    if form == "one table above":
        lines = [
            f"{name},{name.split('/')[0]}-{n // 2}"
            for files in names.values()
            for n, name in enumerate(files)
        ]
        (tmp_path / "metadata.csv").write_text("\n".join(["file_name,subject_id", *lines]))
    assert owners(tmp_path) == {
        f"{split}/{number}": f"{split}-{number // 2}" for split in names for number in range(4)
    }


def test_metadata_without_patients_or_damaged_is_one_more_file(tmp_path: Path) -> None:
    for number in range(4):
        write(tmp_path, f"{number}.png", number)
    for text in ("file_name,text\n0.png,a knee\n", 'file_name,patient_id\n0.png,"open\n', ""):
        (tmp_path / "metadata.csv").write_text(text)
        assert len(set(owners(tmp_path).values())) == 4


@pytest.mark.parametrize("form", ["semicolons", "lines"])
def test_lists_may_be_separated_by_semicolons_or_be_json_lines(tmp_path: Path, form: str) -> None:
    for number in range(4):
        write(tmp_path, f"{number}.png", number)
    splits = ["train", "train", "val", "test"]
    if form == "semicolons":
        path = tmp_path / "list.csv"
        rows = [f"{n}.png;{split};p{n}" for n, split in enumerate(splits)]
        path.write_text("\n".join(["file;split;patient_id", *rows]))
    else:
        path = tmp_path / "list.jsonl"
        rows = [{"file": f"{n}.png", "split": split, "patient_id": f"p{n}"} for n, split in enumerate(splits)]
        path.write_text("\n".join(map(json.dumps, rows)))
    images = open_data(path, size=16)
    assert (images.ids("train"), images.patients("test")) == (("0", "1"), ("p3",))
    said = "list.csv was read as separated by semicolons"
    assert (said in images.warnings) == (form == "semicolons")


def test_patients_of_json_lists_may_be_numbers_zero_among_them(tmp_path: Path) -> None:
    for number in range(4):
        write(tmp_path, f"{number}.png", number)
    splits = ["train", "train", "val", "test"]
    rows = [{"file": f"{n}.png", "split": split, "patient_id": n} for n, split in enumerate(splits)]
    (tmp_path / "list.json").write_text(json.dumps(rows))
    assert open_data(tmp_path / "list.json", size=16).patients("train") == ("0", "1")


def test_volumes_of_3d_medmnist_are_patients_and_their_slices_images(tmp_path: Path) -> None:
    volumes = np.random.default_rng(0).integers(0, 256, (8, 12, 16, 16), dtype=np.uint8)
    arrays = {"train_images": volumes[:4], "val_images": volumes[4:6], "test_images": volumes[6:]}
    np.savez(tmp_path / "organ.npz", **arrays, train_labels=np.zeros((4, 1), np.uint8))
    images = open_data(tmp_path / "organ.npz", size=16)
    assert images.description["counts"]["train"] == {"images": 48, "patients": 4}
    batch = next(images.batches("test", 1, only=["organ/test_images/1/5"]))
    np.testing.assert_array_equal(batch.images[0, 0].numpy(), volumes[7, 5] / np.float32(255))
    assert batch.patients == ("organ/test_images/1",)
