"""A file that was damaged anywhere gives an image in [0, 1] or one reason: no other exception, no hang, no bomb.

For longer than a test may take: `python benchmarks/damaged_files.py`.
"""

from pathlib import Path

import pytest
from damage import LISTS, damaged, look_at, mutated
from hypothesis import HealthCheck, given, settings
from small import write_pictures
from valid_files import FORMATS, valid_files

QUICK = settings(
    max_examples=50,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.mark.parametrize("kind", FORMATS)
def test_undamaged_files_are_read(tmp_path: Path, kind: str) -> None:
    for name, data in valid_files(kind).items():
        (tmp_path / name).write_bytes(data)
        assert look_at(tmp_path / name), name


@pytest.mark.parametrize("kind", FORMATS)
def test_damaged_files_give_an_image_or_a_reason(tmp_path: Path, kind: str) -> None:
    @QUICK
    @given(mutated(kind))
    def check(file: tuple[str, bytes]) -> None:
        name, data = file
        (tmp_path / name).write_bytes(data)
        look_at(tmp_path / name)

    check()


def test_damaged_lists_name_pictures_or_give_a_reason(tmp_path: Path) -> None:
    first, second = sorted(write_pictures(tmp_path, count=2).iterdir())
    first.rename(tmp_path / "a.png")
    second.rename(tmp_path / "b.png")
    for name, data in LISTS.items():
        (tmp_path / name).write_bytes(data)
        assert look_at(tmp_path / name) == 2

    @settings(QUICK, max_examples=150)
    @given(damaged(LISTS))
    def check(file: tuple[str, bytes]) -> None:
        name, data = file
        (tmp_path / name).write_bytes(data)
        look_at(tmp_path / name)

    check()
