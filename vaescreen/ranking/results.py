"""Result files of a folder, read and linted: what cannot be right is refused before it is shown."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from vaescreen.errors import ResultError
from vaescreen.ranking.lint import ResultFile, check_beside, check_file
from vaescreen.ranking.schema import ReferencePoint, Schema, ScoreCard
from vaescreen.storage import TABLE_SEAL, is_sealed, read_json, read_table
from vaescreen.superres.paths import point_files

ByCandidate = dict[str, ResultFile]
BySeed = dict[int, ResultFile]
Key = TypeVar("Key")


@dataclass(frozen=True)
class Results:
    """Score cards by data set, and reference points by recipe and data set; each by candidate, sorted.

    A reference point has a file for each seed.
    """

    cards: dict[str, ByCandidate]
    references: dict[str, dict[str, dict[str, BySeed]]]


def read_results(folder: Path, doubts: list[str] | None = None, data: str | None = None) -> Results:
    """Read `scores/<data>/*.json`, `reference/<recipe>/<data>/*.json` and the Parquet files beside them.

    Parameters
    ----------
    folder
        Of the results.
    doubts
        Given, a file that is damaged, incomplete or implausible is left out, and this list says why; otherwise it is
        an error. Of files that do not go together the most stay.
    data
        The only data set that is read, which may have nothing sound; by default all are.

    Raises
    ------
    ResultError
        If there are no score cards, or a file is not as it should be (see `lint`).
    """
    cards = {
        path.name: files
        for path in _folders(folder / "scores")
        if data in (None, path.name)
        if (files := _sound(_cards(folder, path, doubts), (), doubts))
    }
    if not cards and data is None:
        raise ResultError(
            f"no score cards under {folder / 'scores'}; make some with `vaescreen rank`, or give the folder "
            "that has them"
        )
    references: dict[str, dict[str, dict[str, BySeed]]] = {}
    for recipe, data_sets in _references(folder, doubts, data).items():
        for name, points in data_sets.items():
            beside = list(cards.get(name, {}).values())[:1]
            for (candidate, seed), file in _sound(points, beside, doubts).items():
                references.setdefault(recipe, {}).setdefault(name, {}).setdefault(candidate, {})[seed] = file
    return Results(cards, references)


def result_files(folder: Path) -> list[Path]:
    """Find every JSON file of a result: score cards, reference points, baselines, predictions, reproductions."""
    per_recipe = (f"{kind}/*/*/*.json" for kind in ("reference", "baselines", "predictions"))
    kinds = ("scores/*/*.json", "reproduced/*/*.json", *per_recipe)
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


def _cards(root: Path, folder: Path, doubts: list[str] | None) -> ByCandidate:
    found = {}
    for path in sorted(folder.glob("*.json")):
        with _noting(doubts):
            found[path.stem] = _read(root, path, ScoreCard)
    return found


def _references(
    root: Path, doubts: list[str] | None, only: str | None
) -> dict[str, dict[str, dict[tuple[str, int], ResultFile]]]:
    found: dict[str, dict[str, dict[tuple[str, int], ResultFile]]] = {}
    for path, recipe, data, candidate, seed in point_files(root):
        if only not in (None, data):
            continue
        with _noting(doubts):
            found.setdefault(recipe, {}).setdefault(data, {})[candidate, seed] = _read(
                root, path, ReferencePoint
            )
    return found


def _sound(
    files: Mapping[Key, ResultFile], beside: Sequence[ResultFile], doubts: list[str] | None
) -> dict[Key, ResultFile]:
    """Files on one data set that go together, in the order given; those that most are like come first to judge."""
    alike = Counter(_kind(file) for file in files.values())
    kept: dict[Key, ResultFile] = {}
    for key in sorted(files, key=lambda key: -alike[_kind(files[key])]):
        with _noting(doubts):
            check_beside(files[key], [*beside, *kept.values()])
            kept[key] = files[key]
    return {key: kept[key] for key in files if key in kept}


def _kind(file: ResultFile) -> tuple[str, str]:
    return file.record["data"]["fingerprint"], str(file.record.get("view"))


@contextmanager
def _noting(doubts: list[str] | None) -> Iterator[None]:
    """Write down why a file is left out, where that is wanted."""
    try:
        yield
    except ResultError as error:
        if doubts is None:
            raise
        doubts.append(str(error))


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
