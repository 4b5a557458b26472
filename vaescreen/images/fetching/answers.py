"""Requests to web servers, and what the heads of their answers say."""

import re
import urllib.request
from email.message import Message
from typing import Any

from vaescreen import __version__
from vaescreen.errors import DataError

TIMEOUT = 30.0
"""Seconds without a byte after which a connection counts as broken."""

_RANGE = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)")


def start_of(headers: Message) -> int | None:
    """Place in the file at which a partial answer begins, if it says."""
    match = _RANGE.match(headers.get("Content-Range", ""))
    return int(match[1]) if match and match[1] else None


def total_of(headers: Message) -> int | None:
    """Bytes of the whole file as a partial answer states them."""
    match = _RANGE.match(headers.get("Content-Range", ""))
    return int(match[2]) if match and match[2] != "*" else None


def length_of(headers: Message) -> int | None:
    """Bytes of an answer, if it says."""
    length = headers.get("Content-Length", "")
    return int(length) if length.isdecimal() else None


def validator_of(headers: Message) -> str | None:
    """A strong entity tag, or the date of the last change."""
    tag = headers.get("ETag")
    return tag if tag and not tag.startswith("W/") else headers.get("Last-Modified")


def request_headers() -> dict[str, str]:
    """What every request says: who asks, and that bytes are wanted as they are stored."""
    return {"User-Agent": f"vaescreen/{__version__}", "Accept-Encoding": "identity"}


class _Encrypted(urllib.request.HTTPRedirectHandler):
    """Follows redirections, but not from an encrypted address to one that is not."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if req.type == "https" and not newurl.startswith("https:"):
            raise DataError(
                f"{req.full_url} leads on to an address that is not encrypted; it is not followed"
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def open_address(request: urllib.request.Request) -> Any:
    """Send a request, following redirections.

    Raises
    ------
    OSError
        If nobody answers, or with a status of 400 and more (`urllib.error.HTTPError`).
    DataError
        If an encrypted address leads on to one that is not.
    """
    return urllib.request.build_opener(_Encrypted).open(request, timeout=TIMEOUT)
