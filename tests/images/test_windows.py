"""A window is one for all formats, in the unit of the files; a set that hardly uses the gray range is warned of."""

from collections.abc import Callable
from pathlib import Path

import h5py
import nibabel
import numpy as np
import pytest
from dicom_files import write_dicom
from PIL import Image

from vaescreen.errors import DataError
from vaescreen.images import open_data
from vaescreen.registry.reading import Window

VALUES = np.random.default_rng(0).integers(0, 4096, (12, 24, 24)).astype(np.uint16)
"""Twelve bits in sixteen, an image for each of twelve files or slices."""


def each(suffix: str, save: Callable[[Path, np.ndarray], object]) -> Callable[[Path], None]:
    return lambda folder: (
        [save(folder / f"{n:02d}{suffix}", image) for n, image in enumerate(VALUES)] and None
    )


def as_nifti(path: Path, image: np.ndarray) -> None:
    turned = image.astype(np.int16)[::-1, ::-1].T[..., None]
    nibabel.save(nibabel.Nifti1Image(turned, np.eye(4)), path)


def as_hdf5(path: Path, image: np.ndarray) -> None:
    with h5py.File(path, "w") as file:
        file["image"] = image


WRITERS: dict[str, Callable[[Path], None]] = {
    "PNG": each(".png", lambda path, image: Image.fromarray(image).save(path)),
    "TIFF": each(".tif", lambda path, image: Image.fromarray(image).save(path)),
    "PGM": each(
        ".pgm", lambda path, image: path.write_bytes(b"P5 24 24 65535\n" + image.astype(">u2").tobytes())
    ),
    "DICOM": each(".dcm", lambda path, image: write_dicom(path, image, PatientID=path.stem)),
    "NIfTI": each(".nii", as_nifti),
    "NumPy": each(".npy", np.save),
    "HDF5": each(".h5", as_hdf5),
}


def images_of(folder: Path, **options: object) -> dict[str, np.ndarray]:
    data = open_data(folder, size=None, **options)  # type: ignore[arg-type]
    return {
        batch.ids[0][:2]: batch.images[0, 0].numpy()
        for split in ("train", "val", "test")
        for batch in data.batches(split, 1)
    }


@pytest.mark.parametrize("kind", WRITERS)
def test_limits_are_black_and_white_in_the_unit_of_the_files(tmp_path: Path, kind: str) -> None:
    WRITERS[kind](tmp_path)
    found = images_of(tmp_path, window="1000,3000")
    assert len(found) == len(VALUES)
    for name, gray in found.items():
        expected = ((VALUES[int(name)].astype(float) - 1000) / 2000).clip(0, 1)
        np.testing.assert_allclose(gray, expected, atol=1e-5)


@pytest.mark.parametrize("kind", WRITERS)
def test_auto_is_one_window_of_all_train_images(tmp_path: Path, kind: str) -> None:
    WRITERS[kind](tmp_path)
    data = open_data(tmp_path, size=None, window="auto")
    train = [VALUES[int(name[:2])] for name in data.ids("train")]
    low, high = np.percentile(np.stack(train), [0.5, 99.5])
    assert data.description["reading"]["window"] == str(Window("level", (low, high)))
    for batch in data.batches("test", 1):
        expected = ((VALUES[int(batch.ids[0][:2])].astype(float) - low) / (high - low)).clip(0, 1)
        np.testing.assert_allclose(batch.images[0, 0], expected, atol=1e-5)


def test_a_window_changes_the_fingerprint_and_is_recorded(tmp_path: Path) -> None:
    WRITERS["PNG"](tmp_path)
    plain, windowed = open_data(tmp_path, size=None), open_data(tmp_path, size=None, window="0,4095")
    assert plain.fingerprint != windowed.fingerprint
    assert windowed.description["reading"]["window"] == "0,4095"


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [("-160,240", -160, 240), ("1e3, 2.5e3", 1000, 2500), ("level 40,400", -160, 240), ("+.5,1", 0.5, 1)],
)
def test_text_becomes_limits(text: str, low: float, high: float) -> None:
    assert Window.parse(text) == Window("level", (low, high))


@pytest.mark.parametrize(
    "text", ["3,1", "1,1", "dark", "1", "level 40,0", "percentile 1,101", "1,2,3", "nan,1"]
)
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(DataError, match="is not understood; give LOW,HIGH"):
        Window.parse(text)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "DICOM"])
def test_a_set_that_hardly_uses_the_gray_range_is_warned_of(tmp_path: Path, kind: str) -> None:
    WRITERS[kind](tmp_path)
    plain = open_data(tmp_path, size=None)
    assert any("6.2 % of the gray range" in warning for warning in plain.warnings)
    assert plain.description["gray_range"][1] < 0.07
    assert not open_data(tmp_path, size=None, window="auto").warnings


def test_one_bright_image_does_not_hide_that_all_others_are_dark(tmp_path: Path) -> None:
    for number in range(40):
        bright = 65535 if number == 0 else 4095
        image = np.random.default_rng(number).integers(0, bright, (16, 16)).astype(np.uint16)
        Image.fromarray(image).save(tmp_path / f"{number}.png")
    assert any("of the gray range" in warning for warning in open_data(tmp_path, size=None).warnings)


def test_choices_that_nothing_obeys_are_refused(tmp_path: Path) -> None:
    WRITERS["PNG"](tmp_path)
    with pytest.raises(DataError, match="leave --window"):
        open_data("chest-phantom", window="0,1")
