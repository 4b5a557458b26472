"""Result files of a folder, read and linted: what cannot be right is refused before it is shown."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from vaescreen.errors import ResultError
from vaescreen.ranking.lint import ResultFile, check_file, check_page
from vaescreen.ranking.schema import ReferencePoint, Schema, ScoreCard
from vaescreen.storage import read_json
from vaescreen.superres.paths import point_files

ByCandidate = dict[str, ResultFile]
BySeed = dict[int, ResultFile]


@dataclass(frozen=True)
class Results:
    """Score cards by data set, and reference points by recipe and data set; each by candidate, sorted.

    A reference point has a file for each seed.
    """

    cards: dict[str, ByCandidate]
    references: dict[str, dict[str, dict[str, BySeed]]]


def read_results(folder: Path) -> Results:
    """Read `scores/<data>/*.json`, `reference/<recipe>/<data>/*.json` and the Parquet files beside them.

    Raises
    ------
    ResultError
        If there are no score cards, or a file is damaged, incomplete or implausible (see `lint`).
    """
    cards = _cards(folder)
    if not cards:
        raise ResultError(
            f"no score cards under {folder / 'scores'}; make some with `vaescreen rank`, or give the folder "
            "that has them"
        )
    references = _references(folder)
    for data, files in cards.items():
        check_page(list(files.values()))
        for points in references.values():
            seeds = [file for point in points.get(data, {}).values() for file in point.values()]
            check_page([*list(files.values())[:1], *seeds])
    return Results(cards, references)


def _cards(root: Path) -> dict[str, ByCandidate]:
    return {
        path.name: files
        for path in _folders(root / "scores")
        if (files := {file.stem: _read(root, file, ScoreCard) for file in sorted(path.glob("*.json"))})
    }


def _references(root: Path) -> dict[str, dict[str, dict[str, BySeed]]]:
    found: dict[str, dict[str, dict[str, BySeed]]] = {}
    for path, recipe, data, candidate, seed in point_files(root):
        seeds = found.setdefault(recipe, {}).setdefault(data, {}).setdefault(candidate, {})
        seeds[seed] = _read(root, path, ReferencePoint)
    return found


def _folders(folder: Path) -> Iterable[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else ()


def _read(root: Path, path: Path, schema: Schema) -> ResultFile:
    table = path.with_suffix(".parquet")
    record = read_json(path)
    try:
        images = pd.read_parquet(table)
    except FileNotFoundError as error:
        raise ResultError(f"{path} has no per-image values {table.name} beside it; run it again") from error
    except (OSError, ValueError) as error:
        problem = str(error).splitlines()[0]
        raise ResultError(
            f"{table} cannot be read ({problem}); delete it and run the command again"
        ) from error
    file = ResultFile(path.relative_to(root), record, images)
    check_file(file, schema)
    return file
