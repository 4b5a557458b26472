"""Several processes at one file, and what processes that were killed leave behind."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import vaescreen
from vaescreen.registry.catalogue import Registry
from vaescreen.storage import read_json, write_json

ENTRY = """
import sys
from pathlib import Path
from vaescreen.registry.data_entry import DataEntry
from vaescreen.registry.editing import add_entry

for name in sys.argv[2:]:
    add_entry(Path(sys.argv[1]), DataEntry.model_validate({
        "name": name, "title": name, "domain": "other", "source": {"path": "/images"}, "licence": "MIT"
    }))
    print(name, flush=True)
"""
UNIT = """
import sys, time
from pathlib import Path
from vaescreen.storage import locked, recall_json, write_json

path = Path(sys.argv[1])
with locked(path):
    if recall_json(path) is None:
        time.sleep(0.3)
        with path.with_name("log").open("a") as log:
            log.write("done\\n")
        write_json(path, {"done": True})
"""
WRITER = """
import sys
from pathlib import Path
from vaescreen.storage import write_json

for number in range(10**9):
    write_json(Path(sys.argv[1]), {"number": number, "much": list(range(20_000))})
    print(number, flush=True)
"""


def start(script: str, *arguments: object) -> "subprocess.Popen[str]":
    environment = {**os.environ, "PYTHONPATH": str(Path(vaescreen.__file__).parents[1])}
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_eight_that_add_to_one_registry_keep_eight_entries(tmp_path):
    file = tmp_path / "registry.yaml"
    processes = [start(ENTRY, file, f"set-{number}") for number in range(8)]
    for process in processes:
        assert process.wait(120) == 0, process.communicate()
    assert sorted(Registry.read(file).data) == [f"set-{number}" for number in range(8)]
    written = {path.name for path in tmp_path.iterdir() if path.suffix != ".lock"}
    assert written - {"config"} == {"registry.yaml"}


def test_eight_that_want_one_thing_make_it_once(tmp_path):
    processes = [start(UNIT, tmp_path / "unit.json") for _ in range(8)]
    for process in processes:
        assert process.wait(120) == 0, process.communicate()
    assert (tmp_path / "log").read_text() == "done\n"


def test_what_a_killed_process_left_is_cleaned_and_what_a_living_one_has_stays(tmp_path):
    dead = start("")
    assert dead.wait(60) == 0
    for process in (dead.pid, os.getppid()):
        (tmp_path / f".a.json.{process}.tmp").write_text("half")
    (tmp_path / f".a.json.{dead.pid}@elsewhere.tmp").write_text("of another machine")
    write_json(tmp_path / "b.json", {})
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"b.json", f".a.json.{os.getppid()}.tmp", f".a.json.{dead.pid}@elsewhere.tmp"}


def kill_a_writer(folder: Path, moment: float) -> None:
    """Kill it while it writes, and see that what is there is whole and that the next writer cleans up."""
    process = start(WRITER, folder / "a.json")
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(moment)
    process.kill()
    assert process.wait(60) == -signal.SIGKILL
    assert read_json(folder / "a.json")["much"] == list(range(20_000))
    after = start("import sys; from pathlib import Path; from vaescreen.storage import write_json; "
                  "write_json(Path(sys.argv[1]) / 'b.json', {})", folder)  # fmt: skip
    assert after.wait(60) == 0
    assert {path.name for path in folder.iterdir()} == {"a.json", "b.json"}


def kill_an_editor(folder: Path, moment: float) -> None:
    """Kill it among its entries: those it reported are there, and the next one goes on."""
    file, names = folder / "registry.yaml", [f"set-{number}" for number in range(200)]
    process = start(ENTRY, file, *names)
    assert process.stdout is not None
    reported = [process.stdout.readline().strip()]
    time.sleep(moment)
    process.kill()
    reported += process.communicate()[0].split()
    kept = list(Registry.read(file).data)
    assert kept[: len(reported)] == reported
    assert len(kept) <= len(reported) + 1
    after = start(ENTRY, file, "after")
    assert after.wait(60) == 0, after.communicate()
    assert list(Registry.read(file).data) == [*kept, "after"]


@pytest.mark.parametrize("fault", [kill_a_writer, kill_an_editor])
def test_killed_at_a_random_moment_it_leaves_nothing_half(tmp_path, fault):
    fault(tmp_path, random.Random(0).uniform(0, 0.2))


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("fault", [kill_a_writer, kill_an_editor])
def test_killed_at_twenty_five_random_moments_it_leaves_nothing_half(tmp_path, fault):
    moments = random.Random(1)
    for number in range(25):
        (tmp_path / str(number)).mkdir()
        fault(tmp_path / str(number), moments.uniform(0, 0.5))
