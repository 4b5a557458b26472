"""Rows of a Parquet table are decoded as the image files that they hold; splits and patients are those stated."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from vaescreen.errors import DataError
from vaescreen.images import open_data
from vaescreen.images.files import frames_of, read_frame
from vaescreen.images.formats import table
from vaescreen.images.formats.base import Frame
from vaescreen.registry.reading import Reading

PIXELS = np.random.default_rng(0).integers(0, 256, (9, 16, 12), np.uint8)
HUB = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def encoded(pixels: np.ndarray, kind: str = "PNG") -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind)
    return stream.getvalue()


def rows(count: int = 9) -> list[dict[str, object]]:
    return [{"bytes": encoded(pixels), "path": f"{n}.png"} for n, pixels in enumerate(PIXELS[:count])]


def write(path: Path, group: int = 4, **columns: pa.Array | list[object]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path, row_group_size=group)
    return path


def pixels_of(path: Path) -> np.ndarray:
    return np.stack([read_frame(path, frame.key, Reading()) for frame in frames_of(path, Reading())])


@pytest.mark.parametrize(
    "column",
    [
        pa.array(rows(), HUB),
        pa.array([row["bytes"] for row in rows()], pa.binary()),
        pa.array([row["bytes"] for row in rows()], pa.large_binary()),
    ],
    ids=["struct", "binary", "large"],
)
@pytest.mark.parametrize("name", ["image", "scan"])
def test_rows_are_read_across_row_groups(tmp_path: Path, column: pa.Array, name: str) -> None:
    path = write(tmp_path / "a.parquet", label=list(range(9)), **{name: column})
    np.testing.assert_array_equal(pixels_of(path), (PIXELS / 255).astype(np.float32))
    backwards = [read_frame(path, str(n), Reading()) for n in (8, 0, 4)]
    np.testing.assert_array_equal(backwards, (PIXELS[[8, 0, 4]] / 255).astype(np.float32))


def test_16_bits_keep_all_their_levels(tmp_path: Path) -> None:
    ramp = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    path = write(tmp_path / "a.parquet", image=pa.array([encoded(ramp, "TIFF")]))
    np.testing.assert_array_equal(pixels_of(path)[0], (ramp / 65535).astype(np.float32))


@pytest.mark.parametrize(
    ("file", "split"),
    [
        ("train-00000-of-00002.parquet", "train"),
        ("data/validation-00000-of-00001.parquet", "val"),
        ("test.parquet", "test"),
        ("default/train/0000.parquet", "train"),
        ("data/0000.parquet", None),
        ("trainers.parquet", None),
    ],
)
def test_the_split_is_that_of_the_name(tmp_path: Path, file: str, split: str | None) -> None:
    path = write(tmp_path / file, image=pa.array(rows(2), HUB))
    assert frames_of(path, Reading()) == [Frame("0", "", split), Frame("1", "", split)]


@pytest.mark.parametrize("name", ["patient_id", "subject_id", "Patient ID", "PatientID"])
def test_patients_are_those_of_their_column(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / "a.parquet", image=pa.array(rows(3), HUB), **{name: pa.array([7, None, 7])})
    assert [frame.patient for frame in frames_of(path, Reading())] == ["7", "", "7"]


def test_a_data_set_of_the_hub_keeps_its_splits(tmp_path: Path) -> None:
    shards = {
        "train-00000-of-00002": 4,
        "train-00001-of-00002": 3,
        "validation-00000-of-00001": 2,
        "test-00000-of-00001": 5,
    }
    for name, count in shards.items():
        write(tmp_path / "data" / f"{name}.parquet", image=pa.array(rows(count), HUB))
    images = open_data(tmp_path, size=8)
    assert {split: len(images.ids(split)) for split in ("train", "val", "test")} == {
        "train": 7,
        "val": 2,
        "test": 5,
    }
    assert images.description["split_rule"] == "as the files say"
    assert images.description["patient_rule"] == "every image is its own patient"


def test_without_a_test_split_validation_is_for_testing(tmp_path: Path) -> None:
    for name, count in {"train": 4, "validation": 3}.items():
        write(tmp_path / f"{name}.parquet", image=pa.array(rows(count), HUB))
    images = open_data(tmp_path, size=8)
    assert {split: len(images.ids(split)) for split in ("train", "val", "test")} == {
        "train": 4,
        "val": 0,
        "test": 3,
    }
    assert "val is for testing" in images.description["split_rule"]


def test_a_single_stated_split_is_divided_by_patient(tmp_path: Path) -> None:
    owners = pa.array([f"p{n // 2}" for n in range(9)])
    write(tmp_path / "train.parquet", image=pa.array(rows(), HUB), patient_id=owners)
    images = open_data(tmp_path, size=8)
    patients = [set(images.patients(split)) for split in ("train", "val", "test")]
    assert sorted(patient for group in patients for patient in group) == ["p0", "p1", "p2", "p3", "p4"]
    assert images.description["split_rule"].startswith("seeded, by patient")


def test_a_patient_in_two_stated_splits_is_refused(tmp_path: Path) -> None:
    for name in ("train", "test"):
        write(tmp_path / f"{name}.parquet", image=pa.array(rows(2), HUB), patient_id=pa.array(["a", "b"]))
    with pytest.raises(DataError, match="patient a is in both"):
        open_data(tmp_path, size=8)


def test_a_bad_row_is_refused_and_the_others_are_read(tmp_path: Path) -> None:
    bad: list[dict[str, object]] = [
        {"bytes": None, "path": "elsewhere.png"},
        {"bytes": b"no image", "path": ""},
        {"bytes": encoded(PIXELS[0])[:-30], "path": ""},
    ]
    path = write(tmp_path / "a.parquet", image=pa.array([*rows(6), *bad], HUB))
    for row, reason in {
        6: "no bytes of an image",
        7: "not an image in one of",
        8: "cannot be decoded",
    }.items():
        with pytest.raises(DataError, match=reason):
            read_frame(path, str(row), Reading())
    images = open_data(tmp_path, size=8)
    assert [entry.path for entry in images.skipped] == [f"a.parquet [{row}]" for row in (6, 7, 8)]


def test_the_file_beside_a_path_is_never_opened(tmp_path: Path) -> None:
    Image.fromarray(PIXELS[0]).save(tmp_path / "0.png")
    path = write(
        tmp_path / "a.parquet", image=pa.array([{"bytes": None, "path": str(tmp_path / "0.png")}], HUB)
    )
    with pytest.raises(DataError, match="no bytes"):
        read_frame(path, "0", Reading())


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "no images": (
        lambda p: write(p, a=[1.0], b=["x"]),
        "no column of image bytes: 'a', 'b'",
    ),
    "two columns": (
        lambda p: write(p, a=pa.array([b"x"]), b=pa.array([b"y"])),
        "several columns of image bytes",
    ),
    "paths only": (lambda p: write(p, image=["a.png"]), "no column of image bytes"),
    "no rows": (lambda p: write(p, image=pa.array([], pa.binary())), "holds no image"),
    "text": (lambda p: p.write_text("no table at all"), "cannot be decoded"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_files_give_a_reason_in_one_line(tmp_path: Path, case: str) -> None:
    make, reason = BAD[case]
    make(tmp_path / "a.parquet")
    with pytest.raises(DataError, match=reason) as caught:
        pixels_of(tmp_path / "a.parquet")
    assert "\n" not in str(caught.value)


def test_row_groups_too_large_for_memory_are_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "MAX_GROUP", 1000)
    path = write(tmp_path / "a.parquet", group=9, image=pa.array(rows(), HUB))
    with pytest.raises(DataError, match=r"row group 0 holds .* smaller row groups"):
        read_frame(path, "0", Reading())
