"""The pages as a static site, with the documentation beside them: opened from disk, it asks nothing of anybody."""

import importlib.util
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

from vaescreen.errors import CacheError, VaescreenError
from vaescreen.storage import ensure_writable

_NEEDED = "a site needs zensical; install it with `pip install 'vaescreen[docs]'`"
_MARK = ".made-by-vaescreen"
_DOCS, _FRONT = "docs", "README.md"
_LINK = re.compile(r"\]\(([^)#:\s]+)")
_CONFIG = """\
[project]
site_name = "vaescreen"
docs_dir = "pages"
site_dir = "site"
use_directory_urls = false
nav = {nav}

[project.theme]
font = false
features = ["navigation.tabs", "navigation.top"]

[[project.theme.palette]]
media = "(prefers-color-scheme: light)"
scheme = "default"

[[project.theme.palette]]
media = "(prefers-color-scheme: dark)"
scheme = "slate"

[project.plugins.search]
enabled = false
"""
"""No typeface from elsewhere, no address that needs a server, and no search, whose script would have to be fetched."""


def ensure_site_can_be_built(folder: Path) -> None:
    """Look before the work whether `build_site` can.

    Raises
    ------
    VaescreenError
        If the extra that builds is not installed.
    CacheError
        If the folder cannot be written, or holds what is no site of ours and would be lost.
    """
    if importlib.util.find_spec("zensical") is None:
        raise VaescreenError(_NEEDED)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())) and not (folder / _MARK).is_file():
        raise CacheError(f"{folder} holds other things, which a site would replace; give an empty folder")
    ensure_writable(folder.absolute().parent, "give another folder")


def build_site(pages: Path, folder: Path) -> None:
    """Build a site of published pages and of the documentation beside their folder, if there is any.

    Parameters
    ----------
    pages
        Folder of the pages.
    folder
        Of the site; a former one is replaced at once, when the new one is complete.

    Raises
    ------
    VaescreenError
        See `ensure_site_can_be_built`; or the pages cannot be built.
    """
    ensure_site_can_be_built(folder)
    target = folder.absolute()
    work = target.with_name(f".{target.name}.tmp")  # one that a killed run left is built anew
    shutil.rmtree(work, ignore_errors=True)
    try:
        _stage(pages.absolute(), work / "pages")
        settings = _CONFIG.format(nav=_navigation(work / "pages", pages.name))
        (work / "zensical.toml").write_text(settings, encoding="utf-8")
        command = [sys.executable, "-m", "zensical", "build", "--config-file", "zensical.toml"]
        built = subprocess.run(command, cwd=work, capture_output=True, text=True, check=False)  # noqa: S603
        if built.returncode or not (work / "site" / "index.html").is_file():
            said = (built.stderr or built.stdout).strip().splitlines() or ["it says nothing"]
            raise VaescreenError(f"zensical cannot build the site: {said[-1]}")
        (work / "site" / _MARK).touch()
        if target.exists():
            target.rename(work / "former")
        (work / "site").rename(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _stage(pages: Path, to: Path) -> None:
    """Copy pages and documentation as they lie beside each other, and every file that one of them links to."""
    root = pages.parent
    shutil.copytree(pages, to / pages.name, ignore=shutil.ignore_patterns("results", "*.parquet", ".*"))
    if (root / _DOCS / _FRONT).is_file():
        shutil.copytree(root / _DOCS, to / _DOCS)
        shutil.copyfile(root / _FRONT, to / _FRONT)
    else:
        (to / "index.md").write_text(
            f"# vaescreen\n\n[Leaderboards]({pages.name}/{_FRONT})\n", encoding="utf-8"
        )
    waiting = list(to.rglob("*.md"))
    while waiting:
        page = waiting.pop()
        text = page.read_text(encoding="utf-8")
        page.write_text(text.replace("<details>", "<details markdown>"), encoding="utf-8")
        for link in _LINK.findall(text):
            linked = (root / page.relative_to(to).parent / link).resolve()
            if linked.is_file() and root in linked.parents:
                copy = to / linked.relative_to(root)
                if not copy.exists():
                    copy.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(linked, copy)
                    waiting += [copy] if copy.suffix == ".md" else []


def _navigation(staged: Path, pages: str) -> str:
    """The parts of the site as TOML, their pages in the order of names, the overview of each first."""
    front = _FRONT if (staged / _FRONT).is_file() else "index.md"
    nav: list[str] = [f"{{Start = {json.dumps(front)}}}"]
    for title, folder in (("Documentation", _DOCS), ("Leaderboards", pages)):
        found = sorted((staged / folder).glob("*.md"), key=lambda path: (path.name != _FRONT, path.name))
        if found:
            names = json.dumps([path.relative_to(staged).as_posix() for path in found], ensure_ascii=False)
            nav.append(f"{{{title} = {names}}}")
    return f"[{', '.join(nav)}]"
