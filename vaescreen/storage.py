"""Where files live and how they are written: whole, sealed with a checksum, and by one process at a time.

A file is written beside its place and renamed, so that an interrupted run never leaves half a file. What is read
back is checked against its seal; what does not agree with it is damaged, and is put aside and made again, never
believed. Files without a seal, which older versions wrote, are read as they are.
"""

import hashlib
import io
import json
import logging
import os
import re
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

from vaescreen.errors import CacheError, DamagedError, ResultError, visible

if TYPE_CHECKING:
    import pandas as pd

Found = TypeVar("Found")

SEAL = "checksum"
"""Last field of a JSON file: the digest of all its other content and of the key that it belongs to."""
TABLE_SEAL = "images_sha256"
"""Field of a result that holds the hash of the Parquet file beside it."""

_PROBE = bytes(2**16)
_PATIENCE = 2.0
"""Seconds after which a process that waits for another says so."""
_TEMPORARY = re.compile(r"\..+\.(?P<process>\d+)(@(?P<host>.+))?\.tmp")
_log = logging.getLogger(__name__)


def cache_dir() -> Path:
    """Folder for everything that can be computed again: `$VAESCREEN_CACHE`, or `vaescreen` in the user's cache.

    It need not exist, nor be writable while nothing new goes into it.
    """
    default = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "vaescreen"
    return Path(os.environ.get("VAESCREEN_CACHE", default))


def config_dir() -> Path:
    """Folder of what the user sets up: `$VAESCREEN_CONFIG`, or `vaescreen` where the platform keeps such things.

    That is `$XDG_CONFIG_HOME` or `~/.config` on Linux, `~/Library/Application Support` on a Mac and `%APPDATA%`
    on Windows. The folder need not exist.
    """
    from platformdirs import user_config_path

    given = os.environ.get("VAESCREEN_CONFIG")
    return Path(given) if given else user_config_path("vaescreen", appauthor=False, roaming=True)


def free_bytes(folder: Path) -> int:
    """Free space where a folder lies, or will lie once it is made."""
    there = next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())
    return shutil.disk_usage(there).free


def ensure_writable(folder: Path, instead: str = "point VAESCREEN_CACHE (or --results) elsewhere") -> None:
    """Create `folder` and prove that data can be written there, before hours are spent on what goes into it.

    `instead` is what else the user can do, for the message.

    Raises
    ------
    CacheError
        If the folder cannot be created or entered, is read-only, or is on a full disk.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(_PROBE)
    except OSError as error:
        raise CacheError(
            f"cannot write to {folder} ({error.strerror}); "
            f"mend the folder's permissions, free space, or {instead}"
        ) from error


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold what is at `path`, or will be, against other processes; wait for the one that holds it now.

    A lock ends with its process, however that ends.

    Raises
    ------
    CacheError
        If the folder of `path` cannot be written.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(path.with_name(f".{path.name}.lock"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=_PATIENCE)
        except Timeout:
            say(f"waiting for another process that is at {path}")
            lock.acquire()
    except OSError as error:
        raise _cannot_write(path, error) from error
    try:
        yield
    finally:
        lock.release()


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path` atomically.

    Raises
    ------
    CacheError
        If it cannot be written.
    """
    _write_atomically(path, lambda temporary: temporary.write_bytes(data))


def write_stream(path: Path, stream: IO[bytes]) -> None:
    """Copy a stream to `path`, atomically and in pieces."""

    def copy(temporary: Path) -> None:
        with temporary.open("wb") as target:
            shutil.copyfileobj(stream, target, 2**20)

    _write_atomically(path, copy)


def write_json(path: Path, value: Any, key: str = "") -> None:
    """Write `value` as indented JSON, a mapping with its seal.

    NaN and infinity are refused, since JSON has no words for them. What is in the file does not depend on `key`,
    but it can be read with the same key only.
    """
    if isinstance(value, dict):
        value = value | {SEAL: _seal(json.loads(json.dumps(value)), key)}
    text = json.dumps(value, indent=1, allow_nan=False, ensure_ascii=False)
    write_bytes(path, (text + "\n").encode())


def read_json(path: Path, key: str = "") -> Any:
    """Read a JSON file and check its seal, if it has one.

    Raises
    ------
    ResultError
        If the file is missing or cannot be read.
    DamagedError
        If it is not JSON, or not what was written under this key.
    """
    value = _parsed(path)
    seal = value.pop(SEAL, None) if isinstance(value, dict) else None
    if seal is not None and seal != _seal(value, key):
        raise DamagedError(
            f"{path} is damaged: its content is not what was written; delete it and make it again"
        )
    return value


def is_sealed(path: Path) -> bool:
    """Whether a JSON file carries a checksum."""
    value = _parsed(path)
    return isinstance(value, dict) and SEAL in value


def recall_json(path: Path, key: str = "") -> Any:
    """Read a JSON file that can be made again: None if it is not there; a damaged one is put aside."""
    return recall(path, lambda: read_json(path, key))


def recall(path: Path, read: Callable[[], Found]) -> Found | None:
    """Read what can be made again: None if nothing is at `path`, or it is damaged and was put aside."""
    try:
        return read()
    except DamagedError as error:
        set_aside(path, error)
    except ResultError:
        return None
    return None


def set_aside(path: Path, reason: object, *others: Path) -> None:
    """Rename a damaged file, and `others` that are of no use without it, to NAME.damaged, and say so."""
    try:
        for each in (path, *others):
            if each.exists():
                each.replace(each.with_name(f"{each.name}.damaged"))
    except OSError as error:
        say(f"{reason} (it cannot be put aside: {error.strerror})")
    else:
        say(f"{reason} (put aside as {path.name}.damaged)")


def beside_namesakes(path: Path, data: str) -> Path:
    """Where a result goes, or has gone, when one on another data set of the same name is at `path`.

    Parameters
    ----------
    path
        JSON file of the result.
    data
        Fingerprint of the data set that it is of.
    """
    return path.parent / "other" / data[:16] / path.name


def make_way(path: Path, data: str, *more: str) -> None:
    """Move a result that is of another data set of the same name aside: neither costs the other anything.

    Parameters
    ----------
    path
        JSON file of a result, which says in `data.fingerprint` what it is of.
    data
        Fingerprint of the data set whose result is to be there.
    more
        Suffixes of what lies beside it; they go first, since it is the JSON file that makes a result complete.
    """
    try:
        other = str(read_json(path)["data"]["fingerprint"])
    except (ResultError, KeyError, TypeError):
        return
    if other == data:
        return
    aside = beside_namesakes(path, other)
    aside.parent.mkdir(parents=True, exist_ok=True)
    for suffix in (*more, path.suffix):
        with suppress(FileNotFoundError):
            path.with_suffix(suffix).replace(aside.with_suffix(suffix))
    say(f"{path} was of other images of that name; it is kept as {aside}")


def say(message: str) -> None:
    """Tell in one line, on stderr unless the program set up logging, what the user should know and need not mend."""
    _log.warning("%s", visible(message))


def write_table(path: Path, frame: "pd.DataFrame") -> str:
    """Write per-image values to Parquet; give the hash that the result beside it holds as `TABLE_SEAL`."""
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    data = buffer.getvalue()
    write_bytes(path, data)
    return hashlib.sha256(data).hexdigest()


def read_table(path: Path, seal: str | None) -> "pd.DataFrame":
    """Read per-image values and check that they are those that the result beside them was written with.

    Raises
    ------
    DamagedError
        If they are missing, damaged, or other ones.
    """
    import pandas as pd

    data = table_bytes(path, seal)
    try:
        return pd.read_parquet(io.BytesIO(data))
    except (OSError, ValueError) as error:
        problem = str(error).splitlines()[0]
        raise DamagedError(
            f"{path} cannot be read ({problem}); delete it and run the command again"
        ) from error


def table_bytes(path: Path, seal: str | None) -> bytes:
    """Bytes of a file that a result names by its hash; `seal` is None for results that name none.

    Raises
    ------
    DamagedError
        If it is missing, or another.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DamagedError(f"cannot read {path} ({error.strerror}); run the command again") from error
    if seal is not None and hashlib.sha256(data).hexdigest() != seal:
        raise DamagedError(
            f"{path} does not belong to the result beside it; delete both and run the command again"
        )
    return data


def digest(*parts: Any) -> str:
    """Sha256 (hex) over bytes, strings and JSON-able values; parts cannot run into each other."""
    total = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else json.dumps(part, sort_keys=True).encode()
        total.update(len(data).to_bytes(8, "big"))
        total.update(data)
    return total.hexdigest()


def _parsed(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ResultError(f"cannot read {path} ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise DamagedError(
            f"{path} is not valid JSON ({error}); if it is a result, delete it and make it again"
        ) from error


def _seal(value: Any, key: str) -> str:
    return digest(key, value)


def _write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}@{socket.gethostname()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path.parent)
        write(temporary)
        temporary.replace(path)
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _cannot_write(path: Path, error: OSError) -> CacheError:
    elsewhere = ", or point VAESCREEN_CACHE elsewhere" if cache_dir() in path.parents else ""
    return CacheError(
        f"cannot write {path} ({error.strerror or error}); mend its folder's permissions or free space{elsewhere}"
    )


@cache
def _sweep(folder: Path) -> None:
    """Delete temporary files that processes of this machine left when they were killed, once a folder."""
    if os.name != "posix":  # elsewhere a process cannot be asked for without harm
        return
    for path in folder.glob(".*.tmp"):
        named = _TEMPORARY.fullmatch(path.name)
        if named and named["host"] in (None, socket.gethostname()) and not _lives(int(named["process"])):
            path.unlink(missing_ok=True)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True


def placeholder(head: bytes) -> str | None:
    """What stands in place of a file that begins with `head`, in words; None if it may be the file."""
    if head.startswith(b"version https://git-lfs"):
        return "a Git LFS pointer"
    if head.lstrip().lower().startswith((b"<!doctype", b"<html")):
        return "an HTML page"
    return None
