"""Phantom data sets, and the names by which data is opened."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from vaescreen.errors import DataError
from vaescreen.images import open_data
from vaescreen.images.generated import PHANTOMS
from vaescreen.images.phantoms import generate

SMALL = {"size": 32, "train_images": 3, "test_images": 2}


@pytest.mark.parametrize("name", PHANTOMS)
def test_phantoms_open_by_name(name: str) -> None:
    data = open_data(name, **SMALL)
    assert data.name == name
    assert data.kind == "phantom"
    assert [len(data.ids(split)) for split in ("train", "val", "test")] == [3, 20, 2]
    assert data.ids("train") == ("phantom-0001", "phantom-0004", "phantom-0007")
    assert data.patients("test") == ("phantom-0003", "phantom-0006")
    (batch,) = data.batches("test", 8)
    assert batch.images.shape == (2, 1, 32, 32)
    expected = generate(name.removesuffix("-phantom"), 5, 32)
    np.testing.assert_array_equal(batch.images[1, 0], expected)


def test_the_short_name_is_the_same_data() -> None:
    assert open_data("chest", **SMALL).fingerprint == open_data("chest-phantom", **SMALL).fingerprint


def test_splits_share_no_phantom_and_keep_theirs_when_more_are_asked_for() -> None:
    few, more = open_data("chest", **SMALL), open_data("chest", size=32, train_images=9, test_images=4)
    assert not set(more.ids("train")) & set(more.ids("test"))
    assert more.ids("test")[:2] == few.ids("test")
    (few_test,), (more_test,) = few.batches("test", 8), more.batches("test", 8)
    torch.testing.assert_close(more_test.images[:2], few_test.images, atol=0, rtol=0)


def test_another_seed_or_size_is_another_population() -> None:
    fingerprints = {
        open_data("chest", **SMALL | change).fingerprint for change in ({}, {"seed": 1}, {"size": 64})
    }
    assert len(fingerprints) == 3


def test_a_folder_with_a_phantoms_name_is_given_as_a_path(
    write_images: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_images("a.png", "b.png", "c.png", folder="chest")
    monkeypatch.chdir(folder.parent)
    assert open_data("./chest", size=32).kind == open_data(Path("chest"), size=32).kind == "real"
    assert open_data("chest", **SMALL).kind == "phantom"


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("ches", "unknown data set 'ches'; did you mean 'chest'? Give the path of a folder"),
        ("chest-fantom", "did you mean 'chest-phantom'?"),
        ("zzz", "unknown data set 'zzz'. Give the path of a folder"),
        ("no/such/folder", "no/such/folder does not exist; give a folder of images"),
    ],
)
def test_unknown_names_get_a_hint(spec: str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        open_data(spec)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": None}, "no native size"),
        ({"size": 100}, "multiple of 8"),
        ({"patient_pattern": "(.)"}, "leave the patient pattern out"),
        ({"test_images": 0}, "0 test images"),
    ],
)
def test_options_that_phantoms_cannot_have_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        open_data("chest", **SMALL | change)
