"""The cache is listed by kind, and deleted by kind."""

import json
import re
from pathlib import Path

import pytest


@pytest.fixture
def filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VAESCREEN_CACHE", str(tmp_path))
    for name, size in (
        ("latents/a/b.pt", 3_000_000),
        ("latents/c.pt", 1_000_000),
        ("results/scores/x/y.json", 10),
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(size))
    return tmp_path


def test_what_is_kept_by_kind(filled: Path, run) -> None:
    payload = json.loads(run("cache", "list", "--format", "json").stdout)
    rows = {row["kind"]: row for row in payload["rows"]}
    assert payload["folder"] == str(filled)
    assert (rows["latents"]["files"], rows["latents"]["mb"]) == (2, 4.0)
    assert rows["results"]["files"] == 1
    assert rows["training"]["files"] == 0


def test_only_what_is_named_is_deleted(filled: Path, run) -> None:
    result = run("cache", "clean", "latents", "training")
    assert result.exit_code == 0
    assert "4.0" in result.stdout
    assert not (filled / "latents").exists()
    assert (filled / "results/scores/x/y.json").exists()


def test_an_unknown_kind_is_refused(filled: Path, run) -> None:
    result = run("cache", "clean", "everything")
    assert result.exit_code == 2
    assert (filled / "latents").exists()


def test_every_folder_that_the_package_keeps_is_listed(run) -> None:
    source = Path(__file__).parents[2] / "vaescreen"
    kept = {
        name
        for path in source.rglob("*.py")
        for name in re.findall(r'cache_dir\(\) / "(\w+)"', path.read_text(encoding="utf-8"))
    }
    listed = {row["kind"] for row in json.loads(run("cache", "list", "--format", "json").stdout)["rows"]}
    assert kept <= listed
