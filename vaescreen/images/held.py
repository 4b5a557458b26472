"""The last file that was opened, kept in memory, so that its many images do not each decompress it again."""

import os
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import TypeVar

Opened = TypeVar("Opened")

_held: list[tuple[Hashable, object]] = []
"""At most one: what identifies an opened file, and what was made of it."""


def held(path: Path, what: Hashable, make: Callable[[], Opened]) -> Opened:
    """Give what `make` makes of a file, or gave last time if nothing else was asked for since.

    One thing is held at a time, whatever the format, and is let go before the next is made: memory is that of one
    opened file. A file that changed is opened again.

    Parameters
    ----------
    path
        The file.
    what
        Tells apart what is made of it: the format, the part, the choices that `make` depends on.
    make
        Opens the file.
    """
    key = (os.path.abspath(path), _stamp(path), what)  # noqa: PTH100 (links are not followed)
    entry = next((known for known in _held if known[0] == key), None)
    if entry is None:
        _held.clear()
        entry = key, make()
        _held[:] = [entry]
    return entry[1]  # type: ignore[return-value]  # made by the same `make`, since the key is the same


def _stamp(path: Path) -> tuple[int, ...]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns
