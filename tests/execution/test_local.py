"""Tasks run here or in workers, fail one by one, and stop when they are told to."""

import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from small import hear_interrupts

from vaescreen.errors import VaescreenError
from vaescreen.execution import Machine, Outcome, choose_device, default_processes, run, workers_ahead

SCRIPT = """
import os, signal, sys, time
import torch
from vaescreen.errors import CandidateError
from vaescreen.execution import run

def work(shared, task):
    if task == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if task == "exit":
        os._exit(3)
    if task == "leave":
        sys.exit(3)
    if task == "print":
        print("to nobody")
    if task == "sleep":
        print("sleeping", file=sys.stderr, flush=True)
        time.sleep(60)
    if task == "fail":
        raise CandidateError("fail: does not work")
    if task == "bug":
        return 1 / 0
    limits = torch.get_num_threads(), os.environ.get("OMP_NUM_THREADS")
    return shared, task, os.getppid() == shared, limits

if __name__ == "__main__":
    before = dict(os.environ)
    for outcome in run(work, os.getpid(), {name: name for name in sys.argv[1:]}, processes=2):
        print(outcome)
    assert dict(os.environ) == before
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "script.py"
    path.write_text(textwrap.dedent(SCRIPT))
    return path


def finished(script: Path, *tasks: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(script), *tasks], capture_output=True, text=True, timeout=100, check=False
    )


def failing(shared: float, task: float) -> float:
    if task < 0:
        raise VaescreenError(f"{task} is negative")
    return shared / task


def own_process(shared: None, task: int) -> int:
    return os.getpid()


class TestInThisProcess:
    def test_outcomes_in_order_and_past_failures(self):
        outcomes = list(run(failing, 6.0, {"a": 2.0, "b": -1.0, "c": 0.0, "d": 3.0}, processes=1))
        assert outcomes[0] == Outcome("a", result=3.0)
        assert outcomes[1] == Outcome("b", error="-1.0 is negative")
        assert outcomes[2].error is not None
        assert outcomes[2].error.startswith("unexpected ZeroDivisionError at test_local.py:")
        assert outcomes[3] == Outcome("d", result=2.0)

    def test_is_lazy(self):
        done = []
        outcomes = run(lambda shared, task: done.append(task), None, {"a": 1, "b": 2}, processes=1)
        next(outcomes)
        assert done == [1]

    def test_no_tasks(self):
        assert list(run(failing, 1.0, {}, processes=4)) == []


class TestInWorkers:
    def test_results_failures_and_one_thread_each(self, script):
        result = finished(script, "a", "fail", "bug", "b")
        assert result.returncode == 0, result.stderr
        lines = sorted(result.stdout.splitlines())
        assert len(lines) == 4
        for line, name in zip(lines, ("a", "b"), strict=False):
            assert f"'{name}', True, (1, '1')), error=None" in line
        assert "unexpected ZeroDivisionError at script.py:" in lines[2]
        assert "error='fail: does not work'" in lines[3]

    def test_a_worker_that_dies_costs_its_own_task_alone(self, script):
        result = finished(script, "kill", "exit", "leave", "a", "print", "b")
        assert result.returncode == 0, result.stderr
        outcomes = {line.split("'")[1]: line for line in result.stdout.splitlines()}
        assert len(outcomes) == 6
        assert "its process was ended by SIGKILL (often: out of memory" in outcomes["kill"]
        assert "its process ended by itself, with exit code 3" in outcomes["exit"]
        assert "unexpected SystemExit at script.py:" in outcomes["leave"]
        for name in ("a", "print", "b"):
            assert "error=None" in outcomes[name]
        assert "to nobody" in result.stderr
        assert "to nobody" not in result.stdout

    def test_workers_that_are_ahead_are_those_that_work(self):
        with workers_ahead(Machine(processes=2), 2, ["json"]):
            ahead = {child.pid for child in multiprocessing.active_children()}
            outcomes = list(run(own_process, None, {"a": 0, "b": 0, "c": 0}, processes=2))
        assert len(ahead) == 2
        assert {outcome.result for outcome in outcomes} <= ahead
        assert multiprocessing.active_children() == []

    def test_workers_ahead_of_nothing_are_gone(self):
        with workers_ahead(Machine(processes=2), 5, ["json"]):
            assert len(multiprocessing.active_children()) == 2
        assert multiprocessing.active_children() == []

    def test_one_task_needs_no_worker_ahead(self):
        with workers_ahead(Machine(processes=2), 1, ["json"]):
            assert multiprocessing.active_children() == []

    def test_a_task_apart_shares_no_process_with_those_before_and_after(self):
        tasks = {"a": 0, "b": 0, "c": 0}
        outcomes = {each.name: each.result for each in run(own_process, None, tasks, processes=1, apart="b")}
        assert len({*outcomes.values(), os.getpid()}) == 4

    def test_interrupt_ends_the_workers_quietly(self, script):
        command = [sys.executable, str(script), "sleep", "a"]
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=hear_interrupts,
        )
        assert process.stderr is not None
        process.stderr.readline()
        begin = time.monotonic()
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=30)  # ends when the last worker has closed the pipes
        assert time.monotonic() - begin < 20
        assert errors.count("Traceback") == 1
        assert errors.strip().endswith("KeyboardInterrupt")

    def test_workers_end_with_a_killed_parent(self, script):
        process = subprocess.Popen(
            [sys.executable, str(script), "sleep", "a"], stderr=subprocess.PIPE, text=True
        )
        assert process.stderr is not None
        process.stderr.readline()
        process.kill()
        process.communicate(timeout=20)  # ends when the last worker has closed the pipe


def test_defaults():
    assert 1 <= default_processes() <= 4
    assert choose_device("cpu") == "cpu"
