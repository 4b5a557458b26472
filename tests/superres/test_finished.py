"""A finished point is known by what it was made of, before anything is opened."""

from dataclasses import replace

import pytest

from vaescreen.registry.candidate import Candidate
from vaescreen.storage import beside_namesakes, read_json
from vaescreen.superres.finished import Wanted, finished_point
from vaescreen.superres.outputs import outputs_path
from vaescreen.superres.paths import point_files, point_path
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


def test_two_data_sets_of_one_name_keep_their_points(candidate, recipe, phantoms, tmp_path, caplog):
    recipe = replace(recipe, crop=32, samples=12, batch=2)
    one, other = phantoms(), phantoms(seed=1)
    assert one.name == other.name
    wanted = Wanted(outputs=True)
    first = make_reference(candidate, one, recipe, tmp_path, wanted=wanted)
    second = make_reference(candidate, other, recipe, tmp_path)
    path = point_path(tmp_path, recipe.name, one.name, candidate.name, 0)
    aside = beside_namesakes(path, one.fingerprint)
    assert caplog.messages == [f"{path} was of other images of that name; it is kept as {aside}"]
    assert finished_point(candidate, one, recipe, tmp_path, 0, wanted) == first
    assert finished_point(candidate, other, recipe, tmp_path, 0) == second
    assert read_json(path) == second
    assert make_reference(candidate, one, recipe, tmp_path) == first, "nothing is trained again"
    assert [file.path for file in point_files(tmp_path)] == [path], "what was set aside ranks nobody"
    assert outputs_path(aside).is_file()
