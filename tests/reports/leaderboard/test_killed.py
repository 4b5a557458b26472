"""Publishing that is killed at any moment: the next run ends with the same bytes, and nothing is left behind."""

import random
import shutil
from pathlib import Path

import pytest
from publishing import publish_in_child
from simulated import Simulated


def files(folder: Path) -> dict[Path, bytes]:
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("kills", [3, pytest.param(25, marks=pytest.mark.slow)])
def test_the_run_after_a_kill_ends_with_the_bytes_of_an_undisturbed_one(
    simulated: Simulated, tmp_path: Path, kills: int
) -> None:
    shutil.rmtree(simulated.folder / "reference")
    out, cache, undisturbed = (tmp_path / name for name in ("out", "cache", "undisturbed"))
    seconds = publish_in_child(simulated.folder, undisturbed, tmp_path / "first")
    expected, moments = files(undisturbed), random.Random(kills)
    assert Path("chest.md") in expected
    for _ in range(kills):
        shutil.rmtree(cache, ignore_errors=True)
        publish_in_child(simulated.folder, out, cache, moments.uniform(0.4, 1.0) * seconds)
        left = {name: data for name, data in files(out).items() if name.suffix != ".tmp"}
        assert left.items() <= expected.items(), "what is there is whole"
        for name in list(left)[::2]:
            (out / name).unlink()
    publish_in_child(simulated.folder, out, cache)
    assert files(out) == expected
    assert [path for path in cache.rglob("*") if path.suffix in {".tmp", ".damaged"}] == []
