"""Folders that name splits are found wherever data sets put them, and never passed over in silence."""

from collections.abc import Callable
from pathlib import Path

import pytest

from vaescreen.errors import DataError
from vaescreen.images import open_data
from vaescreen.images.split_folders import named_by_folders

LAYOUTS = {
    "CheXpert": ["train/patient00001/study1/view1.jpg", "valid/patient64541/study1/view1.jpg"],
    "Kaggle": ["Training/glioma/a.jpg", "Testing/glioma/b.jpg"],
    "YOLO": ["images/train/a.jpg", "images/val/b.jpg", "images/test/c.jpg"],
    "Hugging Face": ["data/train/0001.png", "data/validation/0002.png", "data/test/0003.png"],
    "Decathlon": ["imagesTr/heart_001.nii.gz", "imagesTs/heart_002.nii.gz"],
    "DIV2K": ["DIV2K_train_HR/0001.png", "DIV2K_valid_HR/0801.png"],
    "COCO": ["train2017/1.jpg", "val2017/2.jpg"],
    "below a folder of all": ["archive/v1/TRAIN/a.png", "archive/v1/dev/b.png"],
}
SPLITS = {
    "CheXpert": ["train", "val"],
    "Kaggle": ["train", "test"],
    "YOLO": ["train", "val", "test"],
    "Hugging Face": ["train", "val", "test"],
    "Decathlon": ["train", "test"],
    "DIV2K": ["train", "val"],
    "COCO": ["train", "val"],
    "below a folder of all": ["train", "val"],
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_published_layouts(layout: str) -> None:
    assert list(named_by_folders(LAYOUTS[layout]).splits.values()) == SPLITS[layout]


def test_folders_that_only_resemble_a_split_name_none() -> None:
    assert not named_by_folders(["latest/a.png", "trainer/b.png", "contest/c.png"]).found
    assert not named_by_folders(["skin_test/a.png", "skin/b.png"]).found


@pytest.mark.parametrize(("first", "second"), [("Train", "VALID"), ("images/training", "images/dev")])
def test_val_tests_where_there_is_no_test_and_the_rule_says_so(
    write_images: Callable[..., Path], first: str, second: str
) -> None:
    data = open_data(write_images(f"{first}/a.png", f"{first}/b.png", f"{second}/c.png"), size=None)
    assert (len(data.ids("train")), len(data.ids("val")), len(data.ids("test"))) == (2, 0, 1)
    assert data.description["split_rule"] == "sub-folders; for want of test, val is for testing"


@pytest.mark.parametrize("only", ["train", "images/test"])
def test_a_single_split_folder_is_drawn_anew_and_says_so(
    write_images: Callable[..., Path], only: str
) -> None:
    data = open_data(write_images(*(f"{only}/{name}.png" for name in "abcd")), size=None)
    assert any("split anew, by patient" in warning for warning in data.warnings)
    assert data.ids("test")


def test_images_beside_split_folders_are_refused(write_images: Callable[..., Path]) -> None:
    with pytest.raises(DataError, match="outside the folders that name a split"):
        open_data(write_images("train/a.png", "test/b.png", "c.png"), size=None)
