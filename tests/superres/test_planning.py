"""What is missing, and how long it will take: from finished points, or from a short timing."""

import json
from dataclasses import replace

import pytest

from vaescreen.autoencoders.contract import Geometry
from vaescreen.registry.candidate import Candidate
from vaescreen.superres.paths import point_path
from vaescreen.superres.planning import Speeds, missing_points
from vaescreen.superres.reference import make_reference


@pytest.fixture
def candidate() -> Candidate:
    return Candidate.model_validate(
        {
            "name": "haar-f8c1",
            "adapter": "linear",
            "source": {"basis": "haar"},
            "geometry": {"channels": 1, "factor": 8},
            "domain": "none",
            "family": "linear",
            "licence": "Apache-2.0",
            "training_data": "none",
        }
    )


def test_finished_points_are_not_missing(candidate, phantoms, recipe, tmp_path):
    short, data = replace(recipe, samples=9), phantoms()
    make_reference(candidate, data, short, tmp_path, seed=1)
    missing = missing_points([candidate], data, short, [0, 1, 2], tmp_path)
    assert [(point.candidate.name, point.seed, point.samples) for point in missing] == [
        ("haar-f8c1", 0, 8),
        ("haar-f8c1", 2, 8),
    ]
    assert len(missing_points([candidate], phantoms(seed=1), short, [1], tmp_path)) == 1


def test_the_speed_is_the_median_of_points_of_the_same_factor_and_device(recipe, tmp_path):
    for seed, (factor, device, speed) in enumerate(
        [(8, "cpu", 100), (8, "cpu", 300), (8, "cpu", 110), (4, "cpu", 20), (8, "cuda", 5000)]
    ):
        path = point_path(tmp_path, "tiny", "few", "any", seed)
        path.parent.mkdir(parents=True, exist_ok=True)
        point = {
            "environment": {"device": device},
            "geometry": {"channels": 4, "factor": factor},
            "training": {"samples_per_second": speed},
        }
        path.write_text(json.dumps(point))
    speeds = Speeds(recipe, tmp_path, "cpu")
    assert speeds.of(Geometry(16, 8)) == (110, "finished points")
    assert speeds.of(Geometry(16, 4)) == (20, "finished points")


@pytest.mark.parametrize("conditioning", [("lr-latent",), ("lr-pixels", "lr-latent")])
def test_without_points_some_steps_are_timed(recipe, tmp_path, conditioning):
    speeds = Speeds(replace(recipe, conditioning=conditioning, target="latent"), tmp_path, "cpu")
    speed = speeds.of(Geometry(3, 8))
    assert speed.source == "a short timing"
    assert speed.samples_per_second > 0
    assert speeds.of(Geometry(3, 8)) == speed
