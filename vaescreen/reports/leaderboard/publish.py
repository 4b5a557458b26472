"""Pages, tables and figures written from the result files, and what of them is stale."""

from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from vaescreen.reports.leaderboard.pages import Page, make_pages
from vaescreen.reports.markdown import GENERATED
from vaescreen.storage import write_bytes

FIGURE_FOLDER = "figures"


class Published(NamedTuple):
    """All files of the pages, those that were written, and which results were left out as doubtful, and why."""

    files: list[Path]
    written: list[Path]
    doubts: list[str]


def publish(
    results: Path, out: Path, *, data: Collection[str] = (), candidates: Collection[str] = ()
) -> Published:
    """Write the pages that differ from the results, and remove those of data sets that are no longer there.

    Figures that show the same numbers as before stay as they are.

    Parameters
    ----------
    results
        Folder of result files.
    out
        Folder of the pages; figures go to `figures` in it.
    data
        Data sets that get a page; by default all but private ones.
    candidates
        Candidates that are shown; by default all, controls in a table of their own.

    Raises
    ------
    ResultError
        If there is nothing that can be shown.
    VaescreenError
        If there are figures to draw and the extra that draws is not installed.
    """

    def drawn(file: str, shows: str) -> bool:
        return _shows(out / FIGURE_FOLDER / file, shows)

    pages, doubts = make_pages(results, data, candidates, drawn)
    drawings = [figure for page in pages for figure in page.drawings if not drawn(figure.file, figure.digest)]
    contents = {out / FIGURE_FOLDER / figure.file: figure.svg() for figure in drawings}
    contents |= {
        path: text.encode()
        for path, text in _texts(out, pages).items()
        if not path.is_file() or path.read_bytes() != text.encode()
    }
    for path, content in contents.items():
        write_bytes(path, content)
    for orphan in _orphans(out, pages):
        orphan.unlink()
    figures = [out / FIGURE_FOLDER / file for page in pages for file in page.figures]
    return Published([*_texts(out, pages), *figures], sorted(contents), doubts)


def stale(
    results: Path, out: Path, *, data: Collection[str] = (), candidates: Collection[str] = ()
) -> list[str]:
    """Say what `publish` would change, and what it would leave out, one line each; nothing is written or drawn.

    Pages are compared byte for byte, figures by the digest of what they show.

    Raises
    ------
    ResultError
        If there is nothing that can be shown.
    """
    pages, doubts = make_pages(results, data, candidates)
    problems = []
    for path, text in _texts(out, pages).items():
        if not path.is_file():
            problems.append(f"{path} is missing")
        elif path.read_bytes() != text.encode():
            problems.append(f"{path} differs from the result files")
    for file, shows in (figure for page in pages for figure in page.figures.items()):
        path = out / FIGURE_FOLDER / file
        if not path.is_file():
            problems.append(f"{path} is missing")
        elif not _shows(path, shows):
            problems.append(f"{path} shows other numbers than the result files")
    problems += [f"{page} belongs to no result file" for page in _orphans(out, pages)]
    return [*problems, *doubts]


def _texts(out: Path, pages: Collection[Page]) -> dict[Path, str]:
    return {out / name: text for page in pages for name, text in page.files.items()}


def _shows(path: Path, digest: str) -> bool:
    return path.is_file() and digest.encode() in path.read_bytes()


def _orphans(out: Path, pages: Collection[Page]) -> list[Path]:
    """Find pages in `out` that were rendered once and no longer are; pages of other origin are left alone."""
    mark, rendered = GENERATED.encode(), _texts(out, pages)
    found = (path for path in sorted(out.glob("*.md")) if path not in rendered)
    return [path for path in found if path.read_bytes().startswith(mark)]
