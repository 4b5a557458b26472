from pathlib import Path

import pytest
from small import write_pictures, write_registry


@pytest.fixture
def arguments(tmp_path: Path) -> tuple[Path | str, ...]:
    pictures, registry = write_pictures(tmp_path / "pictures"), write_registry(tmp_path)
    return "--data", pictures, "--registry", registry, "--results", tmp_path / "results"


def test_a_candidate_that_fails_is_named_and_the_exit_code_says_so(run, arguments) -> None:
    result = run("reference", "train", "impossible", *arguments)
    assert result.exit_code == 1
    assert "error: impossible on pictures: " in result.stderr
    assert "256 coefficients, not 257" in result.stderr


def test_names_are_checked_before_anything_is_trained(run, arguments) -> None:
    result = run("reference", "train", "dct-f16c4", "dct-f16c5", *arguments)
    assert result.exit_code == 1
    assert "did you mean 'dct-f16c4'?" in result.stderr
    assert "train" not in result.stdout


def test_status_of_nothing(run, tmp_path: Path) -> None:
    result = run("reference", "status", "--results", tmp_path)
    assert result.exit_code == 0
    assert result.stdout.startswith("0 reference points of recipe nano")
