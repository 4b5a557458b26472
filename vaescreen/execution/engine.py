"""The choice of where work runs."""

import os
from dataclasses import dataclass
from typing import Literal

from vaescreen.errors import VaescreenError

MOST_PROCESSES = 4
"""Default limit: every worker holds its own copy of the libraries in memory."""


@dataclass(frozen=True)
class Engine:
    """Where work runs.

    Attributes
    ----------
    name
        "local": this machine, in worker processes. "ray": the nodes of a Ray cluster.
    address
        Of the cluster, as `ray.init` takes it; None for the one that this machine belongs to, or, if there is
        none, one of this machine alone that ends with the program.
    gpus
        GPUs that a task on a cluster takes if it runs on a GPU; below 1 for several tasks on each.
    """

    name: Literal["local", "ray"] = "local"
    address: str | None = None
    gpus: float = 1.0


LOCAL = Engine()


def engine_named(text: str, gpus: float = 1.0) -> Engine:
    """Read `local`, `ray` or `ray:ADDRESS`.

    Raises
    ------
    VaescreenError
        If it is none of these, or `gpus` is neither a whole number nor a share between 0 and 1.
    """
    if not gpus > 0 or (gpus > 1 and gpus != int(gpus)):
        raise VaescreenError(f"a task cannot take {gpus:g} GPUs; give a share up to 1, or a whole number")
    name, colon, address = text.partition(":")
    if name == "local" and not colon:
        return Engine()
    if name == "ray" and (address or not colon):
        return Engine("ray", address or None, gpus)
    raise VaescreenError(
        f"unknown engine {text!r}; give local, ray or ray:ADDRESS (such as ray:10.0.0.1:6379)"
    )


def default_processes() -> int:
    """Give the number of cores this process may use, at most `MOST_PROCESSES`."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(usable, MOST_PROCESSES)
