"""The same files have the same fingerprint wherever, whenever and in whatever order they were written."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vaescreen.images import open_data

nibabel = pytest.importorskip("nibabel")


def write_volume(path: Path, voxels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(voxels, np.diag([1.0, 1.0, 4.0, 1.0])), path)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    random = np.random.default_rng(0)
    for split, count in (("train", 4), ("val", 1), ("test", 2)):
        for number in range(count):
            write_volume(
                folder / split / f"{number}" / "t1.nii.gz", random.integers(0, 900, (32, 32, 5), np.int16)
            )
            pixels = random.integers(0, 256, (32, 32), np.uint8)
            Image.fromarray(pixels).save(folder / split / f"picture-{number}.png")
    return folder


def copied(folder: Path, to: Path) -> Path:
    """Another checkout: written in the opposite order, at another time, under another name."""
    for number, path in enumerate(
        sorted((path for path in folder.rglob("*") if path.is_file()), reverse=True)
    ):
        target = to / path.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        os.utime(target, (10**9 + number, 10**9 - number))
    return to


def test_two_checkouts_have_one_fingerprint(checkout: Path, tmp_path: Path) -> None:
    one = open_data(checkout, size=32)
    other = open_data(copied(checkout, tmp_path / "elsewhere" / "under another name"), size=32)
    assert other.fingerprint == one.fingerprint
    assert other.ids("train") == one.ids("train")
    assert len(one.ids("test")) == 2 * (1 + 5)


def test_one_pixel_changes_it(checkout: Path, tmp_path: Path) -> None:
    copy = copied(checkout, tmp_path / "copy")
    with Image.open(copy / "test" / "picture-1.png") as file:
        pixels = np.array(file)
    pixels[3, 5] ^= 1
    Image.fromarray(pixels).save(copy / "test" / "picture-1.png")
    assert open_data(copy, size=32).fingerprint != open_data(checkout, size=32).fingerprint


def test_one_voxel_changes_it(checkout: Path, tmp_path: Path) -> None:
    copy = copied(checkout, tmp_path / "copy")
    path = copy / "train" / "2" / "t1.nii.gz"
    voxels = np.asarray(nibabel.load(path).dataobj).copy()
    voxels[16, 16, 2] += 7 if 100 < voxels[16, 16, 2] < 800 else 400 - voxels[16, 16, 2]
    write_volume(path, voxels)
    assert open_data(copy, size=32).fingerprint != open_data(checkout, size=32).fingerprint
