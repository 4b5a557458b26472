"""Publishing that is killed at any moment: the next run ends with the same bytes, and nothing is left behind."""

import random
import shutil
from pathlib import Path

import pytest
from publishing import publish_in_child
from simulated import Simulated


@pytest.fixture
def known(published: Path, cache: Path, tmp_path: Path) -> Path:
    """A cache that knows the reference points, but no page of a data set."""
    copy = shutil.copytree(cache / "pages", tmp_path / "known" / "pages")
    for kept in copy.iterdir():
        if '"reports"' not in kept.read_text():
            kept.unlink()
    return copy.parent


def files(folder: Path) -> dict[Path, bytes]:
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("kills", [3, pytest.param(25, marks=pytest.mark.slow)])
def test_the_run_after_a_kill_ends_with_the_bytes_of_an_undisturbed_one(
    simulated: Simulated, known: Path, tmp_path: Path, kills: int
) -> None:
    out, own, undisturbed = tmp_path / "out", tmp_path / "cache", tmp_path / "undisturbed"
    seconds = publish_in_child(simulated.folder, undisturbed, shutil.copytree(known, tmp_path / "first"))
    expected, moments = files(undisturbed), random.Random(kills)
    assert Path("chest.md") in expected
    for _ in range(kills):
        shutil.rmtree(own, ignore_errors=True)
        shutil.copytree(known, own)
        publish_in_child(simulated.folder, out, own, moments.uniform(0.4, 1.0) * seconds)
        left = {name: data for name, data in files(out).items() if name.suffix != ".tmp"}
        assert left.items() <= expected.items(), "what is there is whole"
        for name in list(left)[::2]:
            (out / name).unlink()
    publish_in_child(simulated.folder, out, own)
    assert files(out) == expected
    assert [path for path in own.rglob("*") if path.suffix in {".tmp", ".damaged"}] == []
