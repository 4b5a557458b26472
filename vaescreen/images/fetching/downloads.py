"""One file from the web: resumed where it broke off, verified, and never half there under its own name."""

import hashlib
import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from email.message import Message
from pathlib import Path
from typing import Any, NamedTuple

from vaescreen.errors import DataError, ResultError
from vaescreen.images.fetching.answers import (
    length_of,
    open_address,
    request_headers,
    start_of,
    total_of,
    validator_of,
)
from vaescreen.registry.data_sources import WebFile
from vaescreen.storage import free_bytes, placeholder, read_json, write_json

CHUNK = 2**20
TRIES = 4
"""Connections in a row that bring nothing before a download is given up."""
_FIRST_PAUSE = 0.5

_PASSING = (408, 429)
_REASONS = {
    401: "it asks for a login",
    403: "access is refused",
    404: "there is no such file",
    410: "it is gone",
}

OnBytes = Callable[[int, int | None], None]
"""Called with bytes of the file that are here, and in all if known."""


class Received(NamedTuple):
    """What arrived: bytes and sha256."""

    size: int
    sha256: str


class _Broken(Exception):  # noqa: N818
    """The connection did not bring what it promised; says why."""


def size_of(file: WebFile) -> int | None:
    """Bytes of a file as its entry or its server says; None if neither does."""
    if file.size is not None:
        return file.size
    request = urllib.request.Request(file.url, method="HEAD", headers=request_headers())
    try:
        with open_address(request) as answer:
            length = answer.headers.get("Content-Length", "")
            return int(length) if length.isdecimal() else None
    except (OSError, http.client.HTTPException, DataError):
        return None


def download(file: WebFile, target: Path, on_bytes: OnBytes) -> Received:
    """Fetch a file to `target`, going on from what an earlier try left beside it; one that is there is only verified.

    Parameters
    ----------
    file
        Address, and size and hashes where they are published.
    target
        Where it goes; until it is verified it is called `NAME.part`.
    on_bytes
        Told how far it is.

    Raises
    ------
    DataError
        If the server refuses, sends a page or another size in place of the file, breaks off again and again, or
        what arrived has another hash; or the disk is full.
    """
    part = target.with_name(f"{target.name}.part")
    note = target.with_name(f"{target.name}.part.json")
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_file():
        return _verified(file, target)
    idle = 0
    while True:
        before = _length(part)
        try:
            _receive(file, part, note, on_bytes)
            break
        except _Broken as broken:
            idle = idle + 1 if _length(part) <= before else 0
            if idle >= TRIES:
                raise DataError(
                    f"{file.url} {broken}; run the same command again to go on from {_length(part)} bytes"
                ) from broken
            time.sleep(_FIRST_PAUSE * 2 ** (idle - 1) if idle else 0)
        except OSError as error:
            raise DataError(f"{part} cannot be written ({error.strerror}); free space and go on") from error
    try:
        received = _verified(file, part)
        part.replace(target)
    finally:
        note.unlink(missing_ok=True)
    return received


def _receive(file: WebFile, part: Path, note: Path, on_bytes: OnBytes) -> None:
    """Fetch what is missing of a file in one connection."""
    have, validator = _resumable(file, part, note)
    headers = request_headers()
    if have and validator:
        headers |= {"Range": f"bytes={have}-", "If-Range": validator}
    try:
        answer = open_address(urllib.request.Request(file.url, headers=headers))
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416:  # what is here is no beginning of what is there now, or all of it
            if have and total_of(error.headers) == have:
                return
            part.unlink(missing_ok=True)
            raise _Broken("has changed") from error
        if error.code < 500 and error.code not in _PASSING:
            reason = _REASONS.get(error.code, "it refuses")
            raise DataError(
                f"{file.url} cannot be fetched: the server answered {error.code}, {reason}"
            ) from error
        raise _Broken(f"cannot be fetched: the server answered {error.code}") from error
    except urllib.error.URLError as error:
        raise _Broken(f"cannot be reached ({_one_line(error.reason)})") from error
    except (OSError, http.client.HTTPException) as error:
        raise _Broken(f"cannot be reached ({_one_line(error)})") from error
    with answer:
        _refuse_page(file, answer.headers)
        goes_on = answer.status == 206 and start_of(answer.headers) == have
        if answer.status == 206 and not goes_on:
            part.unlink(missing_ok=True)
            raise _Broken("answers with another part than was asked for")
        have = have if goes_on else 0
        total = total_of(answer.headers) if goes_on else length_of(answer.headers)
        if file.size is not None and total not in (None, file.size):
            raise DataError(
                f"{file.url} is {total} bytes there, not {file.size} as published; it has changed"
            )
        _require_space(part, (total or 0) - have)
        if not goes_on:
            write_json(note, {"url": file.url, "validator": validator_of(answer.headers)})
        _copy(file, answer, part, have, total, on_bytes)


def _copy(file: WebFile, answer: Any, part: Path, have: int, total: int | None, on_bytes: OnBytes) -> None:
    """Write what a connection brings behind the first `have` bytes."""
    with part.open("r+b" if have else "wb") as stream:
        stream.seek(have)
        stream.truncate()
        on_bytes(have, total)
        while True:
            try:
                data = answer.read(CHUNK)
            except (OSError, http.client.HTTPException) as error:
                raise _Broken(f"broke off ({_one_line(error)})") from error
            if not data:
                break
            if have == 0 and (instead := placeholder(data[:512])):
                raise DataError(f"{file.url} is {instead}, not the file; is the address right?")
            stream.write(data)
            have += len(data)
            on_bytes(have, total)
    if total is not None and have != total:
        raise _Broken(f"broke off after {have} of {total} bytes")


def _verified(file: WebFile, path: Path) -> Received:
    """Size and sha256 of a complete file; one that is not what was published is removed."""
    sha256, md5, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
    with path.open("rb") as stream:
        while data := stream.read(CHUNK):
            sha256.update(data)
            size += len(data)
            if file.md5:
                md5.update(data)
    for kind, found, published in (
        ("size", size, file.size),
        ("sha256", sha256.hexdigest(), file.sha256),
        ("md5", md5.hexdigest(), file.md5),
    ):
        if published is not None and found != published:
            path.unlink()
            raise DataError(
                f"{file.url} arrived damaged or has changed: its {kind} is {found}, not {published} as published; "
                "it is removed, fetch it again"
            )
    return Received(size, sha256.hexdigest())


def _resumable(file: WebFile, part: Path, note: Path) -> tuple[int, str | None]:
    """Bytes that are here, and what tells the server which version they are of; none if that is not known."""
    try:
        known = read_json(note)
        validator = known["validator"] if known["url"] == file.url else None
    except (ResultError, KeyError, TypeError):
        validator = None
    return (_length(part), validator) if validator else (0, None)


def _refuse_page(file: WebFile, headers: Message) -> None:
    if headers.get_content_type() == "text/html":
        raise DataError(f"{file.url} is an HTML page, not the file; is the address right?")


def _require_space(part: Path, needed: int) -> None:
    free = free_bytes(part.parent)
    if needed > free:
        raise DataError(
            f"{part.parent} has {free / 1e6:.0f} MB free, {needed / 1e6:.0f} MB are needed; free space"
        )


def _length(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _one_line(reason: object) -> str:
    return " ".join(str(reason).split())[:150] or type(reason).__name__
