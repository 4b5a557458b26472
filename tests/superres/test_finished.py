"""A finished point is known by what it was made of, before anything is opened."""

from dataclasses import replace

import pytest

from vaescreen.registry.candidate import Candidate
from vaescreen.superres.finished import finished_point
from vaescreen.superres.paths import point_path
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


def test_only_the_same_point_is_finished(candidate, recipe, phantoms, tmp_path):
    recipe = replace(recipe, crop=32, samples=12, batch=2)
    data = phantoms()
    assert finished_point(candidate, data, recipe, tmp_path, 0) is None
    made = make_reference(candidate, data, recipe, tmp_path)
    assert finished_point(candidate, data, recipe, tmp_path, 0) == made
    assert finished_point(candidate, data, recipe, tmp_path, 1) is None
    assert finished_point(candidate, data, replace(recipe, samples=14), tmp_path, 0) is None
    assert finished_point(candidate, phantoms(seed=1), recipe, tmp_path, 0) is None
    other = candidate.model_copy(update={"geometry": type(candidate.geometry)(2, 8)})
    assert finished_point(other, data, recipe, tmp_path, 0) is None
    assert point_path(tmp_path, "tiny", "few", "haar-f8c1", 0).is_file()
