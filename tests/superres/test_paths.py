"""Names of result files: what is built is parsed again, and a folder is listed in order."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaescreen.errors import ResultError
from vaescreen.superres.paths import PointFile, parse_point_path, point_files, point_path

NAMES = st.from_regex(r"[a-z0-9][a-z0-9.+_-]{0,30}", fullmatch=True)


@given(NAMES, NAMES, NAMES, st.integers(0, 10**9))
def test_what_is_built_is_parsed_again(recipe, data, candidate, seed):
    path = point_path(Path("results"), recipe, data, candidate, seed)
    assert parse_point_path(path) == PointFile(path, recipe, data, candidate, seed)


@pytest.mark.parametrize("stem", ["medical-f4c4", "-seed1", "medical-f4c4-seed", "medical-f4c4-seed01"])
def test_other_names_are_refused(stem):
    with pytest.raises(ResultError, match=rf"{stem}\.json is not named CANDIDATE-seedN\.json"):
        parse_point_path(Path(f"reference/nano/chest/{stem}.json"))


def test_a_folder_is_listed_by_recipe_data_candidate_and_seed(tmp_path):
    wanted = [
        ("nano", "brain", "b-f4c4", 0),
        ("nano", "chest", "a-f4c4", 2),
        ("nano", "chest", "a-f4c4", 10),
        ("paper", "chest", "a-f4c4", 0),
    ]
    for place in reversed(wanted):
        path = point_path(tmp_path, *place)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
        path.with_suffix(".parquet").write_text("")
    assert [file[1:] for file in point_files(tmp_path)] == wanted
    assert [file[1:] for file in point_files(tmp_path, "paper")] == wanted[3:]
    assert point_files(tmp_path, "fast") == point_files(tmp_path / "nowhere") == []
