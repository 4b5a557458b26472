"""Pages from result files: of each data set, of each recipe, and the index; what has not changed is remembered."""

import csv
import io
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from vaescreen.errors import ResultError
from vaescreen.predictor.files import shipped_path
from vaescreen.ranking.table import rank_payload
from vaescreen.registry.catalogue import Registry, shipped_file
from vaescreen.reports.leaderboard.board import Board, board_of
from vaescreen.reports.leaderboard.figures import Drawing, of_board, of_study
from vaescreen.reports.leaderboard.index import index_page, summary
from vaescreen.reports.leaderboard.memo import remembered
from vaescreen.reports.leaderboard.page import data_page
from vaescreen.reports.leaderboard.source import Contents, Source, sources
from vaescreen.reports.leaderboard.study import Outcome, Study, read_study
from vaescreen.reports.leaderboard.study_page import study_page
from vaescreen.storage import digest
from vaescreen.superres.recipes import RECIPES

INDEX = "README.md"
_DIGITS = 6

Drawn = Callable[[str, str], bool]
"""Whether the figure in a file shows what has this digest."""


@dataclass(frozen=True)
class Page:
    """What is made of some results.

    Attributes
    ----------
    files : dict
        Texts by file name.
    figures : dict
        Digest of what each figure shows, by file name.
    known : dict
        What other pages say of it, JSON-able.
    drawings : list of Drawing
        Its figures, if it was made just now.
    """

    files: dict[str, str]
    figures: dict[str, str] = field(default_factory=dict)
    known: dict[str, Any] = field(default_factory=dict)
    drawings: list[Drawing] = field(default_factory=list)


def make_pages(
    results: Path,
    data: Collection[str] = (),
    candidates: Collection[str] = (),
    drawn: Drawn = lambda file, digest: True,
) -> tuple[list[Page], list[str]]:
    """Make all pages of a folder of results, or remember them.

    Parameters
    ----------
    results
        Folder of result files.
    data
        Data sets that get a page; by default all but private ones.
    candidates
        Candidates that are shown; by default all, controls in a table of their own.
    drawn
        Which figures need not be drawn.

    Returns
    -------
    tuple
        Pages, and which results are left out as doubtful, and why.

    Raises
    ------
    ResultError
        If there are no score cards, or none of those asked for.
    """
    maker = _Maker(results, candidates, drawn)
    shown = maker.shown(data)
    studies = maker.studies()
    recipes = {study.recipe: maker.recipe_page(study) for study in studies}
    boards = [maker.data_page(name, studies, recipes) for name in shown]
    boards.sort(key=lambda page: not page.known["real"])
    doubts = [doubt for name in maker.sources for doubt in maker.contents[name].doubts] + maker.doubts
    evaluations = [(f"{quote(_recipe_file(name))}.md", page.known) for name, page in recipes.items()]
    index = index_page([page.known for page in boards], evaluations, maker.registered, doubts)
    return [Page({INDEX: index}), *recipes.values(), *boards], doubts


class _Maker:
    def __init__(self, results: Path, candidates: Collection[str], drawn: Drawn) -> None:
        self.results = results
        self.candidates = candidates
        self.drawn = drawn
        self.registered = Registry.read(shipped_file()).candidates
        self.sources = sources(results)
        self.contents = {name: _contents(source) for name, source in self.sources.items()}
        self.doubts: list[str] = []

    def shown(self, data: Collection[str]) -> list[str]:
        """Data sets that get a page."""
        sound = {name: each for name, each in self.contents.items() if each.candidates}
        wanted = data or [name for name, each in sound.items() if not each.private]
        absent = [name for name in wanted if name not in sound]
        if absent or not wanted:
            raise ResultError(
                f"{self.results} has no score cards of {', '.join(absent) or 'images that are not private'}; it has "
                f"some on {', '.join(sound) or 'nothing'}"
            )
        there = {name for each in wanted for name in sound[each].candidates}
        unknown = [name for name in self.candidates if name not in there]
        if unknown:
            raise ResultError(
                f"{self.results} has no score card of {', '.join(unknown)} on {', '.join(wanted)}; make one with "
                f"`vaescreen score {unknown[0]} --data DATA`"
            )
        return [
            name
            for name in wanted
            if not self.candidates or set(self.candidates) & set(sound[name].candidates)
        ]

    def studies(self) -> list[Study]:
        """Sound reference points by recipe."""
        found = []
        paths = [Path(path) for each in self.contents.values() for path in each.points]
        for recipe in sorted({path.parts[1] for path in paths}):
            sound = {self.results / path for path in paths if path.parts[1] == recipe}
            try:
                study = read_study(self.results, recipe, sound)
            except ResultError as error:
                self.doubts.append(str(error))
            else:
                found.append(study)
        return found

    def recipe_page(self, study: Study) -> Page:
        """The page of a recipe."""
        name = _recipe_file(study.recipe)

        def make() -> Page:
            known = study.evaluate()
            files = {f"{name}.md": study_page(known, study.foreseen), f"{name}.json": _as_json(known)}
            outcomes = [Outcome.from_json(record) for record in known["outcomes"]]
            return _page(files, of_study(study.recipe, outcomes), known)

        return self._page(digest("recipe", study.recipe, study.key), make)

    def data_page(self, data: str, studies: Sequence[Study], recipes: Mapping[str, Page]) -> Page:
        """The page of a data set."""
        source, doubts = self.sources[data], self.contents[data].doubts

        def make() -> Page:
            board = board_of(source, studies, self.candidates)
            study = recipes.get(board.recipe or "")
            outcomes = [Outcome.from_json(record) for record in (study.known["outcomes"] if study else [])]
            files = {
                f"{data}.md": data_page(board, self.registered, outcomes, doubts),
                f"{data}.json": _as_json(_payload(board)),
                f"{data}.csv": _csv(board),
            }
            return _page(files, of_board(board), summary(board))

        made_of = ("data", data, source.digest, [study.key for study in studies], sorted(self.candidates))
        return self._page(digest(*made_of, *_predictors()), make)

    def _page(self, key: str, make: Callable[[], Page]) -> Page:
        new: list[Page] = []

        def made() -> dict[str, Any]:
            new.append(make())
            return {"files": new[0].files, "figures": new[0].figures, "known": new[0].known}

        def usable(kept: dict[str, Any]) -> bool:
            return all(self.drawn(file, shows) for file, shows in kept["figures"].items())

        kept = remembered(key, made, usable)
        return new[0] if new else Page(**kept)


def _contents(source: Source) -> Contents:
    key = digest("contents", source.data, source.digest)
    return Contents(**remembered(key, lambda: asdict(source.contents)))


def _page(files: dict[str, str], drawings: list[Drawing], known: dict[str, Any]) -> Page:
    return Page(files, {drawing.file: drawing.digest for drawing in drawings}, known, drawings)


def _recipe_file(recipe: str) -> str:
    return f"predictions-{recipe}"


def _predictors() -> Iterator[bytes]:
    """The shipped predictors, one of which may rank."""
    paths = map(shipped_path, RECIPES)
    return (path.read_bytes() for path in paths if path.is_file())


def _payload(board: Board) -> dict[str, Any]:
    return {
        **rank_payload(list(board.cards.values()), board.rows, board.predicted_recipe),
        "controls": [row.as_json() for row in board.controls],
        "doubt": board.doubt,
        "reproduced": sorted(board.reproduced),
        "verdict": {"choice": board.verdict.choice, "lines": list(board.verdict.told)},
    }


def _as_json(value: dict[str, Any]) -> str:
    return json.dumps(_rounded(value), indent=1, allow_nan=False) + "\n"


def _rounded(value: Any) -> Any:
    """What is inside without digits that another processor or library would make otherwise."""
    if isinstance(value, float):
        return round(value, _DIGITS)
    if isinstance(value, Mapping):
        return {name: _rounded(each) for name, each in value.items()}
    return [_rounded(each) for each in value] if isinstance(value, list | tuple) else value


def _csv(board: Board) -> str:
    records = [
        _rounded(row.flat()) | {"control": control}
        for rows, control in ((board.rows, False), (board.controls, True))
        for row in rows
    ]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(records[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue()
