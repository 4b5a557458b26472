"""Where work runs: this process, worker processes beside it, or the nodes of a Ray cluster.

`run` is the one way to call a function on many tasks. `engine` says where, `device` on what, `tasks` what becomes
of each, `local` has the processes of this machine and `cluster` those of Ray. Results do not depend on the choice.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar

from vaescreen.execution.device import Device, choose_device
from vaescreen.execution.engine import LOCAL, Engine, default_processes, engine_named
from vaescreen.execution.machine import HERE, Machine
from vaescreen.execution.tasks import Outcome

__all__ = [
    "HERE",
    "LOCAL",
    "Device",
    "Engine",
    "Machine",
    "Outcome",
    "choose_device",
    "default_processes",
    "engine_named",
    "run",
    "run_on",
    "workers_ahead",
]

Shared = TypeVar("Shared")
Task = TypeVar("Task")
Result = TypeVar("Result")


def run(
    function: Callable[[Shared, Task], Result],
    shared: Shared,
    tasks: Mapping[str, Task],
    *,
    processes: int | None = None,
    apart: Collection[str] = (),
    engine: Engine = LOCAL,
    device: str = "cpu",
) -> Iterator[Outcome[Result]]:
    """Call `function(shared, task)` for every task and give the outcomes in order of completion.

    A task that fails, or whose process dies, does not stop the others. When the caller stops early (Ctrl-C, an
    exception) the workers are ended; what is finished is kept.

    Parameters
    ----------
    function
        A module-level function.
    shared
        What all tasks need. On a Ray cluster a task's files come back to this machine if `shared` is a
        dataclass with a field `results`: see `vaescreen.execution.cluster`.
    tasks
        Name of each task and its argument.
    processes
        Most tasks at a time; by default what `default_processes` says here, all that fit on a cluster.
    apart
        Names of tasks that run code which may do anything to its process: on this machine each gets one of its own.
    engine
        Where to run.
    device
        "cpu" or "cuda": with "cuda" a task on a cluster takes the engine's share of a GPU.

    Raises
    ------
    VaescreenError
        If the cluster cannot be reached or has not what a task needs.
    """
    if engine.name == "ray":
        from vaescreen.execution.cluster import run_on_cluster

        return run_on_cluster(function, shared, tasks, most=processes, engine=engine, device=device)
    from vaescreen.execution.local import run_here

    return run_here(function, shared, tasks, processes=processes or default_processes(), apart=apart)


def workers_ahead(machine: Machine, tasks: int, modules: Sequence[str]) -> AbstractContextManager[None]:
    """Let worker processes start and import `modules` while the caller prepares that many tasks for `run`.

    Parameters
    ----------
    machine
        As `run` will be told; only on this machine, and for two tasks or more, are there workers to start.
    tasks
        How many tasks are to be expected.
    modules
        Names of modules that the tasks will need.
    """
    if machine.engine.name != "local":
        return nullcontext()
    from vaescreen.execution.local import workers_ahead as start

    count = min(machine.processes or default_processes(), tasks)
    return start(count if count > 1 else 0, modules)


def run_on(
    machine: Machine, function: Callable[[Shared, Task], Result], shared: Shared, tasks: Mapping[str, Task]
) -> Iterator[Outcome[Result]]:
    """As `run`, where and how `machine` says."""
    return run(
        function,
        shared,
        tasks,
        processes=machine.processes,
        engine=machine.engine,
        device=machine.place,
    )
