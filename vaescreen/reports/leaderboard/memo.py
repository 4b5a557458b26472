"""What pages were made of is remembered: a page whose results and whose code are as they were is not made again."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import vaescreen
from vaescreen.errors import CacheError
from vaescreen.registry.catalogue import shipped_file
from vaescreen.storage import cache_dir, digest, recall_json, write_json

Made = dict[str, Any]

_KEPT = 30 * 24 * 3600
"""Seconds that something is kept for after it was last asked for."""


def remembered(
    key: str, make: Callable[[], Made], usable: Callable[[Made], bool] = lambda made: True
) -> Made:
    """Give what was made under this key, if it is usable, or make it.

    It is kept in the cache, the same for all folders of results; where that cannot be written all is made each time.

    Parameters
    ----------
    key
        Hash of all that it is made of, apart from the code.
    make
        Gives JSON-able values.
    usable
        Whether what is kept will do.
    """
    key = digest(key, _code())
    path = cache_dir() / "pages" / f"{key}.json"
    kept: Made | None = recall_json(path, key)
    if kept is not None and usable(kept):
        with suppress(OSError):
            os.utime(path)
        return kept
    made = make()
    with suppress(CacheError):
        write_json(path, made, key)
        _forget(path.parent)
    return made


@cache
def _code() -> str:
    """Hash of the package and of its registry, and what else decides the last digits."""
    folder = Path(vaescreen.__file__).parent
    files = (path for path in sorted(folder.rglob("*")) if path.suffix in {".py", ".csv"})
    libraries = {name: version(name) for name in ("numpy", "scipy", "scikit-learn", "pandas")}
    return digest(libraries, shipped_file().read_bytes(), *(path.read_bytes() for path in files))


def _forget(folder: Path) -> None:
    for path in folder.glob("*.json"):
        with suppress(OSError):
            if path.stat().st_mtime < time.time() - _KEPT:
                path.unlink()
