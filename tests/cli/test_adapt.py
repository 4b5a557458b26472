import json
from pathlib import Path

import pytest
from small import write_pictures, write_registry

from vaescreen.registry.catalogue import Registry


@pytest.fixture
def arguments(tiny_dc, tmp_path: Path) -> tuple[Path | str, ...]:
    tiny_dc(factor=8).save_pretrained(tmp_path / "net")
    registry = write_registry(tmp_path, mine="{path: net}")
    return (
        *("--data", write_pictures(tmp_path / "pictures"), "--registry", registry, "--size", "32"),
        *("--steps", "4", "--check-every", "2", "--batch", "2", "--crop", "16", "--learning-rate", "1e-3"),
        *("--output", tmp_path / "new", "--results", tmp_path / "results"),
    )


def test_the_outcome_is_registered_and_its_gain_reported(run, arguments, tmp_path: Path) -> None:
    result = run("adapt", "mine", *arguments, "--part", "all", "--format", "json")
    assert result.exit_code == 0, result.stderr
    said = json.loads(result.stdout)
    assert said["title"] == "mine-pictures-all (from mine) on pictures (real images), 32x32 px"
    assert [gain["what"] for gain in said["gains"]] == ["AE ceiling"]
    assert said["pass_through"] == []
    assert Registry.load(tmp_path / "registry.yaml").candidate("mine-pictures-all").parent == "mine"
    again = run("adapt", "mine", *arguments, "--part", "all", "--format", "json")
    assert json.loads(again.stdout) == said
    assert "loss" not in again.stderr


def test_bad_choices_are_one_line(run, arguments) -> None:
    for wrong, message in (
        (("--part", "encoder"), "part is 'encoder'; give decoder or all"),
        (("--loss", "l3"), "loss is 'l3'; give l1 or l2"),
        (("--as", "dct-f16c4"), "'dct-f16c4' is another candidate already; choose another name with --as"),
    ):
        result = run("adapt", "mine", *arguments, *wrong)
        assert result.exit_code == 1
        assert message in result.stderr
        assert result.stderr.count("\n") == 1
