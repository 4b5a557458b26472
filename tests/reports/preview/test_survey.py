"""A whole data set looked at: what was planted is found, by name, and nothing else."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vaescreen.images import open_data
from vaescreen.reports.preview.report import preview
from vaescreen.reports.preview.survey import Survey, survey

SHARED = Path(__file__).parents[4] / "shared" / "data"
NAMES = {
    "train": [f"a{n}.png" for n in range(5)],
    "val": [f"b{n}.png" for n in range(2)],
    "test": [f"c{n}.png" for n in range(3)],
}


def found(seen: Survey) -> dict[str, tuple[str, ...]]:
    return {finding.check.name: finding.ids for finding in seen.findings if finding.ids}


def change(file: Path, pixels: np.ndarray) -> None:
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(file)


def test_good_images_leave_nothing_to_say(write_textures) -> None:
    seen = survey(open_data(write_textures(**NAMES), size=None))
    assert found(seen) == {}
    assert not any(finding.is_warning for finding in seen.findings)
    assert set(seen.histograms) == set(seen.spectra) == {"train", "val", "test"}
    assert all(histogram.sum() == pytest.approx(1) for histogram in seen.histograms.values())


def test_what_is_planted_is_found_by_name(write_textures) -> None:
    folder = write_textures(**NAMES)
    pixels = {file.stem: np.asarray(Image.open(file)).astype(float) for file in folder.glob("*.png")}
    framed = pixels["a0"] * 0.5 + 64
    framed[:9] = 0
    change(folder / "a0.png", framed)
    change(folder / "a1.png", pixels["a1"] * 2)
    change(folder / "b0.png", (pixels["b0"] // 8) * 8)
    small = Image.fromarray(pixels["b1"].astype(np.uint8)).resize((64, 64), Image.Resampling.LANCZOS)
    small.resize((128, 128), Image.Resampling.LANCZOS).save(folder / "b1.png")
    change(folder / "c2.png", pixels["a3"] * 0.9 + 5)
    Image.open(folder / "c1.png").save(folder / "c1.jpg", quality=20)
    Image.open(folder / "c1.jpg").save(folder / "c1.png")
    seen = survey(open_data(folder, size=None))
    planted = found(seen)
    assert planted["uniform frame"] == ("a0",)
    assert planted["clipped values"] == ("a1",)
    assert "b0" in planted["missing gray levels"]
    assert "b1" in planted["upsampled"]
    assert planted["JPEG blocks"] == ("c1",)
    assert planted["near-duplicates"] == ("c2",)
    assert [pair[:2] for pair in seen.duplicates] == [("a3", "c2")]


def test_the_same_picture_twice_in_one_split_is_no_leak(write_textures) -> None:
    folder = write_textures(**NAMES)
    change(folder / "a1.png", np.asarray(Image.open(folder / "a0.png")))
    assert survey(open_data(folder, size=None)).duplicates == ()


def test_a_report_counts_patients_and_warns(write_textures) -> None:
    folder = write_textures(**NAMES)
    change(folder / "c0.png", np.asarray(Image.open(folder / "a0.png")))
    seen = preview(folder)
    assert seen.data.size == 128
    assert seen.title == "kept: 10 images (real images)"
    copies, near = seen.warnings
    assert copies.startswith("patients patient-of-a0.png, patient-of-c0.png have 1 image in common")
    assert near.startswith("near-duplicates in 1 of 10 images: the same picture")
    (folder / "manifest.csv").unlink()
    assert "patients not found" in preview(folder).warnings[0]


@pytest.mark.parametrize("name", ["chest", "brain", "natural"])
@pytest.mark.skipif(not SHARED.is_dir(), reason="real images are not on this machine")
def test_real_images_give_few_false_alarms(name: str) -> None:
    seen = survey(open_data(SHARED / name, size=None, train_images=40, test_images=20))
    warned = {finding.check.name for finding in seen.findings if finding.is_warning}
    assert warned <= ({"clipped values"} if name == "natural" else set())
