"""What a folder holds: ids, splits, patients, and one clear line for everything that is wrong with it."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vaescreen.errors import DataError
from vaescreen.images import DataSet, open_data

Write = Callable[..., Path]

SHARED = Path(__file__).parents[3] / "shared" / "data"


def refused(folder: Path, **options: object) -> str:
    """The one line with which a folder is refused."""
    with pytest.raises(DataError) as caught:
        open_data(folder, size=32, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def all_ids(data: DataSet) -> set[str]:
    return {image for split in ("train", "val", "test") for image in data.ids(split)}


def split_of_patient(data: DataSet) -> dict[str, set[str]]:
    splits: dict[str, set[str]] = {}
    for split in ("train", "val", "test"):
        for patient in data.patients(split):
            splits.setdefault(patient, set()).add(split)
    return splits


def with_manifest(folder: Path, *rows: str, header: str = "file,split,patient_id") -> Path:
    (folder / "manifest.csv").write_text("\n".join([header, *rows]) + "\n")
    return folder


def test_ids_are_relative_paths_in_natural_order(write_images: Write) -> None:
    folder = write_images(*(f"train/scan_{n}.png" for n in (10, 9, 1)), "test/deep/er/x.PNG", "val/y.jpeg")
    data = open_data(folder, size=32)
    assert data.ids("train") == ("train/scan_1", "train/scan_9", "train/scan_10")
    assert data.ids("test") == ("test/deep/er/x",)
    assert data.description["split_rule"] == "sub-folders"


def test_files_that_would_share_an_id_keep_their_suffix(write_images: Write) -> None:
    assert all_ids(open_data(write_images("a.png", "a.tif", "b.png", "c.png"), size=32)) == {
        "a.png", "a.tif", "b", "c",
    }  # fmt: skip


def test_hidden_and_other_files_are_passed_over(write_images: Write) -> None:
    folder = write_images("a.png", "b.png", "c.png", ".d.png", ".git/e.png", "__MACOSX/f.png")
    (folder / "notes.txt").write_text("no image")
    data = open_data(folder, size=32)
    assert all_ids(data) == {"a", "b", "c"}
    assert data.skipped == ()


def test_a_split_by_patient_pattern(write_images: Write) -> None:
    folder = write_images(*(f"{p}/visit_{v}.png" for p in range(10) for v in range(3)))
    data = open_data(folder, size=32, patient_pattern=r"(\d+)/visit")
    assert {patient: len(splits) for patient, splits in split_of_patient(data).items()} == {
        str(patient): 1 for patient in range(10)
    }
    assert [len(set(data.patients(split))) for split in ("train", "val", "test")] == [7, 1, 2]
    assert data.description["patient_rule"] == r"pattern (\d+)/visit"


def test_a_pattern_without_slash_is_matched_with_the_file_name(write_images: Write) -> None:
    folder = write_images(*(f"9/{p}_{v}.png" for p in "abcd" for v in range(2)))
    assert set(split_of_patient(open_data(folder, size=32, patient_pattern="^([a-z])"))) == set("abcd")


def test_without_pattern_every_image_is_its_own_patient(write_images: Write) -> None:
    data = open_data(write_images(*(f"{n}.png" for n in range(10))), size=32)
    assert [len(data.ids(split)) for split in ("train", "val", "test")] == [7, 1, 2]
    assert data.patients("train") == data.ids("train")
    assert data.description["patient_rule"] == "every image is its own patient"


def test_the_split_depends_on_seed_and_names_only(write_images: Write) -> None:
    names = [f"{n}.png" for n in range(20)]
    one, other = write_images(*names), write_images(*reversed(names), folder="other")
    assert open_data(one, size=32).ids("test") == open_data(other, size=32).ids("test")
    assert open_data(one, size=32).ids("test") != open_data(one, size=32, seed=1).ids("test")


def test_a_manifest_decides(write_images: Write) -> None:
    folder = write_images("a.png", "b.png", "c.png", "sub/d.png", "unlisted.png")
    header = "extra,patient_id,file,split"
    rows = ["1,p1,a.png,train", '"x, y",p1,b.png,train', ",p2,./c.png,test", "0,p3,sub/d.png,val"]
    data = open_data(with_manifest(folder, *rows, header=header), size=32)
    assert (data.ids("train"), data.ids("val"), data.ids("test")) == (("a", "b"), ("sub/d",), ("c",))
    assert data.patients("train") == ("p1", "p1")
    assert data.description["split_rule"] == "manifest.csv"
    assert data.description["files_not_in_manifest"] == 1


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            ["a.png,train,p1", "b.png,holdout,p2"],
            "line 3: unknown split 'holdout'; give one of train, val, test",
        ),
        (["a.png,train,p1", "x.png,test,p2"], "line 3: x.png does not exist"),
        (["a.png,train,p1", "b.png,test,p2", "a.png,train,p1"], "line 4: a.png is already in line 2"),
        (["a.png,train,p1", "./a.png,train,p1"], "line 3: a.png is already in line 2"),
        (["a.png,train,p1", "b.png,test,p1"], "line 3: patient p1 is in test and, further up, in train"),
        (["a.png,train,"], "line 2: patient_id is empty"),
        (["a.png,train"], "line 2: patient_id is empty"),
        (["../a.png,train,p1"], "line 2: ../a.png is not inside the folder"),
        (["a.png,train,p1", "b.png,test,p2"], "holds 2 images; give at least 3"),
    ],
)
def test_mistakes_in_a_manifest_are_refused_with_their_line(
    write_images: Write, rows: list[str], message: str
) -> None:
    assert message in refused(with_manifest(write_images("a.png", "b.png", "c.png"), *rows))


def test_a_manifest_without_a_column_or_with_a_second_patient_rule_is_refused(write_images: Write) -> None:
    folder = write_images("a.png", "b.png", "c.png")
    with_manifest(folder, "a.png,train", header="file,split")
    assert "line 1: no column patient_id; found file, split" in refused(folder)
    with_manifest(folder, "a.png,train,p")
    assert "leave the patient pattern out" in refused(folder, patient_pattern="(.)")
    (folder / "manifest.csv").write_bytes(b"file,split,patient_id\n\xff\xfe,train,p\n")
    assert "must be UTF-8 text, separated by commas, semicolons or tabs" in refused(folder)


def test_folders_that_cannot_be_split_are_refused(write_images: Write, tmp_path: Path) -> None:
    assert "does not exist; give a folder of images" in refused(tmp_path / "absent")
    (tmp_path / "empty").mkdir()
    assert "holds 0 images; give at least 3" in refused(tmp_path / "empty")
    assert "holds 1 image; give at least 3" in refused(write_images("a.png", folder="one"))
    assert "holds 1 image; give at least 3" in refused(tmp_path / "one" / "a.png")
    one_patient = write_images("p_1.png", "p_2.png", "p_3.png", folder="one_patient")
    assert "belong to one patient" in refused(one_patient, patient_pattern="(p)_")
    stray = write_images("train/1.png", "test/2.png", "3.png", folder="stray")
    assert "3.png is outside the folders that name a split" in refused(stray)
    both = write_images("train/p_1.png", "test/p_2.png", "test/q_1.png", folder="both")
    assert "patient p is in both test and train" in refused(both, patient_pattern="([pq])_")


@pytest.mark.parametrize(
    ("pattern", "message"),
    [("(", "is not a regular expression"), ("a", "has no group"), (r"(\d+)", "finds no patient in a.png")],
)
def test_patterns_that_find_no_patient_are_refused(write_images: Write, pattern: str, message: str) -> None:
    assert message in refused(write_images("a.png", "b1.png", "b2.png"), patient_pattern=pattern)


def test_a_bad_file_among_good_ones_is_skipped_and_named(write_images: Write) -> None:
    folder = write_images(*(f"train/{n}.jpg" for n in range(4)), "test/1.png", "test/2.png")
    whole = (folder / "train/2.jpg").read_bytes()
    (folder / "train/2.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "test/1.png").write_text("not an image")
    data = open_data(folder, size=32)
    assert [entry.path for entry in data.skipped] == ["test/1.png", "train/2.jpg"]
    assert re.match("cannot be decoded", data.skipped[1].reason)
    assert data.ids("train") == ("train/0", "train/1", "train/3")
    assert data.description["counts"]["train"] == {"images": 3, "patients": 3}


def test_a_link_that_leads_nowhere_is_skipped(write_images: Write) -> None:
    folder = write_images(*(f"train/{n}.png" for n in range(3)), "test/1.png")
    (folder / "test" / "2.png").symlink_to(folder / "absent.png")
    assert [entry.path for entry in open_data(folder, size=32).skipped] == ["test/2.png"]


def test_mostly_bad_files_are_refused_with_the_first_reason(write_images: Write) -> None:
    folder = write_images("train/1.png", "test/1.png")
    for name in ("train/2.png", "train/3.png", "test/2.png"):
        (folder / name).touch()
    assert "3 of 5 images of data cannot be used, the first is test/2.png: the file is empty" in refused(
        folder
    )


def test_splits_left_empty_by_bad_files_are_refused(write_images: Write) -> None:
    folder = write_images("train/1.png", "train/2.png")
    (folder / "test").mkdir()
    (folder / "test" / "1.png").write_text("text")
    assert "data has no usable test image; 1 cannot be used, the first is test/1.png" in refused(folder)


def test_depth_colour_and_size_may_differ_within_a_folder(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 65536, (40, 60), np.uint16)).save(tmp_path / "a.png")
    Image.fromarray(rng.integers(0, 256, (64, 33, 3), np.uint8)).save(tmp_path / "b.jpg")
    Image.fromarray(rng.random((32, 32), np.float32)).save(tmp_path / "c.tif")
    data = open_data(tmp_path, size=32)
    for split in ("train", "val", "test"):
        (batch,) = data.batches(split, 8)
        assert batch.images.shape == (1, 1, 32, 32)


@pytest.mark.skipif(not (SHARED / "chest").is_dir(), reason="the chest X-rays of ../shared/data are not here")
def test_the_chest_x_rays_open_as_published() -> None:
    data = open_data(SHARED / "chest")
    assert data.name == "chest"
    assert data.kind == "real"
    assert data.skipped == ()
    assert [len(data.ids(split)) for split in ("train", "val", "test")] == [607, 99, 183]
    assert [len(set(data.patients(split))) for split in ("train", "val", "test")] == [463, 67, 132]
