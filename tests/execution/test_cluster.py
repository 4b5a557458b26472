"""Tasks on a Ray cluster of real processes: files come home, and what is killed is done again."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from small import CODECS, hear_interrupts, write_pictures, write_registry

import vaescreen
from vaescreen.errors import VaescreenError
from vaescreen.execution import engine_named, run

pytest.importorskip("ray", reason="Ray is an extra: pip install 'vaescreen[ray]'")

SCRIPT = """
import json, os, sys, time
from dataclasses import dataclass
from pathlib import Path
from vaescreen.errors import CandidateError
from vaescreen.execution import engine_named, run

@dataclass(frozen=True)
class Setting:
    results: Path
    diary: Path

def work(setting, task):
    file = setting.results / "points" / f"{task}.json"
    if task == "fail":
        raise CandidateError("fail: does not work")
    if file.is_file():
        return "found"
    with setting.diary.open("a") as diary:
        print("begin", task, os.getppid(), file=diary, flush=True)
        time.sleep(float(os.environ.get("PAUSE", "0")))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.with_suffix(".parquet").write_bytes(task.encode())
        file.write_text(json.dumps({"task": task, "command": sys.argv[1:]}))
        print("end", task, os.getppid(), file=diary, flush=True)
    return "made"

if __name__ == "__main__":
    where, results, diary, *names = sys.argv[1:]
    setting = Setting(Path(results), Path(diary))
    for outcome in run(work, setting, {name: name for name in names}, engine=engine_named(where)):
        print(outcome, flush=True)
"""

linux_only = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="finds processes under /proc")


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "script.py"
    path.write_text(textwrap.dedent(SCRIPT))
    return path


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    folder = tempfile.mkdtemp(prefix="ray-")  # short: Ray's sockets lie in it
    yield {
        **{name: value for name, value in os.environ.items() if not name.startswith("RAY_")},
        "PYTHONPATH": str(Path(vaescreen.__file__).parents[1]),
        "RAY_TMPDIR": folder,
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_AUTH_MODE": "disabled",
        "RAY_worker_niceness": "0",
        "VAESCREEN_CACHE": str(tmp_path / "node-cache"),
    }
    shutil.rmtree(folder, ignore_errors=True)


def children(pid: int) -> list[int]:
    """All processes below one, deepest last."""
    try:
        text = "".join(path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children"))
    except OSError:
        return []
    direct = [int(word) for word in text.split()]
    return direct + [below for child in direct for below in children(child)]


def end(process: "subprocess.Popen[str]") -> None:
    for pid in [process.pid, *children(process.pid)]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
    return port


@contextmanager
def two_nodes(environment: dict[str, str]) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """A head with one core and a second node with another; gives the address and the second node."""
    address = f"127.0.0.1:{free_port()}"
    ray = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", "--num-cpus=1", "--num-gpus=0"]
    common = ["--node-ip-address=127.0.0.1", "--object-store-memory=100000000"]
    head = [*ray, "--head", f"--port={address.rpartition(':')[2]}", "--include-dashboard=false", *common]
    nodes: list[subprocess.Popen[str]] = []
    try:
        for command in (head, [*ray, f"--address={address}", *common]):
            nodes.append(
                subprocess.Popen(
                    command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
                )
            )
            said = nodes[-1].stdout
            assert said is not None
            lines = []
            for line in said:
                lines.append(line)
                if "Ray runtime started" in line:
                    break
            else:
                pytest.fail("a node did not start: " + "".join(lines))
        yield address, nodes[1]
    finally:
        for node in reversed(nodes):
            end(node)


def until(condition: Callable[[], object], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def test_a_cluster_that_is_not_there_is_one_clear_line():
    with pytest.raises(VaescreenError, match=r"no Ray cluster can be reached at 127\.0\.0\.1:"):
        list(run(len, None, {"a": 1}, engine=engine_named(f"ray:127.0.0.1:{free_port()}")))


def test_on_this_machine_files_come_home_and_failures_are_outcomes(script, environment, tmp_path):
    results, diary = tmp_path / "results", tmp_path / "diary"
    arguments = ["ray", str(results), str(diary), "a", "fail"]
    done = subprocess.run(
        [sys.executable, str(script), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.splitlines()) == [
        "Outcome(name='a', result='made', error=None)",
        "Outcome(name='fail', result=None, error='fail: does not work')",
    ]
    point = json.loads((results / "points" / "a.json").read_text())
    assert point == {"task": "a", "command": arguments}
    assert sorted(path.name for path in results.rglob("*.*")) == ["a.json", "a.parquet"]


@linux_only
@pytest.mark.slow
@pytest.mark.parametrize("killed", ["workers", "node"])
def test_a_second_node_killed_in_the_middle_loses_nothing(script, environment, tmp_path, killed):
    results, diary = tmp_path / "results", tmp_path / "diary"
    names = [f"point-{number}" for number in range(8)]
    with two_nodes(environment | {"PAUSE": "2"}) as (address, second):
        driver = subprocess.Popen(
            [sys.executable, str(script), f"ray:{address}", str(results), str(diary), *names],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            raylets = {str(pid) for pid in children(second.pid)}

            def at_work() -> bool:
                lines = diary.read_text().splitlines() if diary.exists() else []
                on_second = [line.split()[:2] for line in lines if line.split()[2] in raylets]
                return [verb for verb, _ in on_second][:2] == ["begin", "end"] and on_second[-1][0] == "begin"

            until(at_work)
            for pid in reversed(children(second.pid)):
                if killed == "node" or b"ray::" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    os.kill(pid, signal.SIGKILL)
            printed, complaints = driver.communicate(timeout=200)
        finally:
            end(driver)
    assert driver.returncode == 0, complaints
    assert sorted(printed.splitlines()) == [
        f"Outcome(name='{name}', result='made', error=None)" for name in names
    ]
    for name in names:
        assert json.loads((results / "points" / f"{name}.json").read_text())["task"] == name
        assert (results / "points" / f"{name}.parquet").read_text() == name
    verbs = [line.split()[:2] for line in diary.read_text().splitlines()]
    ended = [task for verb, task in verbs if verb == "end"]
    begun = [task for verb, task in verbs if verb == "begin"]
    assert sorted(ended) == names
    assert len(begun) == len(names) + 1


@linux_only
@pytest.mark.slow
def test_an_interrupt_keeps_what_is_finished(script, environment, tmp_path):
    results, diary = tmp_path / "results", tmp_path / "diary"
    driver = subprocess.Popen(
        [sys.executable, str(script), "ray", str(results), str(diary), *(f"point-{n}" for n in range(40))],
        env=environment | {"PAUSE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=hear_interrupts,
    )
    assert driver.stdout is not None
    driver.stdout.readline()
    below = children(driver.pid)
    os.killpg(driver.pid, signal.SIGINT)
    _, complaints = driver.communicate(timeout=60)
    assert complaints.strip().endswith("KeyboardInterrupt")
    assert list(results.rglob("*.json"))
    until(lambda: not any(Path(f"/proc/{pid}/cmdline").exists() for pid in below))


@pytest.mark.slow
def test_screening_on_a_cluster_gives_the_bytes_of_this_machine(environment, tmp_path):
    pictures, registry = write_pictures(tmp_path / "pictures"), write_registry(tmp_path)
    command = [
        sys.executable,
        "-c",
        "from vaescreen.cli import main; main()",
        "score",
        *CODECS,
        "--data",
        str(pictures),
    ]
    for engine in ("local", "ray"):
        options = ["--registry", str(registry), "--size", "64", "--engine", engine, "--format", "json"]
        done = subprocess.run(
            [*command, *options, "--results", str(tmp_path / engine)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert len(json.loads(done.stdout)["cards"]) == len(CODECS)
    tables = sorted((tmp_path / "local").rglob("*.parquet"))
    assert len(tables) == len(CODECS)
    for table in tables:
        other = tmp_path / "ray" / table.relative_to(tmp_path / "local")
        assert other.read_bytes() == table.read_bytes()
