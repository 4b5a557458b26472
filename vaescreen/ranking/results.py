"""Result files of a folder, read and linted: what cannot be right is refused before it is shown."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from vaescreen.errors import ResultError
from vaescreen.ranking.lint import ResultFile, check_file, check_page
from vaescreen.ranking.schema import ReferencePoint, Schema, ScoreCard
from vaescreen.storage import TABLE_SEAL, is_sealed, read_json, read_table
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


def result_files(folder: Path) -> list[Path]:
    """Find every JSON file of a result: score cards, reference points, baselines and predictions."""
    kinds = ("scores/*/*.json", "reference/*/*/*.json", "baselines/*/*/*.json", "predictions/*/*/*.json")
    return sorted(path for kind in kinds for path in folder.glob(kind))


def without_checksum(folder: Path) -> list[Path]:
    """Check the checksums of all results; give those that have none, which an older version wrote.

    Raises
    ------
    ResultError
        If a file is not what was written.
    """
    files = result_files(folder)
    for path in files:
        read_json(path)
    return [path for path in files if not is_sealed(path)]


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
    if not table.is_file():
        raise ResultError(f"{path} has no per-image values {table.name} beside it; run it again")
    file = ResultFile(path.relative_to(root), record, read_table(table, record.get(TABLE_SEAL)))
    check_file(file, schema)
    return file
