"""Pages, tables and figures written from the result files, and what of them is stale."""

import csv
import io
import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from vaescreen.ranking.table import rank_payload
from vaescreen.registry.catalogue import Registry, shipped_file
from vaescreen.reports.leaderboard.board import Board, Leaderboard, assemble
from vaescreen.reports.leaderboard.figures import Drawing, of_board, of_study
from vaescreen.reports.leaderboard.index import index_page
from vaescreen.reports.leaderboard.page import data_page
from vaescreen.reports.markdown import GENERATED
from vaescreen.storage import write_bytes

INDEX = "README.md"
FIGURE_FOLDER = "figures"


class Published(NamedTuple):
    """What was written, and which results were left out as doubtful, and why."""

    files: list[Path]
    doubts: tuple[str, ...]


def publish(
    results: Path, out: Path, *, data: Collection[str] = (), candidates: Collection[str] = ()
) -> Published:
    """Render everything anew, and remove pages of data sets that are no longer there.

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
        Candidates that are shown; by default all.

    Raises
    ------
    ResultError
        If there is nothing that can be shown.
    VaescreenError
        If there are figures to draw and the extra that draws is not installed.
    """
    leaderboard = assemble(results, data, candidates)
    files = {name: text.encode() for name, text in render(leaderboard).items()}
    files |= {
        f"{FIGURE_FOLDER}/{figure.file}": figure.svg()
        for figure in _figures(leaderboard)
        if not _shows(out / FIGURE_FOLDER / figure.file, figure)
    }
    for name, content in files.items():
        write_bytes(out / name, content)
    for page in _orphans(out, files):
        page.unlink()
    return Published([out / name for name in files], leaderboard.doubts)


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
    leaderboard = assemble(results, data, candidates)
    pages = render(leaderboard)
    problems = []
    for name, text in pages.items():
        path = out / name
        if not path.is_file():
            problems.append(f"{path} is missing")
        elif path.read_bytes() != text.encode():
            problems.append(f"{path} differs from the result files")
    for figure in _figures(leaderboard):
        path = out / FIGURE_FOLDER / figure.file
        if not path.is_file():
            problems.append(f"{path} is missing")
        elif not _shows(path, figure):
            problems.append(f"{path} shows other numbers than the result files")
    problems += [f"{page} belongs to no result file" for page in _orphans(out, pages)]
    return [*problems, *leaderboard.doubts]


def render(leaderboard: Leaderboard) -> dict[str, str]:
    """All pages as Markdown, and their rows as CSV and JSON, by file name."""
    registered = Registry.read(shipped_file()).candidates
    files = {INDEX: index_page(leaderboard, registered)}
    for board in leaderboard.boards:
        doubts = [doubt for doubt in leaderboard.doubts if f"/{board.data}/" in doubt]
        files[f"{board.data}.md"] = data_page(board, registered, doubts)
        files[f"{board.data}.json"] = json.dumps(_payload(board), indent=1, allow_nan=False) + "\n"
        files[f"{board.data}.csv"] = _csv(board)
    return files


def _payload(board: Board) -> dict[str, Any]:
    verdict = {"choice": board.verdict.choice, "lines": list(board.verdict.told)}
    return {**rank_payload(list(board.cards.values()), board.rows, board.recipe), "verdict": verdict}


def _csv(board: Board) -> str:
    records = [row.flat() for row in board.rows]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(records[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue()


def _figures(leaderboard: Leaderboard) -> Iterator[Drawing]:
    for study in leaderboard.studies:
        yield from of_study(study)
    for board in leaderboard.boards:
        yield from of_board(board)


def _shows(path: Path, figure: Drawing) -> bool:
    return path.is_file() and figure.digest.encode() in path.read_bytes()


def _orphans(out: Path, rendered: Collection[str]) -> list[Path]:
    """Find pages in `out` that were rendered once and no longer are; pages of other origin are left alone."""
    mark = GENERATED.encode()
    pages = (path for path in sorted(out.glob("*.md")) if path.name not in rendered)
    return [path for path in pages if path.read_bytes().startswith(mark)]
