"""Tasks one after another in this process, or spread over worker processes of one thread each."""

import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

from vaescreen.execution.tasks import Outcome, attempt

Shared = TypeVar("Shared")
Task = TypeVar("Task")
Result = TypeVar("Result")

_THREAD_LIMITS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_FAREWELL = 10.0
"""Seconds that a worker without a task has to leave."""


def run_here(
    function: Callable[[Shared, Task], Result],
    shared: Shared,
    tasks: Mapping[str, Task],
    *,
    processes: int,
    apart: Collection[str] = (),
) -> Iterator[Outcome[Result]]:
    """Do what `vaescreen.execution.run` promises, with at most `processes` workers.

    With one process, or one task, everything but the tasks `apart` runs here. Otherwise workers are spawned;
    `function`, `shared`, tasks and results are pickled, `shared` once for each worker. A worker that dies costs the
    task that it was at.
    """
    if min(processes, len(tasks)) <= 1 and not apart:
        for name, task in tasks.items():
            yield attempt(function, shared, name, task)
        return
    waiting, workers = deque(tasks.items()), list[_Worker]()
    try:
        while waiting or any(worker.task for worker in workers):
            while waiting and sum(bool(worker.task) for worker in workers) < processes:
                name, task = waiting.popleft()
                worker = next((each for each in workers if not each.task), None)
                if worker is not None and (worker.spoilt or name in apart):
                    workers.remove(worker)
                    worker.dismiss()
                    worker = None
                if worker is None:
                    worker = _Worker(function, shared)
                    workers.append(worker)
                worker.begin(name, task, last=name in apart)
            for connection in wait([worker.connection for worker in workers if worker.task]):
                worker = next(each for each in workers if each.connection is connection)
                outcome = worker.outcome()
                if not worker.lives:
                    workers.remove(worker)
                yield outcome
    finally:
        for worker in workers:
            worker.dismiss()


class _Worker:
    """A process that does one task after another, and what it is at.

    Attributes
    ----------
    task
        Name of the task that it is at.
    lives
        Whether it can be given another.
    spoilt
        Whether it ran what might have changed it, so that another process must do what comes next.
    """

    def __init__(self, function: Callable[[Any, Any], Any], shared: Any) -> None:
        context = get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.task, self.lives, self.spoilt = "", True, False
        self._process = context.Process(target=_serve, args=(theirs, function, shared))
        with _environment_of_workers():
            self._process.start()
        theirs.close()

    def begin(self, name: str, task: Any, *, last: bool) -> None:
        self.task, self.spoilt = name, last
        try:
            self.connection.send((name, task))
        except OSError:  # it died before; `outcome` says how
            return

    def outcome(self) -> Outcome[Any]:
        """What became of its task, once there is something to read."""
        name, self.task = self.task, ""
        try:
            outcome: Outcome[Any] = self.connection.recv()
        except (EOFError, OSError):
            self._process.join()
            self.lives = False
            return Outcome(name, error=_end(self._process.exitcode or 0))
        return outcome

    def dismiss(self) -> None:
        """Let it leave, or end it if it is at a task."""
        self.connection.close()
        if self.task:
            self._process.terminate()
        self._process.join(_FAREWELL)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def _end(code: int) -> str:
    """How a process ended that should have gone on."""
    if code >= 0:
        return f"its process ended by itself, with exit code {code}"
    often = " (often: out of memory; run again with fewer processes)" if code == -signal.SIGKILL else ""
    return f"its process was ended by {signal.Signals(-code).name}{often}"


def _serve(connection: Connection, function: Callable[[Any, Any], Any], shared: Any) -> None:
    """Do the tasks that come until there are no more; what they print goes to stderr, stdout is the parent's."""
    import torch

    torch.set_num_threads(1)
    os.dup2(2, 1)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    while True:
        try:
            name, task = connection.recv()
        except EOFError:
            return
        outcome = attempt(function, shared, name, task)
        sys.stdout.flush()
        connection.send(outcome)


def _end_with_parent() -> None:
    """Leave when the parent is gone, killed perhaps: a worker would finish its task for nobody."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def _environment_of_workers() -> Iterator[None]:
    """While workers are started: one thread for numerical libraries, and Ctrl-C is for the parent alone.

    Both must be set before a worker runs its first line of Python, so it has to inherit them.
    """
    in_main_thread = threading.current_thread() is threading.main_thread()
    before = {name: os.environ.get(name) for name in _THREAD_LIMITS}
    os.environ.update(dict.fromkeys(_THREAD_LIMITS, "1"))
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN) if in_main_thread else None
    try:
        yield
    finally:
        if in_main_thread:
            signal.signal(signal.SIGINT, handler)
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
