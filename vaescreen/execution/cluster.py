"""Tasks on the nodes of a Ray cluster; nothing but Ray itself needs to be shared between its machines.

A task writes its files into a folder of the cache of its node. They travel back with its result, and this
machine writes them into the results folder, atomically: no disk is shared, and no half file is ever seen.
The folder on the node stays: a task whose answer was lost finds its own finished result there.

What must be on every node: this version of vaescreen, the weights of hub candidates (`vaescreen registry
pull`), and under the same path as here data folders, registries and local weights. Bundled autoencoders and
phantoms come with the package. A checkpoint belongs to a node: a task that moves to another begins again.
"""

import logging
import os
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, fields, is_dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from vaescreen import __version__
from vaescreen.errors import VaescreenError
from vaescreen.execution.engine import Engine
from vaescreen.execution.tasks import Outcome, attempt
from vaescreen.storage import cache_dir, digest, write_bytes

Shared = TypeVar("Shared")
Task = TypeVar("Task")
Result = TypeVar("Result")

MOST_LOSSES = 5
"""How often a task is begun again after its worker or node was lost."""


@dataclass(frozen=True)
class _Job:
    """What the tasks of one run have in common, and how the program stands on the machine that asks for them."""

    function: Callable[[Any, Any], Any]
    shared: Any
    folder: Path
    arguments: list[str]
    node: str
    version: str = __version__


@dataclass(frozen=True)
class _Answer:
    outcome: Outcome[Any]
    files: dict[str, bytes]


def gpus_of(engine: Engine) -> float:
    """How many GPUs the cluster has."""
    return float(_connected(engine).cluster_resources().get("GPU", 0))


def run_on_cluster(
    function: Callable[[Shared, Task], Result],
    shared: Shared,
    tasks: Mapping[str, Task],
    *,
    most: int | None,
    engine: Engine,
    device: str,
) -> Iterator[Outcome[Result]]:
    """Do what `vaescreen.execution.run` promises: one core a task, and on "cuda" the engine's share of a GPU.

    If `shared` is a dataclass with a field `results`, a folder, then a task gets another folder in its place,
    and the files that it writes there arrive in `results` before its outcome is given. A task whose worker or
    node is lost is begun again elsewhere, up to `MOST_LOSSES` times.

    Raises
    ------
    VaescreenError
        If Ray is not installed, the cluster cannot be reached or goes away, or has too little for a task.
    """
    if not tasks:
        return
    ray = _connected(engine)
    gpus = engine.gpus if device == "cuda" else 0
    available = ray.cluster_resources()
    for what, needed in (("CPU", 1), ("GPU", gpus)):
        if available.get(what, 0) < needed:
            raise VaescreenError(
                f"a task needs {needed:g} {what}, the Ray cluster has {available.get(what, 0):g}"
            )
    begin = ray.remote(_work).options(num_cpus=1, num_gpus=gpus, max_retries=MOST_LOSSES)
    here = ray.get_runtime_context().get_node_id()
    job = ray.put(_Job(function, shared, Path.cwd(), sys.argv, here))
    made_by = ray.cloudpickle.dumps((function, _with_results(shared, Path())))
    waiting = iter(tasks.items())
    running: dict[Any, str] = {}
    try:
        while True:
            for name, task in islice(waiting, (most or len(tasks)) - len(running)):
                key = digest(made_by, name, ray.cloudpickle.dumps(task))
                running[begin.remote(job, name, task, key)] = name
            if not running:
                return
            with redirect_stdout(sys.stderr):  # where Ray tells of lost nodes; it knows standard output only
                (done, *_), _ = ray.wait(list(running))
            yield _collected(ray, done, running.pop(done), shared)
    except ray.exceptions.RayError as error:
        raise VaescreenError(f"the Ray cluster is gone ({_line(error)}); what is finished is kept") from error
    finally:
        for reference in running:
            ray.cancel(reference, force=True)


def _collected(ray: Any, done: Any, name: str, shared: Any) -> Outcome[Any]:
    try:
        answer: _Answer = ray.get(done)
    except ray.exceptions.RayError as error:
        lost = (
            ray.exceptions.WorkerCrashedError,
            ray.exceptions.NodeDiedError,
            ray.exceptions.OutOfMemoryError,
        )
        what = (
            f"its worker was lost {MOST_LOSSES + 1} times"
            if isinstance(error, lost)
            else "it cannot run there"
        )
        return Outcome(name, error=f"Ray gave it up: {what} ({_line(error)})")
    # A result is complete with its JSON file, so that comes last.
    for path in sorted(answer.files, key=lambda path: path.endswith(".json")):
        write_bytes(shared.results / path, answer.files[path])
    return answer.outcome


def _connected(engine: Engine) -> Any:
    """Give the module `ray`, connected; the connection stays until the program ends."""
    try:
        import ray
    except ImportError as error:
        raise VaescreenError("--engine ray needs Ray: pip install 'vaescreen[ray]'") from error
    if ray.is_initialized():
        return ray
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        _listening(engine.address)
        ray.init(engine.address, logging_level=logging.ERROR, log_to_driver=False, include_dashboard=False)
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        where = engine.address or "this machine"
        raise VaescreenError(
            f"no Ray cluster can be reached at {where} ({_line(error)}); "
            "start one with `ray start --head`, or give --engine ray:ADDRESS"
        ) from error
    return ray


def _listening(address: str | None) -> None:
    """Raise OSError at once where nothing answers at HOST:PORT; Ray itself would try for minutes."""
    host, _, port = (address or "").rpartition(":")
    if port.isdigit() and "/" not in host:
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()


def _work(job: _Job, name: str, task: Any, key: str) -> _Answer:
    """Run a task on a node, with the arguments of the program that asked for it and in its folder."""
    import ray
    import torch

    node = socket.gethostname()
    if __version__ != job.version:
        error = (
            f"node {node} has vaescreen {__version__}, this machine {job.version}; install the same on all"
        )
        return _Answer(Outcome(name, error=error), {})
    torch.set_num_threads(1)
    sys.argv = job.arguments
    if job.folder.is_dir():
        os.chdir(job.folder)
    scratch = cache_dir() / "cluster" / key
    outcome = attempt(job.function, _with_results(job.shared, scratch), name, task)
    if outcome.error is None:
        return _Answer(outcome, _files(scratch))
    if ray.get_runtime_context().get_node_id() != job.node:
        hint = "data folders and weights must be on every node, under the same path"
        outcome = Outcome(name, error=f"{outcome.error} (on node {node}: {hint})")
    return _Answer(outcome, {})


def _with_results(shared: Any, folder: Path) -> Any:
    """The same with another folder of results, if it has one."""
    has_one = is_dataclass(shared) and "results" in {field.name for field in fields(shared)}
    return replace(shared, results=folder) if has_one else shared


def _files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }


def _line(error: Exception) -> str:
    """End of Ray's message: what comes before is a traceback."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return " ".join(lines[-1].split())[:200]
