"""What is no file, or leads nowhere, is named and never waited for, wherever a path is taken from."""

import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from small import write_pictures

from vaescreen.errors import DataError
from vaescreen.images import open_data

RAW = {
    ".mhd": "ObjectType = Image\nNDims = 3\nDimSize = 24 24 9\nElementType = MET_UCHAR\nElementDataFile = v.raw\n",
    ".nhdr": "NRRD0004\ntype: uchar\ndimension: 3\nsizes: 24 24 9\nencoding: raw\ndata file: v.raw\n\n",
}

Special = Callable[[Path], object]
SPECIAL: list[Special] = [
    os.mkfifo,
    lambda path: path.symlink_to("/dev/zero"),
    lambda path: path.symlink_to(path.name),
    lambda path: path.symlink_to("absent"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_pictures(tmp_path / "data", count=4)


@pytest.mark.parametrize("make", SPECIAL)
@pytest.mark.parametrize(
    "name", ["manifest.csv", "metadata.csv", "metadata.jsonl", "x.zip", "DICOMDIR", "x.h5"]
)
def test_what_is_no_file_does_not_stop_a_folder(folder: Path, name: str, make: Special) -> None:
    make(folder / name)
    data = open_data(folder, size=24)
    assert name in {entry.path for entry in (*data.skipped, *data.passed_over)}


@pytest.mark.parametrize("make", SPECIAL)
@pytest.mark.parametrize("name", ["x", "x.csv", "x.json", "x.zip", "x.tar.gz", "x.npz", "x.nii.gz"])
def test_what_is_no_file_cannot_be_a_data_set(tmp_path: Path, name: str, make: Special) -> None:
    make(tmp_path / name)
    with pytest.raises(DataError, match=str(tmp_path / name)):
        open_data(tmp_path / name, size=24)


@pytest.mark.parametrize("make", SPECIAL)
@pytest.mark.parametrize("suffix", RAW)
def test_pixels_beside_a_header_lie_in_a_file(folder: Path, suffix: str, make: Special) -> None:
    (folder / f"v{suffix}").write_text(RAW[suffix])
    make(folder / "v.raw")
    [skipped] = [entry for entry in open_data(folder, size=24).skipped if entry.path == f"v{suffix}"]
    assert "put v.raw beside it" in skipped.reason


def test_only_files_of_an_archive_are_read(folder: Path, tmp_path: Path) -> None:
    kinds = {
        "pipe": tarfile.FIFOTYPE,
        "device": tarfile.CHRTYPE,
        "link": tarfile.SYMTYPE,
        "copy": tarfile.LNKTYPE,
    }
    with tarfile.open(tmp_path / "all.tar", "w") as archive:
        archive.add(folder, "all")
        for name, kind in kinds.items():
            info = tarfile.TarInfo(f"all/{name}.png")
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
    data = open_data(tmp_path / "all.tar", size=24)
    assert {entry.path for entry in data.skipped} == {f"{name}.png" for name in kinds}


def test_links_to_folders_are_not_followed_round_and_round(folder: Path) -> None:
    (folder / "here").symlink_to(".")
    (folder / "above").symlink_to(folder.parent)
    assert {entry.path for entry in open_data(folder, size=24).skipped} == {"here", "above"}


@pytest.mark.parametrize("place", ["n" * 300, "/" + "n" * 300, "/" + "n/" * 3000, "/a\0b"])
def test_names_that_no_file_can_have_do_not_exist(place: str) -> None:
    with pytest.raises(DataError, match=r"does not exist|unknown data set"):
        open_data(place if "/" not in place else Path(place), size=24)


def test_a_list_may_name_what_no_file_can_be_called(folder: Path) -> None:
    for name in ("n" * 300 + ".png", "a\0.png", "/dev/zero"):
        for table in (folder / "manifest.csv", folder / "list.csv"):
            table.write_text(f"file,split,patient_id\n{name},train,1\n")
            with pytest.raises(DataError, match=r"line 2: .*(does not exist|not inside)"):
                open_data(folder if table.name == "manifest.csv" else table, size=24)


def test_folders_deeper_than_a_path_may_be_are_named(folder: Path) -> None:
    here = Path.cwd()
    os.chdir(folder)
    try:
        for _ in range(30):
            Path("d" * 200).mkdir()
            os.chdir("d" * 200)
    finally:
        os.chdir(here)
    [skipped] = open_data(folder, size=24).skipped
    assert "a folder that cannot be read (File name too long)" in skipped.reason


@pytest.mark.slow
def test_a_hundred_thousand_entries_are_walked(folder: Path) -> None:
    (folder / "others").mkdir()
    for number in range(100_000):
        (folder / "others" / f"{number}.txt").touch()
    data = open_data(folder, size=24)
    assert len(data.passed_over) == 100_000
    assert np.isfinite(next(iter(data.batches("train", 1))).images).all()
