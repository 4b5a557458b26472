"""A list of files is as good as a folder: it says where the images are and, if it likes, which is for what."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from vaescreen.errors import DataError
from vaescreen.images import DataSet, open_data
from vaescreen.images.adding import Statement, add_data_set
from vaescreen.images.naming import declared

Write = Callable[..., Path]
NAMES = ("x/a.png", "x/b.png", "y/c.png", "y/d.png")
ROWS = [
    ("x/a.png", "train", "p1"),
    ("x/b.png", "train", "p1"),
    ("y/c.png", "val", "p2"),
    ("y/d.png", "test", "3"),
]


def as_csv(path: Path, *rows: tuple[str, ...], header: str = "file,split,patient_id") -> Path:
    path.write_text("\n".join([header, *map(",".join, rows)]) + "\n")
    return path


def as_json(path: Path, *rows: tuple[str, ...], header: str = "file,split,patient_id") -> Path:
    path.write_text(json.dumps([dict(zip(header.split(","), row, strict=False)) for row in rows], indent=1))
    return path


def members(data: DataSet) -> dict[str, list[tuple[str, str]]]:
    return {
        split: list(zip(data.ids(split), data.patients(split), strict=True))
        for split in ("train", "val", "test")
    }


def refused(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        open_data(path, size=32)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(lambda text: text.replace(",", "\t"), id="tabs"),
        pytest.param(lambda text: text.replace("/", "\\"), id="paths of Windows"),
        pytest.param(
            lambda text: text.replace("file,split,patient_id", " File,Split,PATIENT_ID"), id="capitals"
        ),
        pytest.param(lambda text: text.replace("val", "Validation").replace("train", "TRAIN"), id="splits"),
        pytest.param(lambda text: text.replace("\n", "\r\n") + ",,\r\n\r\n,,\r\n", id="empty rows"),
    ],
)
def test_as_spreadsheets_write_it(write_images: Write, written: Callable[[str], str]) -> None:
    folder = write_images(*NAMES)
    plain = as_csv(folder / "studies.csv", *ROWS)
    expected = members(open_data(plain, size=32))
    plain.write_text(written(plain.read_text()), newline="")
    assert members(open_data(plain, size=32)) == expected


@pytest.mark.parametrize("name", ["studies.csv", "studies.json"])
def test_a_list_decides_like_a_manifest(write_images: Write, name: str) -> None:
    folder = write_images(*NAMES, "z/unlisted.png")
    make = as_json if name.endswith("json") else as_csv
    data = open_data(make(folder / name, *ROWS), size=32)
    assert members(data) == {
        "train": [("x/a", "p1"), ("x/b", "p1")],
        "val": [("y/c", "p2")],
        "test": [("y/d", "3")],
    }
    assert (data.name, data.description["source"], data.description["folder"]) == ("studies", "list", name)
    assert data.description["split_rule"] == data.description["patient_rule"] == name


def test_a_list_beside_the_images_gives_the_fingerprint_of_the_manifest(write_images: Write) -> None:
    folder = write_images(*NAMES)
    listed = open_data(as_csv(folder / "list.csv", *ROWS), size=32).fingerprint
    as_csv(folder / "manifest.csv", *ROWS)
    assert open_data(folder, size=32).fingerprint == listed


def test_a_list_elsewhere_names_images_by_the_folder_that_holds_them_all(
    write_images: Write, tmp_path: Path
) -> None:
    folder = write_images(*NAMES)
    (tmp_path / "lists").mkdir()
    absolute = [(str(folder / file), *rest) for file, *rest in ROWS]
    climbing = [(f"../data/{file}", *rest) for file, *rest in ROWS]
    expected = open_data(as_csv(folder / "list.csv", *ROWS), size=32)
    for rows in (absolute, climbing):
        data = open_data(as_csv(tmp_path / "lists" / "list.csv", *rows), size=32)
        assert members(data) == members(expected)
        assert data.fingerprint == expected.fingerprint
        assert str(tmp_path) not in json.dumps(data.description)


def test_files_alone_are_split_by_patient(write_images: Write) -> None:
    folder = write_images(*(f"p{n // 2}_{n}.png" for n in range(10)))
    rows = [(f"p{n // 2}_{n}.png",) for n in range(8)]
    data = open_data(as_csv(folder / "some.csv", *rows, header="file"), size=32, patient_pattern=r"(p\d)_")
    patients = [set(data.patients(split)) for split in ("train", "val", "test")]
    assert sorted(patient for group in patients for patient in group) == ["p0", "p1", "p2", "p3"]
    assert sum(len(data.ids(split)) for split in ("train", "val", "test")) == 8


@pytest.mark.parametrize("make", [as_csv, as_json])
@pytest.mark.parametrize(
    ("header", "rows", "message"),
    [
        ("file,split", [("x/a.png", "train")], "line 1: no column patient_id; found file, split"),
        ("file,patient_id", [("x/a.png", "p")], "line 1: no column split; found file, patient_id"),
        ("path", [("x/a.png",)], "line 1: no column file; found path"),
    ],
)
def test_columns_that_are_missing_are_named(
    write_images: Write, make: Callable[..., Path], header: str, rows: list[tuple[str, ...]], message: str
) -> None:
    suffix = "json" if make is as_json else "csv"
    assert message in refused(make(write_images(*NAMES) / f"list.{suffix}", *rows, header=header))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("x/a.png", "train", "p1"), ("no.png", "test", "p2")], "line {}: no.png does not exist"),
        ([("x/a.png", "train", "p1"), ("y/c.png", "rest", "p2")], "line {}: unknown split 'rest'"),
        ([("x/a.png", "train", "p1"), ("y/c.png", "test", "")], "line {}: patient_id is empty"),
        ([("x/a.png", "train", "p1"), ("y/c.png", "test", "p1")], "line {}: patient p1 is in test and"),
        (
            [("x/a.png", "train", "p1"), ("y/../x/a.png", "train", "p1")],
            "line {}: y/../x/a.png is already in line",
        ),
    ],
)
def test_mistakes_are_refused_with_their_line(
    write_images: Write, rows: list[tuple[str, ...]], message: str
) -> None:
    folder = write_images(*NAMES)
    assert message.format(3) in refused(as_csv(folder / "list.csv", *rows))
    assert message.format(7) in refused(as_json(folder / "list.json", *rows))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("list.json", '{"file": "a.png"}', "it must be a JSON array of objects"),
        ("list.json", '[{"file": "a.png"}', "it must be a JSON array of objects"),
        ("list.json", '[\n{"file": "x/a.png"},\n"x/b.png"]', "line 3: not an object"),
        ("list.json", "[]", "no column file"),
        ("list.csv", "", "the file is empty"),
        ("list.csv", 'file\n"x/a.png', "it must be UTF-8 text, separated by commas, semicolons or tabs"),
        ("list.txt", "x/a.png", "is a file of an unknown kind, not a folder; give a folder of images"),
    ],
)
def test_lists_that_are_none_are_refused(write_images: Write, name: str, text: str, message: str) -> None:
    path = write_images(*NAMES) / name
    path.write_text(text)
    assert message in refused(path)


def test_a_list_can_be_named(write_images: Write, tmp_path: Path) -> None:
    folder = write_images(*NAMES)
    add_data_set("mine", as_csv(folder / "list.csv", *ROWS), tmp_path / "registry.yaml", Statement())
    data = open_data(declared("mine", tmp_path / "registry.yaml"), size=32)
    assert (data.name, data.ids("test")) == ("mine", ("y/d",))
