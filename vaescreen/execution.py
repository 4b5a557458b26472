"""Where work runs: independent tasks, one after another in this process or spread over worker processes."""

import os
import signal
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import active_children, get_context, parent_process
from pathlib import PurePath
from typing import Any, Generic, Literal, TypeVar

from vaescreen.errors import VaescreenError

Device = Literal["auto", "cpu", "cuda"]
Shared = TypeVar("Shared")
Task = TypeVar("Task")
Result = TypeVar("Result")

MOST_PROCESSES = 4
"""Default limit: every worker holds its own copy of the libraries in memory."""

_THREAD_LIMITS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass(frozen=True)
class Outcome(Generic[Result]):
    """What became of a task: its result, or in `error` the line that says why there is none."""

    name: str
    result: Result | None = None
    error: str | None = None


def default_processes() -> int:
    """Give the number of cores this process may use, at most `MOST_PROCESSES`."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(usable, MOST_PROCESSES)


def choose_device(device: Device) -> str:
    """Resolve "auto" to "cuda" if there is a GPU, else "cpu".

    Raises
    ------
    VaescreenError
        If "cuda" is asked for and there is none.
    """
    if device == "cpu":
        return device
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if device == "cuda":
        raise VaescreenError("no GPU that this PyTorch can use; give device cpu, or install PyTorch for CUDA")
    return "cpu"


def run(
    function: Callable[[Shared, Task], Result],
    shared: Shared,
    tasks: Mapping[str, Task],
    *,
    processes: int,
) -> Iterator[Outcome[Result]]:
    """Call `function(shared, task)` for every task and give the outcomes in order of completion.

    A task that fails does not stop the others. With one process, or one task, everything runs here. Otherwise
    workers are spawned, each with one thread; `function`, `shared`, tasks and results are pickled, `shared`
    once for each worker. When the caller stops early (Ctrl-C, an exception) the workers are ended.

    Parameters
    ----------
    function
        A module-level function.
    shared
        What all tasks need.
    tasks
        Name of each task and its argument.
    processes
        Largest number of workers.

    Raises
    ------
    VaescreenError
        If a worker dies from outside, for instance when memory runs out.
    """
    if min(processes, len(tasks)) <= 1:
        for name, task in tasks.items():
            yield _attempt(function, shared, name, task)
        return
    others = set(active_children())
    unfinished = set(tasks)
    executor = ProcessPoolExecutor(
        min(processes, len(tasks)),
        mp_context=get_context("spawn"),
        initializer=_start_worker,
        initargs=(function, shared),
    )
    try:
        with _environment_of_workers():
            futures = [executor.submit(_attempt_in_worker, name, task) for name, task in tasks.items()]
        for future in as_completed(futures):
            outcome = future.result()
            unfinished.remove(outcome.name)
            yield outcome
    except BrokenProcessPool as error:
        names = ", ".join(sorted(unfinished)[:3]) + (", ..." if len(unfinished) > 3 else "")
        raise VaescreenError(
            f"a worker process was killed (often: out of memory) with {len(unfinished)} of {len(tasks)} tasks "
            f"unfinished ({names}); what is finished is kept, run again with fewer processes"
        ) from error
    finally:
        executor.shutdown(wait=not unfinished, cancel_futures=True)
        for worker in set(active_children()) - others:
            worker.terminate()


def _attempt(
    function: Callable[[Shared, Task], Result], shared: Shared, name: str, task: Task
) -> Outcome[Result]:
    try:
        return Outcome(name, result=function(shared, task))
    except VaescreenError as error:
        return Outcome(name, error=str(error))
    except Exception as error:  # one broken task must not cost the results of the others
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{PurePath(place.filename).name}:{place.lineno}"
        reason = " ".join(str(error).split())[:150]
        return Outcome(name, error=f"unexpected {type(error).__name__} at {where}: {reason}")


_of_worker: dict[str, Any] = {}


def _start_worker(function: Callable[[Any, Any], Any], shared: Any) -> None:
    import torch

    torch.set_num_threads(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _of_worker.update(function=function, shared=shared)


def _end_with_parent() -> None:
    """Leave when the parent is gone, killed perhaps: a worker would wait for its next task for ever."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _attempt_in_worker(name: str, task: Any) -> Outcome[Any]:
    return _attempt(_of_worker["function"], _of_worker["shared"], name, task)


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
