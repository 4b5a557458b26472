"""Tasks one after another in this process, or spread over worker processes of one thread each."""

import importlib
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

from vaescreen.execution.tasks import Outcome, attempt

Shared = TypeVar("Shared")
Task = TypeVar("Task")
Result = TypeVar("Result")

_OF_WORKERS = {
    **dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"),
    **dict.fromkeys(("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"), str(2**30)),
}
"""Environment of workers: one thread for numerical libraries; glibc keeps what a layer frees for the next layer, where
it would give large pieces back to the kernel and have them cleared anew, a tenth of the time of a large network."""
_FAREWELL = 10.0
"""Seconds that a worker without a task has to leave."""
_ahead: "list[_Worker]" = []
"""Started by `workers_ahead`, and not yet taken by `run_here`."""


@contextmanager
def workers_ahead(count: int, modules: Sequence[str]) -> Iterator[None]:
    """Start workers that import `modules` while the caller prepares their tasks; `run_here` takes them.

    What a worker imports takes seconds; the caller need not wait for it. Workers that are not taken are ended.
    """
    _ahead.extend(_Worker(modules) for _ in range(count))
    try:
        yield
    finally:
        while _ahead:
            _ahead.pop().dismiss()


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

    def hire() -> _Worker:
        workers.append(_ahead.pop(0) if _ahead else _Worker())
        return workers[-1]

    try:
        for hired in [hire() for _ in range(min(processes, len(tasks)))]:  # all start, then each is told
            hired.tell(function, shared)
        while waiting or any(worker.task for worker in workers):
            while waiting and sum(bool(worker.task) for worker in workers) < processes:
                name, task = waiting.popleft()
                worker = next((each for each in workers if not each.task), None)
                if worker is not None and (worker.spoilt or (worker.used and name in apart)):
                    workers.remove(worker)
                    worker.dismiss()
                    worker = None
                if worker is None:
                    worker = hire()
                    worker.tell(function, shared)
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
    used
        Whether it was given one.
    spoilt
        Whether it ran what might have changed it, so that another process must do what comes next.
    """

    def __init__(self, modules: Sequence[str] = ()) -> None:
        context = get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.task, self.lives, self._told = "", True, False
        self.used = self.spoilt = False
        self._process = context.Process(target=_serve, args=(theirs, modules))
        with _environment_of_workers():
            self._process.start()
        theirs.close()

    def tell(self, function: Callable[[Any, Any], Any], shared: Any) -> None:
        """Say what to do with each task."""
        self._told = True
        self._send((function, shared))

    def begin(self, name: str, task: Any, *, last: bool) -> None:
        self.task, self.used, self.spoilt = name, True, last
        self._send((name, task))

    def _send(self, message: Any) -> None:
        with suppress(OSError):  # it died before; `outcome` says how
            self.connection.send(message)

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
        """Let it leave, or end it if it is at a task, or still on its way to the first."""
        self.connection.close()
        if self.task or not self._told:
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


def _serve(connection: Connection, modules: Sequence[str]) -> None:
    """Do the tasks that come until there are no more; what they print goes to stderr, stdout is the parent's."""
    os.dup2(2, 1)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    import torch

    torch.set_num_threads(1)
    for module in modules:
        importlib.import_module(module)
    with suppress(EOFError):
        function, shared = connection.recv()
        while True:
            name, task = connection.recv()
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
    """While workers are started: theirs is `_OF_WORKERS`, and Ctrl-C is for the parent alone.

    Both must be set before a worker runs its first line of Python, so it has to inherit them.
    """
    in_main_thread = threading.current_thread() is threading.main_thread()
    before = {name: os.environ.get(name) for name in _OF_WORKERS}
    os.environ.update(_OF_WORKERS)
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
