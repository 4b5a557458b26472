"""A file that was damaged anywhere gives an image in [0, 1] or one reason: no other exception, no hang, no bomb.

For longer than a test may take: `python benchmarks/damaged_files.py`.
"""

from pathlib import Path
from random import Random

import pytest
from damage import HEADERS, look_at, look_at_damaged
from valid_files import FORMATS, valid_files


@pytest.mark.parametrize("kind", FORMATS)
def test_undamaged_files_are_read(tmp_path: Path, kind: str) -> None:
    for name, data in valid_files(kind).items():
        (tmp_path / name).write_bytes(data)
    unread = [path.name for path in tmp_path.iterdir() if not (path.suffix in HEADERS or look_at(path))]
    assert unread == []


@pytest.mark.parametrize("kind", FORMATS)
def test_damaged_files_give_an_image_or_a_reason(tmp_path: Path, kind: str) -> None:
    usable = sum(
        look_at_damaged(tmp_path / str(number), valid_files(kind), Random(f"{kind} {number}"))
        for number in range(50)
    )
    assert usable, "after a little damage many files can still be read"


@pytest.mark.parametrize("second", [8, 16], ids=["itself", "within itself"])
def test_pages_of_a_tiff_that_go_round_in_a_circle_come_to_an_end(tmp_path: Path, second: int) -> None:
    data = bytearray(valid_files("TIFF")["tiles.tif"])
    first = int.from_bytes(data[4:8], "little")
    tags = int.from_bytes(data[first : first + 2], "little")
    after = first + 2 + 12 * tags
    data[after : after + 4] = second.to_bytes(4, "little")
    (tmp_path / "a.tif").write_bytes(data)
    assert look_at(tmp_path / "a.tif") <= 2
