"""A headless Chromium of this machine, and a note of everything a page must not do in it."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")

Open = Callable[..., "contextmanager[Page]"]


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """Chromium; the test is skipped where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright drives the browser")
    found = os.environ.get("VAESCREEN_CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        pytest.skip("no Chromium on this machine; install one with `apt-get install chromium`")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def visit(browser: "Browser") -> Callable[..., Any]:
    """Open a file; on leaving, nothing may have been asked of a server, complained about, or run by a stranger.

    Of files, the page alone may have been asked for, or what is below `requests`.
    """

    @contextmanager
    def visited(
        path: Path, width: int = 1100, requests: Path | None = None, **options: Any
    ) -> Iterator["Page"]:
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        page = context.new_page()
        complaints: list[str] = []
        allowed = ("data:", "blob:", *([f"{requests.as_uri()}/"] if requests else []))
        page.on("console", lambda message: complaints.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
        page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith(allowed) or request.url == path.as_uri()
                else complaints.append(f"request: {request.url}")
            ),
        )
        page.goto(path.as_uri())
        try:
            yield page
            assert complaints == []
        finally:
            context.close()

    return visited
