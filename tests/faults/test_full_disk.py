"""Places that cannot be written: one line, exit code 1, and noticed before the work; and work that needs no writing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from small import write_pictures, write_registry

import vaescreen
from vaescreen.errors import CacheError
from vaescreen.images.memo import Memo, Seen
from vaescreen.storage import ensure_writable, locked, write_json

FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")


def run(*arguments: object, folder: Path, **options: object) -> "subprocess.CompletedProcess[str]":
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(vaescreen.__file__).parents[1]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "VAESCREEN_CACHE": str(folder / "cache"),
        "VAESCREEN_CONFIG": str(folder / "config"),
    }
    command = [sys.executable, "-m", "vaescreen", *map(str, arguments)]
    return subprocess.run(command, env=environment, text=True, check=False, timeout=280, **options)  # type: ignore[call-overload]


def one_line(complaint: str) -> str:
    (line,) = complaint.splitlines()
    return line


@pytest.mark.parametrize(
    "write", [lambda path: write_json(path, {}), ensure_writable, lambda path: locked(path).__enter__()]
)
def test_a_file_where_a_folder_should_be_is_one_line(tmp_path, write):
    (tmp_path / "file").write_text("")
    with pytest.raises(CacheError, match=r"cannot write .*\((Not a directory|File exists)\)"):
        write(tmp_path / "file" / "below")


@needs_full
def test_a_full_disk_under_the_memo_is_one_line(tmp_path):
    memo = Memo(tmp_path / "memo.jsonl")
    (tmp_path / "memo.jsonl").symlink_to(FULL)
    with pytest.raises(CacheError, match=r"cannot write .*memo.jsonl \(No space left on device\)"), memo:
        memo.add("stamp", Seen("pixels"))


@needs_full
def test_a_full_standard_output_is_one_line(tmp_path):
    with FULL.open("w") as full:
        made = run("registry", "list", folder=tmp_path, stdout=full, stderr=subprocess.PIPE)
    assert made.returncode == 1
    assert one_line(made.stderr) == "error: standard output: No space left on device"


def test_a_configuration_folder_that_cannot_be_looked_into_is_one_line(tmp_path):
    made = run("registry", "list", folder=tmp_path / ("x" * 300), capture_output=True)
    assert made.returncode == 1
    assert one_line(made.stderr).startswith("error: ")
    assert made.stderr.endswith("registry.yaml: File name too long\n")


def test_a_ranking_from_a_complete_cache_writes_nothing(tmp_path):
    pictures, registry = write_pictures(tmp_path / "pictures", count=10, side=32), write_registry(tmp_path)
    command = (
        "rank",
        "dct-f16c4",
        "haar-f16c4",
        "--data",
        pictures,
        "--registry",
        registry,
        "--format",
        "json",
    )
    options = ("--recipe", "compact+samples=32", "--processes", "1")
    first = run(*command, *options, folder=tmp_path, capture_output=True)
    assert first.returncode == 0, first.stderr
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("*")}
    again = run(*command, *options, folder=tmp_path, capture_output=True)
    assert (again.returncode, again.stdout) == (0, first.stdout)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("*")} == before


def test_an_entry_is_not_examined_if_its_file_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    pictures = write_pictures(tmp_path / "pictures", count=4, side=32)
    made = run(
        "data",
        "add",
        "few",
        pictures,
        "--registry",
        tmp_path / "file" / "r.yaml",
        folder=tmp_path,
        capture_output=True,
    )
    assert made.returncode == 1
    assert "cannot write to" in one_line(made.stderr)
    assert "give another file with --registry" in made.stderr
    assert not (tmp_path / "cache").exists()
