"""An archive given as the data set is read where it is: the images, ids and splits of the folder that was packed."""

import io
import os
import pickle
import stat
import subprocess
import sys
import tarfile
import tempfile
import time
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vaescreen.errors import DataError
from vaescreen.images import DataSet, Declaration, open_data, places
from vaescreen.registry.layouts import LAYOUTS

RNG = np.random.default_rng(4)
TARS = {".tar": "w", ".tar.gz": "w:gz", ".tgz": "w:gz", ".tar.bz2": "w:bz2", ".tar.xz": "w:xz"}


def png(path: Path, side: int = 32) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(RNG.integers(0, 256, (side, side), np.uint8)).save(path)
    return path


def by_folders(folder: Path) -> None:
    for name in ("train/p1_1", "train/p1_2", "train/p2_1", "val/p3_1", "test/p4_1"):
        png(folder / f"{name}.png")
    png(folder / "train/p1_1_mask.png")
    png(folder / "__MACOSX/train/._p1_1.png")
    (folder / "notes.txt").write_text("as scanned")


def by_manifest(folder: Path) -> None:
    rows = [("b/ö 1.png", "train", "P1"), ("b/2.png", "train", "P1"), ("b/3.png", "test", "P2")]
    for name, *_ in rows:
        png(folder / name)
    lines = "\n".join(";".join(row) for row in [("file", "split", "patient_id"), *rows])
    (folder / "manifest.csv").write_text(lines)


def by_metadata(folder: Path) -> None:
    names = [f"{number}.png" for number in range(4)]
    for name in names:
        png(folder / name)
    rows = [f"{name},p{number // 2}" for number, name in enumerate(names)]
    (folder / "metadata.csv").write_text("\n".join(["file_name,patient_id", *rows]))


def of_pairs(folder: Path) -> None:
    nibabel = pytest.importorskip("nibabel")
    for number in range(2):
        image = nibabel.Nifti1Pair(RNG.integers(0, 999, (16, 16, 3), np.int16), np.diag([1, 1, 4, 1]))
        (folder / "deep").mkdir(exist_ok=True)
        nibabel.save(image, folder / f"deep/case{number}.hdr")
    values = RNG.integers(0, 999, (4, 16, 16), np.int16)
    (folder / "values of it.bin").write_bytes(values.tobytes())
    (folder / "other.mhd").write_text(
        "ObjectType = Image\nNDims = 3\nDimSize = 16 16 4\nElementType = MET_SHORT\nElementSpacing = 1 1 3\n"
        "ElementByteOrderMSB = False\nElementDataFile = values of it.bin\n"
    )


def packed(folder: Path, suffix: str, top: str = "") -> Path:
    """Pack a folder, as what it holds or below a folder of its own."""
    archive = folder.with_name(f"{folder.name}{suffix}")
    names = {path: path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*"))}
    if suffix == ".zip":
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
            for path, name in names.items():
                file.write(path, top + name)
    else:
        with tarfile.open(archive, TARS[suffix]) as tar:
            for path, name in names.items():
                tar.add(path, top + name, recursive=False)
    return archive


def delivered(data: DataSet) -> dict[str, bytes]:
    return {
        id_: image.numpy().tobytes()
        for split in ("train", "val", "test")
        for batch in data.batches(split, 1)
        for id_, image in zip(batch.ids, batch.images, strict=True)
    }


def same(archive: Path, folder: Path, **choices: object) -> DataSet:
    """Open both, and compare all that a user sees of them."""
    found, expected = (open_data(place, size=32, **choices) for place in (archive, folder))  # type: ignore[arg-type]
    assert found.fingerprint == expected.fingerprint
    assert delivered(found) == delivered(expected)
    for what in ("name", "warnings"):
        assert getattr(found, what) == getattr(expected, what)
    for what in ("split_rule", "patient_rule", "gray", "left_out"):
        assert found.description[what] == expected.description[what]
    assert found.description["source"] == "archive"
    return found


@pytest.mark.parametrize("make", [by_folders, by_manifest, by_metadata, of_pairs])
@pytest.mark.parametrize("suffix", [".zip", ".tar", ".tar.gz"])
@pytest.mark.parametrize("top", ["", "data/"])
def test_an_archive_is_the_folder_that_was_packed(
    tmp_path: Path, make: Callable[[Path], None], suffix: str, top: str
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    make(folder)
    same(packed(folder, suffix, top), folder)


@pytest.mark.parametrize("suffix", TARS)
def test_all_compressions_of_a_tar(tmp_path: Path, suffix: str) -> None:
    by_folders(folder := tmp_path / "data")
    same(packed(folder, suffix), folder)


def test_the_content_of_an_archive_decides_what_it_is(tmp_path: Path) -> None:
    by_folders(folder := tmp_path / "data")
    same(packed(folder, ".tar").rename(tmp_path / "data.zip"), folder)


def test_layouts_patterns_and_windows_hold_in_an_archive(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    for number in range(3):
        for part, case in (("train", number), ("valid", 5 + number)):
            path = folder / f"{part}/sagittal/{case:04}.npy"
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, RNG.integers(0, 255, (2, 32, 32), np.uint8))
    archive = packed(folder, ".zip")
    layout = LAYOUTS["mrnet"]
    first, second = (
        open_data(Declaration("m", place, layout=layout, series="sagittal"), size=32)
        for place in (folder, archive)
    )
    assert first.fingerprint == second.fingerprint
    assert second.description["layout"] == "mrnet"
    assert same(archive, folder, patient_pattern=r"/(\d{4})\.npy", window="auto").patients("train")


def test_nothing_is_unpacked_and_the_copy_goes_with_the_data(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    by_folders(folder := tmp_path / "data")
    data = open_data(packed(folder, ".zip"), size=32)
    assert len(delivered(data)) == 5
    assert sum(path.is_file() for path in scratch.rglob("*")) == 1
    assert not [path for path in cache.rglob("*") if path.suffix in {".png", ".tar"}]
    del data
    assert list(scratch.iterdir()) == []


def test_workers_open_the_archive_for_themselves(tmp_path: Path) -> None:
    by_folders(folder := tmp_path / "data")
    data = open_data(packed(folder, ".tar.gz"), size=32)
    assert delivered(pickle.loads(pickle.dumps(data))) == delivered(data)


def test_the_plain_tar_of_a_compressed_one_is_made_once_and_goes_when_unused(
    tmp_path: Path, cache: Path
) -> None:
    by_folders(folder := tmp_path / "data")
    archive = packed(folder, ".tar.gz")
    open_data(archive, size=32)
    [plain] = (cache / "unpacked").glob("*.tar")
    made = plain.stat().st_ino
    open_data(archive, size=32)
    assert plain.stat().st_ino == made
    long_ago = time.time() - 86400 * 30
    os.utime(plain, (long_ago, long_ago))
    png(folder / "train/more.png")
    open_data(packed(folder, ".tgz"), size=32)
    assert not plain.exists()


def test_two_processes_share_one_plain_tar(tmp_path: Path, cache: Path) -> None:
    by_folders(folder := tmp_path / "data")
    archive = packed(folder, ".tar.xz")
    code = (
        "import sys, pathlib; from vaescreen.images.places import Archive; Archive(pathlib.Path(sys.argv[1]))"
    )
    both = [subprocess.Popen([sys.executable, "-c", code, archive]) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    assert [path.suffix for path in sorted((cache / "unpacked").iterdir())] == [".tar", ".lock"]


def test_private_data_leaves_nothing_of_an_archive_in_the_cache(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAESCREEN_CONFIG", str(tmp_path / "config"))
    by_folders(folder := tmp_path / "data")
    data = open_data(packed(folder, ".tar.gz"), size=32, private=True)
    assert data.description["private"]
    assert not (cache / "unpacked").exists()


def _add(archive: Path, name: str, data: bytes = b"", kind: bytes = tarfile.REGTYPE) -> None:
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive, "a", zipfile.ZIP_DEFLATED) as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a name that stands twice
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = (stat.S_IFLNK | 0o777) << 16 if kind == tarfile.SYMTYPE else 0
            file.writestr(info, data)
        return
    with tarfile.open(archive, "a") as tar:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, "/etc/passwd"
        info.size = 0 if kind == tarfile.SYMTYPE else len(data)
        tar.addfile(info, io.BytesIO(data))


@pytest.mark.parametrize("suffix", [".zip", ".tar"])
def test_members_that_must_not_be_read_are_named_and_the_others_read(tmp_path: Path, suffix: str) -> None:
    by_folders(folder := tmp_path / "data")
    for number in range(3):
        png(folder / f"train/more{number}.png")
    archive = packed(folder, suffix)
    content = (folder / "test/p4_1.png").read_bytes()
    _add(archive, "../out.png", content)
    _add(archive, "/abs.png", content)
    _add(archive, "train/link.png", b"/etc/passwd", tarfile.SYMTYPE)
    _add(archive, "train/p2_1.png", content)
    _add(archive, "train/empty.png")
    data = open_data(archive, size=32)
    assert {each.path: each.reason for each in data.skipped} == {
        "../out.png": "would leave its folder",
        "/abs.png": "would leave its folder",
        "train/link.png": "is a link or a device",
        "train/p2_1.png": "stands twice in the archive",
        "train/empty.png": "the file is empty",
    }
    assert len(delivered(data)) == 7


def test_a_bomb_is_named_before_it_is_copied_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "MEMBER_ALWAYS_FINE", 10**5)
    by_folders(folder := tmp_path / "data")
    archive = packed(folder, ".zip")
    _add(archive, "train/zeros.png", bytes(10**6))
    [wrong] = open_data(archive, size=32).skipped
    assert wrong.path == "train/zeros.png"
    assert "times as large as it is packed; give a folder" in wrong.reason


def test_a_bomb_of_a_compressed_tar_stops(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places.archives, "ALWAYS_FINE", 1000)
    (folder := tmp_path / "data").mkdir()
    (folder / "zeros.png").write_bytes(bytes(10**6))
    with pytest.raises(DataError, match="would unpack to more than"):
        open_data(packed(folder, ".tar.gz"), size=32)
    assert {path.suffix for path in (cache / "unpacked").iterdir()} == {".lock"}


def _flip(archive: Path, mark: bytes, offset: int, value: bytes, last: bool = False) -> None:
    content = bytearray(archive.read_bytes())
    at = (content.rindex(mark) if last else content.index(mark)) + offset
    content[at : at + len(value)] = value
    archive.write_bytes(content)


@pytest.mark.parametrize(
    ("mark", "offset", "value", "reason"),
    [
        (b"PK\x01\x02", 8, b"\x01", "is encrypted"),
        (b"PK\x01\x02", 24, b"\x10\x00\x00\x00", "is damaged"),
        (b"PK\x01\x02", 10, b"\x63\x00", "is damaged"),
        (b"PK\x03\x04", 60, b"\xff\xff\xff\xff", "is damaged"),
    ],
)
def test_a_damaged_member_has_its_own_reason(
    tmp_path: Path, mark: bytes, offset: int, value: bytes, reason: str
) -> None:
    folder = tmp_path / "data"
    for name in ("train/a", "train/b", "train/c", "test/d", "test/e"):
        png(folder / f"{name}.png")
    archive = tmp_path / "data.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(folder.rglob("*.png")):
            file.write(path, path.relative_to(folder))
    _flip(archive, mark, offset, value, last=True)
    [wrong] = open_data(archive, size=32).skipped
    assert wrong.path == "train/c.png"
    assert reason in wrong.reason


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("no archive.zip", lambda content: b"<html>not found</html>"),
        ("cut.zip", lambda content: content[:-60]),
        ("directory.zip", lambda content: content.replace(b"PK\x01\x02", b"PK\x01\x09")),
        ("beyond.zip", lambda content: content[:-6] + b"\xff\xff\xff\xff\0\0"),
        ("empty.tar", lambda content: b""),
        ("pieces.tar.gz", lambda content: b"\x1f\x8b" + content[:50]),
    ],
)
def test_a_damaged_archive_is_refused_in_one_line(
    tmp_path: Path, name: str, damage: Callable[[bytes], bytes]
) -> None:
    by_folders(folder := tmp_path / "data")
    archive = tmp_path / name
    archive.write_bytes(damage(packed(folder, ".zip").read_bytes()))
    with pytest.raises(DataError) as caught:
        open_data(archive, size=32)
    assert "\n" not in str(caught.value)
    assert "damaged or no archive" in str(caught.value) or "is empty" in str(caught.value)


def test_an_archive_that_vanishes_is_said(tmp_path: Path) -> None:
    by_folders(folder := tmp_path / "data")
    data = open_data(archive := packed(folder, ".zip"), size=32)
    again = pickle.dumps(data)
    archive.unlink()
    with pytest.raises(DataError):
        pickle.loads(again)
