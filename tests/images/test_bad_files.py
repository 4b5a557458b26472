"""Nothing is lost on bad files: each is named with its reason, and good ones score as if it were not there."""

import json
import os
import re
import shutil
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from bad_files import AWKWARD_NAMES, BAD_FILES, NOISE, SIGN, chunk, cut, png, write_bad_files
from PIL import Image, ImageFile
from small import write_pictures, write_registry

from vaescreen import score
from vaescreen.errors import DataError
from vaescreen.images import DataOptions, open_data
from vaescreen.images.files import read_frame
from vaescreen.registry.reading import AS_FILES_SAY

MOST_MEMORY = 2 * 2**30
SIDE = 64


class Folders(NamedTuple):
    """The same good images with and without bad files beside them."""

    good: Path
    mixed: Path
    scratch: Path


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Folders]:
    root = tmp_path_factory.mktemp("bad")
    for name in ("good", "mixed"):
        write_pictures(root / name / "train", count=len(BAD_FILES), side=SIDE)
        write_pictures(root / name / "test", count=12, side=SIDE)
        for number, odd in enumerate(AWKWARD_NAMES):
            shutil.copyfile(
                root / name / "test" / f"picture-{number % 12:02}.png", root / name / "test" / odd
            )
    write_bad_files(root / "mixed" / "train")
    yield Folders(root / "good", root / "mixed", root)
    for path in root.rglob("secret*"):
        path.chmod(0o700)


def shown(name: str) -> str:
    return name.encode("utf-8", "backslashreplace").decode()


def run(*arguments: str | Path, cache: Path) -> tuple[int, str, str, int]:
    """Exit code, output, complaints and peak memory in bytes of a command."""
    environment = os.environ | {"VAESCREEN_CACHE": str(cache), "PYTHONPATH": os.pathsep.join(sys.path)}
    out, err = cache.with_suffix(".out"), cache.with_suffix(".err")
    with out.open("wb") as output, err.open("wb") as complaints:
        child = subprocess.Popen(
            [sys.executable, "-m", "vaescreen", *map(str, arguments)],
            stdout=output,
            stderr=complaints,
            env=environment,
        )
        _, status, used = os.wait4(child.pid, 0)
    kilo = 1 if sys.platform == "darwin" else 1024
    return os.waitstatus_to_exitcode(status), out.read_text(), err.read_text(), used.ru_maxrss * kilo


def test_there_are_at_least_sixty_bad_files_of_every_format() -> None:
    assert len(BAD_FILES) >= 60
    assert len({bad.name for bad in BAD_FILES}) == len(BAD_FILES)


def test_each_bad_file_is_skipped_with_its_reason_and_no_good_one_is(folders: Folders) -> None:
    data = open_data(folders.mixed, size=32)
    reasons = {entry.path: entry.reason for entry in data.skipped}
    wrong = [
        f"{bad.name!r}: {reasons.get(f'train/{shown(bad.name)}')}"
        for bad in BAD_FILES
        if not re.search(bad.reason, reasons.get(f"train/{shown(bad.name)}", ""))
    ]
    assert not wrong
    assert all(reason.isprintable() for reason in reasons.values())
    assert len(data.skipped) == len(BAD_FILES)
    assert data.fingerprint == open_data(folders.good, size=32).fingerprint
    assert len(data.ids("test")) == 12 + len(AWKWARD_NAMES)
    assert not list(folders.mixed.rglob(SIGN))


@pytest.mark.slow
def test_score_cards_are_those_of_the_folder_without_bad_files(folders: Folders, tmp_path: Path) -> None:
    registry = write_registry(tmp_path)
    cards, tables = [], []
    for folder in (folders.good, folders.mixed):
        results = tmp_path / folder.name
        scored = score(
            ["haar-f16c4"], DataOptions(folder, name="data"), size=32, registry=registry, results=results
        )
        card = scored.cards[0].to_json()
        for changing in ("command", "environment"):
            del card[changing]
        card["data"]["description"] = card["data"]["description"]["counts"]  # it names all kinds of file
        del card["summary"]["encode_ms"], card["summary"]["decode_ms"]
        cards.append(card)
        tables.append(pd.read_parquet(results / "scores" / "data" / "haar-f16c4.parquet"))
        assert len(scored.skipped) == (len(BAD_FILES) if folder == folders.mixed else 0)
    assert cards[0] == cards[1]
    pd.testing.assert_frame_equal(*tables)
    assert {f"test/{Path(name).stem}" for name in AWKWARD_NAMES} <= set(tables[1]["image_id"])


def test_the_command_line_names_each_on_a_line_without_a_traceback_or_much_memory(
    folders: Folders, tmp_path: Path
) -> None:
    status, out, err, memory = run("data", "show", folders.mixed, "--size", "32", cache=tmp_path / "cache")
    assert status == 0
    assert "Traceback" not in err
    lines = [line.strip() for line in out.splitlines()]
    assert f"{len(BAD_FILES)} files skipped:" in lines
    for bad in BAD_FILES:
        start = f"train/{shown(bad.name)}: "
        assert len([line for line in lines if line.startswith(start)]) == 1, bad.name
    assert memory < MOST_MEMORY


@pytest.mark.slow
def test_json_lists_all_that_was_skipped(folders: Folders, tmp_path: Path) -> None:
    arguments = ("--size", "32", "--format", "json")
    status, out, _, memory = run(
        "score", "haar-f4c3", "--data", folders.mixed, *arguments, cache=tmp_path / "c"
    )
    assert status == 0
    assert len(json.loads(out)["skipped"]) == len(BAD_FILES)
    assert memory < MOST_MEMORY


def test_names_with_control_characters_are_escaped_and_keep_to_one_line(tmp_path: Path) -> None:
    write_pictures(tmp_path / "data", count=4)
    for name in ("line\nbreak.png", "bell\x07 \x1b[31mred.png", "line\u2028separator.png"):
        (tmp_path / "data" / name).write_text("no image")
    _, out, _, _ = run("data", "show", tmp_path / "data", "--size", "32", cache=tmp_path / "cache")
    assert "  line\\nbreak.png: not an image" in out
    assert "  bell\\x07 \\x1b[31mred.png: not an image" in out
    assert "  line\\u2028separator.png: not an image" in out


def test_over_half_bad_the_run_fails_and_says_so(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "data", count=4)
    write_bad_files(folder, BAD_FILES[:4])
    assert len(open_data(folder, size=32).skipped) == 4
    BAD_FILES[4].make(folder / "a\nlast.png")
    for command in (["data", "show"], ["rank", "--data"], ["score", "haar-f4c3", "--data"]):
        status, out, err, _ = run(*command, folder, cache=tmp_path / "cache")
        assert (status, out) == (1, "")
        assert "Traceback" not in err
        *_, line = err.splitlines()
        assert line.startswith("error: 5 of 9 images of data cannot be used, the first is a\\nlast.png: ")


def test_a_file_that_vanishes_while_the_folder_is_opened_is_skipped(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "data")

    def vanish(doing: str, done: int, total: int) -> None:
        if (doing, done) == ("listing files", total):
            (folder / "picture-05.png").unlink()

    data = open_data(folder, size=32, on_progress=vanish)
    assert [(entry.path, entry.reason) for entry in data.skipped] == [
        ("picture-05.png", "no such file; it may have been removed")
    ]


def test_truncated_files_are_refused_even_if_pillow_was_told_to_fill_them_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    cut(NOISE, "PNG")(tmp_path / "cut.png")
    with Image.open(tmp_path / "cut.png") as image:
        assert not np.asarray(image)[-1].any(), "Pillow makes the rest black"
    with pytest.raises(DataError, match="truncated"):
        read_frame(tmp_path / "cut.png", "", AS_FILES_SAY)
    assert ImageFile.LOAD_TRUNCATED_IMAGES


@pytest.mark.parametrize("colour", [0, 2, 4, 6])
def test_a_png_whose_last_rows_are_truly_black_is_read(tmp_path: Path, colour: int) -> None:
    samples = {0: 1, 2: 3, 4: 2, 6: 4}[colour]
    data = bytearray(np.random.default_rng(0).bytes(20 * (1 + 16 * samples)))
    data[:: 1 + 16 * samples] = bytes(20)
    data[10 * (1 + 16 * samples) :] = bytes(10 * (1 + 16 * samples))
    png(16, 20, chunk(b"IDAT", zlib.compress(bytes(data))), colour=colour)(tmp_path / "a.png")
    assert not read_frame(tmp_path / "a.png", "", AS_FILES_SAY)[10:].any()


def test_a_failure_that_may_pass_is_not_remembered(tmp_path: Path) -> None:
    if not os.geteuid():
        pytest.skip("root may read every file")
    folder = write_pictures(tmp_path / "data")
    (folder / "picture-03.png").chmod(0)
    assert [entry.path for entry in open_data(folder, size=32).skipped] == ["picture-03.png"]
    (folder / "picture-03.png").chmod(0o600)
    assert not open_data(folder, size=32).skipped


@pytest.mark.slow
def test_a_large_valid_image_takes_less_than_two_gigabytes(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "data", count=3)
    wide = np.zeros((9400, 9400, 3), np.uint8)
    wide[::50] = 200
    Image.fromarray(wide).save(folder / "large.png", compress_level=1)
    del wide
    status, out, _, memory = run("data", "show", folder, "--size", "64", cache=tmp_path / "cache")
    assert status == 0
    assert "0 files skipped" in out
    assert memory < MOST_MEMORY
