"""Pages and figures written from the result files, and what of them is stale."""

from collections.abc import Iterator
from pathlib import Path

from vaescreen.reports.leaderboard.board import Leaderboard, Study, assemble
from vaescreen.reports.leaderboard.figures import FIGURES, draw, figure_digest, figure_name
from vaescreen.reports.leaderboard.index import index_page
from vaescreen.reports.leaderboard.page import data_page
from vaescreen.reports.markdown import GENERATED
from vaescreen.storage import write_bytes

INDEX = "README.md"
FIGURE_FOLDER = "figures"


def publish(results: Path, out: Path) -> list[Path]:
    """Render everything anew, and remove pages of data sets that are no longer there.

    Parameters
    ----------
    results
        Folder of result files.
    out
        Folder of the pages; figures go to `figures` in it.

    Returns
    -------
    list of Path
        Files written.

    Raises
    ------
    ResultError
        If the result files cannot be shown as they are.
    VaescreenError
        If there are figures to draw and matplotlib is not installed.
    """
    leaderboard = assemble(results)
    files = {name: text.encode() for name, text in render(leaderboard).items()}
    files |= {path: draw(name, study) for path, name, study in _figures(leaderboard)}
    for name, content in files.items():
        write_bytes(out / name, content)
    for page in _orphans(out, files):
        page.unlink()
    return [out / name for name in files]


def stale(results: Path, out: Path) -> list[str]:
    """Say what `publish` would change, one line each; nothing is written or drawn.

    Pages are compared byte for byte, figures by the digest of what they show.

    Raises
    ------
    ResultError
        If the result files cannot be shown as they are.
    """
    leaderboard = assemble(results)
    pages = render(leaderboard)
    problems = []
    for name, text in pages.items():
        path = out / name
        if not path.is_file():
            problems.append(f"{path} is missing")
        elif path.read_bytes() != text.encode():
            problems.append(f"{path} differs from the result files")
    for name, figure, study in _figures(leaderboard):
        path = out / name
        if not path.is_file():
            problems.append(f"{path} is missing")
        elif figure_digest(figure, study).encode() not in path.read_bytes():
            problems.append(f"{path} shows other numbers than the result files")
    problems += [f"{page} belongs to no result file" for page in _orphans(out, pages)]
    return problems


def render(leaderboard: Leaderboard) -> dict[str, str]:
    """All pages as Markdown, by file name."""
    pages = {f"{board.data}.md": data_page(board) for board in leaderboard.boards}
    return {INDEX: index_page(leaderboard), **pages}


def _figures(leaderboard: Leaderboard) -> Iterator[tuple[str, str, Study]]:
    for study in leaderboard.studies:
        for name in FIGURES:
            yield f"{FIGURE_FOLDER}/{figure_name(name, study.recipe)}", name, study


def _orphans(out: Path, rendered: dict[str, str] | dict[str, bytes]) -> list[Path]:
    """Find pages in `out` that were rendered once and no longer are; pages of other origin are left alone."""
    mark = GENERATED.encode()
    pages = (path for path in sorted(out.glob("*.md")) if path.name not in rendered)
    return [path for path in pages if path.read_bytes().startswith(mark)]
