"""Result files of a folder, read and linted: what cannot be right is refused before it is shown."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from vaescreen.errors import ResultError
from vaescreen.leaderboard.lint import ResultFile, check_file, check_page
from vaescreen.leaderboard.schema import ReferencePoint, Schema, ScoreCard
from vaescreen.storage import read_json

ByCandidate = dict[str, ResultFile]


@dataclass(frozen=True)
class Results:
    """Score cards by data set, and reference points by recipe and data set; each by candidate, sorted."""

    cards: dict[str, ByCandidate]
    references: dict[str, dict[str, ByCandidate]]


def read_results(folder: Path) -> Results:
    """Read `scores/<data>/*.json`, `reference/<recipe>/<data>/*.json` and the Parquet files beside them.

    Raises
    ------
    ResultError
        If there are no score cards, or a file is damaged, incomplete or implausible (see `lint`).
    """
    cards = _by_data(folder, folder / "scores", ScoreCard)
    if not cards:
        raise ResultError(
            f"no score cards under {folder / 'scores'}; make some with `vaescreen rank`, or give the folder "
            "that has them"
        )
    references = {
        path.name: _by_data(folder, path, ReferencePoint) for path in _folders(folder / "reference")
    }
    for data, files in cards.items():
        check_page(list(files.values()))
        for points in references.values():
            check_page([*list(files.values())[:1], *points.get(data, {}).values()])
    return Results(cards, {recipe: points for recipe, points in references.items() if points})


def _by_data(root: Path, folder: Path, schema: Schema) -> dict[str, ByCandidate]:
    return {
        path.name: files
        for path in _folders(folder)
        if (files := {file.stem: _read(root, file, schema) for file in sorted(path.glob("*.json"))})
    }


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
