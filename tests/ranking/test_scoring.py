"""Scoring through the Python API, at a size, at a recipe's, and at the images' own."""

import numpy as np
import pytest
from PIL import Image
from small import write_pictures, write_registry

import vaescreen
from vaescreen.errors import CandidateError, DataError, RecipeError, RegistryError
from vaescreen.execution import Machine
from vaescreen.ranking.scoring import Workplace


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    return write_registry(tmp_path_factory.mktemp("registry"))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Ten of 64 x 64 pixels, two of 67 x 50."""
    folder = write_pictures(tmp_path_factory.mktemp("pictures"))
    for number in (3, 8):
        path = folder / f"picture-{number:02}.png"
        Image.fromarray(np.asarray(Image.open(path).resize((50, 67)))).save(path)
    return folder


@pytest.fixture(scope="module")
def native(pictures, registry, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAESCREEN_CACHE", str(tmp_path_factory.mktemp("cache")))
        return vaescreen.score(
            ["dct-f16c4", "impossible"],
            pictures,
            size=None,
            scale=2,
            at=Workplace(registry, machine=Machine(1)),
        )


def test_every_image_keeps_its_size(native):
    (card,) = native.cards
    assert card.view["size"] is None
    assert card.view["degradation"]["scale"] == 2
    assert card.counts["train_images"] + card.counts["test_images"] >= 10
    assert str(native.view) == "native size, lanczos x2"
    assert 5 < card.summary["conv_probe_psnr"] < card.summary["psnr"] < 60


def test_a_candidate_that_fails_does_not_stop_the_others(native):
    assert list(native.failed) == ["impossible"]
    assert "not 257" in native.failed["impossible"]


def test_what_cannot_be_scored_is_said_in_one_line(pictures, registry):
    with pytest.raises(CandidateError, match="not 257"):
        vaescreen.score(["impossible"], pictures, size=64, at=Workplace(registry))
    with pytest.raises(CandidateError, match="no candidate was named"):
        vaescreen.score([], pictures, size=64, at=Workplace(registry))
    with pytest.raises(RegistryError, match="dct-f16c4"):
        vaescreen.score(["dct-f16c5"], pictures, size=64, at=Workplace(registry))
    with pytest.raises(RecipeError, match="unknown recipe"):
        vaescreen.score(["dct-f16c4"], pictures, recipe="pico", at=Workplace(registry))
    with pytest.raises(DataError, match="2, 4, 8"):
        vaescreen.score(["dct-f16c4"], pictures, scale=3, at=Workplace(registry))
    with pytest.raises(DataError, match="native size"):
        vaescreen.score(["dct-f16c4"], "chest", size=None, at=Workplace(registry))
