"""Tasks one after another in this process, or spread over worker processes of one thread each."""

import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import active_children, get_context, parent_process
from typing import Any, TypeVar

from vaescreen.errors import VaescreenError
from vaescreen.execution.tasks import Outcome, attempt

Shared = TypeVar("Shared")
Task = TypeVar("Task")
Result = TypeVar("Result")

_THREAD_LIMITS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def run_here(
    function: Callable[[Shared, Task], Result],
    shared: Shared,
    tasks: Mapping[str, Task],
    *,
    processes: int,
) -> Iterator[Outcome[Result]]:
    """Do what `vaescreen.execution.run` promises, with at most `processes` workers.

    With one process, or one task, everything runs here. Otherwise workers are spawned; `function`, `shared`,
    tasks and results are pickled, `shared` once for each worker.

    Raises
    ------
    VaescreenError
        If a worker dies from outside, for instance when memory runs out.
    """
    if min(processes, len(tasks)) <= 1:
        for name, task in tasks.items():
            yield attempt(function, shared, name, task)
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
            # The executor watches for the deaths of the workers that it had when it last woke up, which is before
            # the last one is started; one more task wakes it again.
            executor.submit(os.getpid)
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
    return attempt(_of_worker["function"], _of_worker["shared"], name, task)


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
