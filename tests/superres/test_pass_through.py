"""How much of a gain in AE ceiling arrives in SR: means over the seeds that both have, image by image."""

import json
from pathlib import Path

import pandas as pd
import pytest

from vaescreen.autoencoders import fingerprint_of
from vaescreen.errors import ResultError
from vaescreen.registry.candidate import Candidate
from vaescreen.superres.pass_through import pass_through
from vaescreen.superres.paths import point_path


def codec(name: str, channels: int) -> Candidate:
    return Candidate.model_validate(
        {
            "name": name,
            "adapter": "linear",
            "source": {"basis": "dct"},
            "geometry": {"channels": channels, "factor": 4},
            "domain": "none",
            "family": "linear",
            "licence": "Apache-2.0",
            "training_data": "none",
        }
    )


def write(
    results: Path, name: str, seed: int, ceiling: float, sr: float, fingerprint: str, images: str = "abc"
):
    path = point_path(results, "tiny", "few", name, seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"fingerprint": fingerprint}))
    spread = [0.0, 1.0, 2.0]
    pd.DataFrame(
        {
            "image_id": list(images),
            "patient_id": list(images),
            "ae_ceiling": [ceiling + value for value in spread],
            "sr_psnr": [sr + value for value in spread],
        }
    ).to_parquet(path.with_suffix(".parquet"))


@pytest.fixture
def family(phantoms):
    parent, child, data = codec("parent", 2), codec("child", 3), phantoms()
    return parent, child, data, fingerprint_of(parent, data), fingerprint_of(child, data)


def test_gains_and_their_ratio(family, tmp_path):
    parent, child, data, old, new = family
    for seed, sr in ((0, 24.0), (1, 25.0), (7, 90.0)):
        write(tmp_path, "parent", seed, 30.0, sr, old)
    for seed, sr in ((0, 25.0), (1, 25.0)):
        write(tmp_path, "child", seed, 32.0, sr, new)
    (found,) = pass_through(tmp_path, parent, child, data)
    assert (found.recipe, found.seeds) == ("tiny", 2)
    assert found.ceiling.value == pytest.approx(2.0)
    assert found.sr.value == pytest.approx(0.5)
    assert found.percent == pytest.approx(25.0)


def test_points_of_other_weights_do_not_count(family, tmp_path):
    parent, child, data, old, _ = family
    write(tmp_path, "parent", 0, 30.0, 24.0, old)
    write(tmp_path, "child", 0, 32.0, 25.0, "of an earlier child")
    assert pass_through(tmp_path, parent, child, data) == []


def test_other_images_are_refused(family, tmp_path):
    parent, child, data, old, new = family
    write(tmp_path, "parent", 0, 30.0, 24.0, old)
    write(tmp_path, "child", 0, 32.0, 25.0, new, images="abd")
    with pytest.raises(ResultError, match="different images"):
        pass_through(tmp_path, parent, child, data)
