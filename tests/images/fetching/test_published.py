"""The data sets of the paper through their shipped entries: the user names the folder, all else is known."""

from pathlib import Path

import numpy as np
import pytest

from vaescreen.images import DataSet, declared, open_data
from vaescreen.images.adding import Statement, add_data_set


def opened(name: str, folder: Path, tmp_path: Path, **stated: str) -> DataSet:
    registry = tmp_path / "registry.yaml"
    add_data_set(name, folder, registry, Statement(**stated))  # type: ignore[arg-type]
    return open_data(declared(name, registry), size=32)


def smooth(random: np.random.Generator, *shape: int) -> np.ndarray:
    return random.integers(0, 200, shape, np.uint8) // 2 + np.arange(shape[-1], dtype=np.uint8)


class TestMrnet:
    SLICES = 7

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        for part, cases in (("train", range(4)), ("valid", range(1130, 1133))):
            for plane in ("axial", "coronal", "sagittal"):
                place = tmp_path / "MRNet-v1.0" / part / plane
                place.mkdir(parents=True)
                for case in cases:
                    random = np.random.default_rng([case, len(plane)])
                    np.save(place / f"{case:04}.npy", smooth(random, self.SLICES, 32, 32))
        return tmp_path / "MRNet-v1.0"

    def test_the_middle_sagittal_slice_of_each_case(self, folder, tmp_path):
        data = opened("mrnet", folder, tmp_path)
        assert data.ids("test") == tuple(f"valid/sagittal/{case}/3" for case in (1130, 1131, 1132))
        assert data.patients("test") == ("1130", "1131", "1132")
        assert data.ids("train") == tuple(f"train/sagittal/{case:04}/3" for case in range(4))
        assert data.ids("val") == ()
        assert data.description["slices_per_volume"] == 1
        (batch,) = data.batches("test", 8)
        for case, image in zip((1130, 1131, 1132), batch.images[:, 0].numpy(), strict=True):
            stack = np.load(folder / f"valid/sagittal/{case}.npy")
            gray = stack[self.SLICES // 2] / 255
            np.testing.assert_allclose(image, gray, atol=1e-6)

    def test_another_plane_if_the_user_says_so(self, folder, tmp_path):
        data = opened("mrnet", folder, tmp_path, series="axial")
        assert data.ids("test")[0] == "valid/axial/1130/3"
        assert data.description["series"] == "axial"


class TestBrats:
    SHAPE = (32, 32, 80)

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        nibabel = pytest.importorskip("nibabel", reason="nibabel is not installed")
        for patient, visit in ((0, 0), (2, 0), (3, 0), (3, 1), (5, 0), (7, 0)):
            name = f"BraTS-GLI-{patient:05}-{visit:03}"
            (tmp_path / "training" / name).mkdir(parents=True)
            for what in ("t2f", "t1c", "seg"):
                values = smooth(np.random.default_rng([patient, visit]), *self.SHAPE)
                image = nibabel.Nifti1Image(values.astype(np.int16), np.diag([-1, -1, 1, 1]))
                nibabel.save(image, tmp_path / "training" / name / f"{name}-{what}.nii.gz")
        return tmp_path / "training"

    def test_twenty_flair_slices_of_the_middle_half_split_by_patient(self, folder, tmp_path):
        data = opened("brats-2023", folder, tmp_path)
        ids = [id_ for split in ("train", "val", "test") for id_ in data.ids(split)]
        assert len(ids) == 6 * 20
        assert all("-t2f/axial-" in id_ for id_ in ids)
        taken = [int(id_.rpartition("-")[2]) for id_ in ids if "00000-000" in id_]
        assert taken == [21 + 2 * number for number in range(20)], "of slices 20 to 59"
        patients = {split: set(data.patients(split)) for split in ("train", "val", "test")}
        assert patients["train"] | patients["val"] | patients["test"] == {
            f"BraTS-GLI-{patient:05}" for patient in (0, 2, 3, 5, 7)
        }
        assert sum(map(len, patients.values())) == 5
