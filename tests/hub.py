"""A model hub on 127.0.0.1 for tests: real HTTP, the routes that downloads ask for, and the ways to fail.

A folder `ROOT/ORG/NAME` is a repository of a model, `ROOT/datasets/ORG/NAME` one of a data set, each with one commit.
Clients are child processes with `Hub.environment(...)`, because the hub client reads its endpoint when it is imported.
"""

import hashlib
import json
import os
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from urllib.parse import unquote, urlsplit

LARGE_FILES = (".safetensors", ".bin", ".ckpt", ".zip", ".parquet")
_REPO = r"(?P<repo>(datasets/)?[^/]+/[^/]+)"
FILE_ROUTE = re.compile(rf"/{_REPO}/resolve/(?P<revision>[^/]+)/(?P<path>.+)")
INFO_ROUTE = re.compile(rf"/api/(models/)?{_REPO}(/revision/(?P<revision>[^/]+))?")


@dataclass
class Hub:
    """Serves the repositories under `root` while it is entered.

    Faults on demand, by `ORG/NAME` or `ORG/NAME/FILE`, for data sets with `datasets/` before it:

    - `refused` repositories answer every request with a status and an error code of the hub;
    - `failing` files answer their first downloads with these statuses, one each;
    - `cut` files lose their connection after so many bytes, the first time;
    - `swapped` files arrive as other bytes than the hub says;
    - `listed` names are among the files that a repository says it has.

    `requests` lists what was asked for, `METHOD PATH [Range]`.
    """

    root: Path
    refused: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    failing: dict[str, list[int]] = field(default_factory=dict)
    cut: dict[str, int] = field(default_factory=dict)
    swapped: Mapping[str, bytes] = field(default_factory=dict)
    listed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)

    def __enter__(self) -> "Hub":
        handler = type("Handler", (_Handler,), {"hub": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def environment(self, home: Path) -> dict[str, str]:
        """Environment of a client that talks to this hub only and keeps its cache in `home`."""
        inherited = {
            k: v for k, v in os.environ.items() if not k.startswith("HF_") and "proxy" not in k.lower()
        }
        return inherited | {
            "HF_ENDPOINT": f"http://127.0.0.1:{self._server.server_port}",
            "HF_HOME": str(home),
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
        }

    def commit(self, repo: str) -> str | None:
        """Commit hash of a repository, which changes with any byte in it; None for an unknown one."""
        files = sorted(path for path in (self.root / repo).rglob("*") if path.is_file())
        if not files:
            return None
        contents = b"".join(str(path).encode() + path.read_bytes() for path in files)
        return hashlib.sha1(contents).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._route()

    def do_GET(self) -> None:
        self._route()

    def log_message(self, *_: object) -> None:
        """Keep the test output quiet."""

    def _route(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.requests.append(f"{self.command} {path} {self.headers.get('Range', '')}".strip())
        match = FILE_ROUTE.fullmatch(path) or INFO_ROUTE.fullmatch(path)
        repo = match["repo"] if match else ""
        commit = self.hub.commit(repo)
        if repo in self.hub.refused:
            self._refuse(*self.hub.refused[repo])
        elif match is None or commit is None:
            self._refuse(404, "RepoNotFound")
        elif match["revision"] not in (None, "main", commit):
            self._refuse(404, "RevisionNotFound")
        elif match.re is INFO_ROUTE:
            self._info(repo, commit)
        else:
            self._file(repo, commit, match["path"])

    def _info(self, repo: str, commit: str) -> None:
        folder = self.hub.root / repo
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        siblings = [_sibling(path, path.relative_to(folder).as_posix()) for path in files]
        siblings += [{"rfilename": name} for name in self.hub.listed.get(repo, ())]
        info = {"id": repo.removeprefix("datasets/"), "sha": commit, "siblings": siblings}
        self._answer(200, {"Content-Type": "application/json"}, json.dumps(info).encode())

    def _file(self, repo: str, commit: str, name: str) -> None:
        path = self.hub.root / repo / name
        if not path.is_file():
            self._refuse(404, "EntryNotFound", {"X-Repo-Commit": commit})
            return
        data, address = path.read_bytes(), f"{repo}/{name}"
        if self.command == "GET" and self.hub.failing.get(address):
            self._refuse(self.hub.failing[address].pop(0), "")
            return
        etag = f'"{hashlib.sha256(data).hexdigest()}"'
        headers = {"ETag": etag, "X-Repo-Commit": commit, "Accept-Ranges": "bytes"}
        if path.suffix in LARGE_FILES:
            headers |= {"X-Linked-ETag": etag, "X-Linked-Size": str(len(data))}
        status, start = 200, 0
        if asked := re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", "")):
            status, start = 206, int(asked[1])
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        body = self.hub.swapped.get(address, data)[start:]
        self._answer(
            status, headers, body, self.hub.cut.pop(address, None) if self.command == "GET" else None
        )

    def _refuse(self, status: int, code: str, headers: Mapping[str, str] | None = None) -> None:
        said = (
            f"{code} {self.headers.get('Authorization', '')}".strip()
        )  # a hub that repeats what it was told
        self._answer(status, {"X-Error-Code": code, "X-Error-Message": said, **(headers or {})}, b"")

    def _answer(self, status: int, headers: Mapping[str, str], body: bytes, cut: int | None = None) -> None:
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body[:cut])
            self.close_connection = self.close_connection or cut is not None


def _sibling(path: Path, name: str) -> dict[str, object]:
    """A file as the hub lists it where sizes are asked for; the sha256 is that of large files only."""
    data = path.read_bytes()
    large = {"lfs": {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 134}}
    return {
        "rfilename": name,
        "size": len(data),
        "blobId": hashlib.sha1(data).hexdigest(),
        **(large if path.suffix in LARGE_FILES else {}),
    }
