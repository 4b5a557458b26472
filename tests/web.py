"""A web server on 127.0.0.1 for tests: files with ranges and validators, and the ways in which servers fail."""

import hashlib
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType


@dataclass
class Web:
    """Serves `files` (path to bytes) while it is entered.

    Faults on demand, by path:

    - `failing`: statuses of the first answers, one each;
    - `cut`: the connection is lost after so many bytes of an answer, for each of the first answers;
    - `held`: the connection stays open after so many bytes, until the server is left or `release` is called;
    - `pages`: an HTML page is sent with status 200 instead;
    - `elsewhere`: redirections;
    - `ranges` False: every request gets the whole file; `validators` False: no ETag and no date.

    `requests` lists what was asked for, `METHOD PATH [Range]`.
    """

    files: dict[str, bytes]
    failing: dict[str, list[int]] = field(default_factory=dict)
    cut: dict[str, list[int]] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)
    pages: frozenset[str] = frozenset()
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    ranges: bool = True
    validators: bool = True
    requests: list[str] = field(default_factory=list)

    def __enter__(self) -> "Web":
        self._released = threading.Event()
        handler = type("Handler", (_Handler,), {"web": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
        self._server.shutdown()
        self._server.server_close()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/{path}"

    def release(self) -> None:
        """Let connections that are held go on being lost."""
        self.held.clear()
        self._released.set()

    def wait(self) -> None:
        self._released.wait(60)


class _Handler(BaseHTTPRequestHandler):
    web: Web
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._route()

    def do_GET(self) -> None:
        self._route()

    def log_message(self, *_: object) -> None:
        """Keep the test output quiet."""

    def _route(self) -> None:
        web, path = self.web, self.path.lstrip("/")
        asked = self.headers.get("Range", "")
        web.requests.append(f"{self.command} {path} {asked}".strip())
        if self.command == "GET" and web.failing.get(path):
            self._answer(web.failing[path].pop(0), {}, b"no")
        elif path in web.elsewhere:
            self._answer(302, {"Location": web.elsewhere[path]}, b"")
        elif path in web.pages:
            self._answer(200, {"Content-Type": "text/html; charset=utf-8"}, b"<html>Please log in</html>")
        elif path not in web.files:
            self._answer(404, {}, b"nothing here")
        else:
            self._file(path, asked)

    def _file(self, path: str, asked: str) -> None:
        web, data = self.web, self.web.files[path]
        tag = f'"{hashlib.sha256(data).hexdigest()[:16]}"'
        headers = {"Content-Type": "application/octet-stream"} | ({"ETag": tag} if web.validators else {})
        status, start = 200, 0
        match = re.fullmatch(r"bytes=(\d+)-", asked)
        if match and web.ranges and self.headers.get("If-Range", tag) == tag:
            start = int(match[1])
            if start >= len(data):
                self._answer(416, {"Content-Range": f"bytes */{len(data)}"}, b"")
                return
            status = 206
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        cut = web.cut[path].pop(0) if self.command == "GET" and web.cut.get(path) else None
        self._answer(status, headers, data[start:], cut, web.held.get(path))

    def _answer(
        self,
        status: int,
        headers: Mapping[str, str],
        body: bytes,
        cut: int | None = None,
        held: int | None = None,
    ) -> None:
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "GET":
            return
        self.wfile.write(body[: cut if held is None else held])
        self.wfile.flush()
        if held is not None:
            self.web.wait()
        self.close_connection = self.close_connection or cut is not None or held is not None
