"""What code of others could leave changed in its process, and how long it may take: watched call by call.

Numbers of the other candidates, and those of the library's own networks, must not depend on what one candidate does.
"""

import faulthandler
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import numpy as np
import torch

from vaescreen.errors import CandidateError
from vaescreen.storage import say

_GRACE = 10.0
"""Seconds that a call which cannot be interrupted is left after its time before its whole process ends."""


class _Setting(NamedTuple):
    """Something that is the same for all code of a process."""

    what: str
    read: Callable[[], Any]
    restore: Callable[[Any], object]


def _restore_environment(before: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(before)


_SETTINGS = (
    _Setting("the default dtype", torch.get_default_dtype, torch.set_default_dtype),
    _Setting("whether gradients are computed", torch.is_grad_enabled, torch.set_grad_enabled),
    _Setting("the number of threads", torch.get_num_threads, torch.set_num_threads),
    _Setting(
        "whether algorithms are deterministic",
        torch.are_deterministic_algorithms_enabled,
        torch.use_deterministic_algorithms,
    ),
    _Setting(
        "the precision of products", torch.get_float32_matmul_precision, torch.set_float32_matmul_precision
    ),
    _Setting("the environment", lambda: dict(os.environ), _restore_environment),
    _Setting("the working directory", Path.cwd, os.chdir),
)


@contextmanager
def unchanged_process(name: str, *, opening: bool = False) -> Iterator[None]:
    """Put back what a candidate changes of its process, and refuse a candidate that does.

    Random numbers are its own affair: the generators of the process are put back without a word, and what it prints
    goes to stderr.

    Parameters
    ----------
    name
        Of the candidate.
    opening
        Whether its code is being imported: what that changes is put back and said, and no reason to refuse it.

    Raises
    ------
    CandidateError
        If it changed anything else.
    """
    before = [setting.read() for setting in _SETTINGS]
    generators = torch.get_rng_state(), np.random.get_state(), random.getstate()  # noqa: NPY002 - the one of others
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        changed = [
            (setting, value)
            for setting, value in zip(_SETTINGS, before, strict=True)
            if setting.read() != value
        ]
        for setting, value in changed:
            setting.restore(value)
        torch.set_rng_state(generators[0])
        np.random.set_state(generators[1])  # noqa: NPY002
        random.setstate(generators[2])
    if opening:
        for setting, _ in changed:
            say(f"{name}: opening it changed {setting.what} of the process; that is put back")
    elif changed:
        raise CandidateError(
            f"{name}: changes {changed[0][0].what} of the process, which belongs to all; let it leave that alone "
            "(`with torch.no_grad():` in place of `torch.set_grad_enabled(False)`, `dtype=` where a tensor is made)"
        )


@contextmanager
def time_limit(seconds: float, name: str) -> Iterator[None]:
    """Interrupt what takes longer; where it cannot be interrupted, end the process if it is a worker.

    Only the main thread of a process can be interrupted, and only on systems that have alarms.

    Raises
    ------
    CandidateError
        If it takes longer.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise CandidateError(
            f"{name}: no answer within {seconds:g} s; give it longer with --time-limit, or let it work in smaller tiles"
        )

    before, began = signal.signal(signal.SIGALRM, stop), time.monotonic()
    others, interval = signal.setitimer(signal.ITIMER_REAL, seconds)
    if _is_worker():
        faulthandler.dump_traceback_later(seconds + _GRACE, exit=True, file=sys.__stderr__ or 2)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if others:  # the alarm of whoever set one before
            signal.setitimer(signal.ITIMER_REAL, max(others - (time.monotonic() - began), 1e-3), interval)
        if _is_worker():
            faulthandler.cancel_dump_traceback_later()


def _is_worker() -> bool:
    from multiprocessing import parent_process

    return parent_process() is not None
