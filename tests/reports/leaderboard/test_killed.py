"""Publishing that is killed at any moment: the next run ends with the same bytes, and nothing is left behind."""

import random
import shutil
from pathlib import Path

import pytest
from publishing import publish_in_child
from simulated import Simulated


@pytest.mark.parametrize("kills", [3, pytest.param(25, marks=pytest.mark.slow)])
def test_the_run_after_a_kill_ends_with_the_bytes_of_an_undisturbed_one(
    simulated: Simulated, published: Path, cache: Path, tmp_path: Path, kills: int
) -> None:
    out, own = tmp_path / "out", tmp_path / "cache"
    whole = publish_in_child(simulated.folder, tmp_path / "whole", shutil.copytree(cache, tmp_path / "first"))
    moments = random.Random(kills)
    for kill in range(kills):
        shutil.rmtree(own, ignore_errors=True)
        shutil.copytree(cache, own)
        if kill % 2:
            for page in (*(own / "pages").iterdir(), *out.glob("*/*")):
                page.unlink()
        publish_in_child(simulated.folder, out, own, moments.uniform(0.3, 1.0) * whole)
        for path in out.rglob("*"):
            whole_file = published / path.relative_to(out)
            assert path.is_dir() or path.suffix == ".tmp" or path.read_bytes() == whole_file.read_bytes()
    publish_in_child(simulated.folder, out, own)
    names = {path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert names == {
        path.relative_to(published): path.read_bytes() for path in published.rglob("*") if path.is_file()
    }
    assert [path for path in own.rglob("*") if path.suffix in {".tmp", ".damaged"}] == []
