"""Where files live and how they are written: atomically, so that an interrupted run never leaves half a file."""

import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from vaescreen.errors import CacheError, ResultError

if TYPE_CHECKING:
    import pandas as pd


def cache_dir() -> Path:
    """Folder for everything that can be computed again: `$VAESCREEN_CACHE`, or `vaescreen` in the user's cache.

    Raises
    ------
    CacheError
        If the folder cannot be created or written.
    """
    default = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "vaescreen"
    folder = Path(os.environ.get("VAESCREEN_CACHE", default))
    ensure_writable(folder)
    return folder


def config_dir() -> Path:
    """Folder of what the user sets up: `$VAESCREEN_CONFIG`, or `vaescreen` where the platform keeps such things.

    That is `$XDG_CONFIG_HOME` or `~/.config` on Linux, `~/Library/Application Support` on a Mac and `%APPDATA%`
    on Windows. The folder need not exist.
    """
    if "VAESCREEN_CONFIG" in os.environ:
        return Path(os.environ["VAESCREEN_CONFIG"])
    homes = {
        "darwin": Path.home() / "Library" / "Application Support",
        "win32": Path(os.environ.get("APPDATA", Path.home() / "AppData" / "Roaming")),
    }
    default = homes.get(sys.platform, Path.home() / ".config")
    return Path(os.environ.get("XDG_CONFIG_HOME") or default) / "vaescreen"


def ensure_writable(folder: Path) -> None:
    """Create `folder` and prove that a file can be written there, before hours are spent on what goes into it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise CacheError(
            f"cannot write to {folder} ({error.strerror}); "
            "mend the folder's permissions or point VAESCREEN_CACHE (or --results) elsewhere"
        ) from error


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path` atomically."""
    _write_atomically(path, lambda temporary: temporary.write_bytes(data))


def write_stream(path: Path, stream: IO[bytes]) -> None:
    """Copy a stream to `path`, atomically and in pieces."""

    def copy(temporary: Path) -> None:
        with temporary.open("wb") as target:
            shutil.copyfileobj(stream, target, 2**20)

    _write_atomically(path, copy)


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON; NaN and infinity are refused, since JSON has no words for them."""
    text = json.dumps(value, indent=1, allow_nan=False, ensure_ascii=False)
    write_bytes(path, (text + "\n").encode())


def write_parquet(path: Path, frame: "pd.DataFrame") -> None:
    """Write a table of per-image values to Parquet."""
    _write_atomically(path, lambda temporary: frame.to_parquet(temporary, index=False))


def write_torch(path: Path, state: dict[str, Any]) -> None:
    """Write tensors and plain values, to be read with `torch.load(path, weights_only=True)`."""
    import torch

    _write_atomically(path, lambda temporary: torch.save(state, temporary))


def read_json(path: Path) -> Any:
    """Read a JSON result file.

    Raises
    ------
    ResultError
        If the file is missing or is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ResultError(f"cannot read {path} ({error.strerror})") from error
    except ValueError as error:
        raise ResultError(
            f"{path} is not valid JSON ({error}); if it is a result, delete it and make it again"
        ) from error


def digest(*parts: Any) -> str:
    """Sha256 (hex) over bytes, strings and JSON-able values; parts cannot run into each other."""
    total = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else json.dumps(part, sort_keys=True).encode()
        total.update(len(data).to_bytes(8, "big"))
        total.update(data)
    return total.hexdigest()


def _write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(temporary)
        temporary.replace(path)
    except OSError as error:
        raise CacheError(
            f"cannot write {path} ({error.strerror or error}); mend its folder's permissions or free space"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
