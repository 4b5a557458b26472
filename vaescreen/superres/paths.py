"""Paths of reference points, `reference/<recipe>/<data>/<candidate>-seed<n>.json`: built, parsed and listed here."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from vaescreen.errors import ResultError
from vaescreen.storage import TABLE_SEAL, read_json, read_table

if TYPE_CHECKING:
    import pandas as pd

_STEM = re.compile(r"(?P<candidate>.+)-seed(?P<seed>0|[1-9][0-9]*)")


class PointFile(NamedTuple):
    """JSON file of one reference point; its per-image table has the same name and ends in .parquet."""

    path: Path
    recipe: str
    data: str
    candidate: str
    seed: int


def point_path(results: Path, recipe: str, data: str, candidate: str, seed: int) -> Path:
    """Where the JSON of a reference point lies below the folder of results."""
    return results / "reference" / recipe / data / f"{candidate}-seed{seed}.json"


def parse_point_path(path: Path) -> PointFile:
    """Say which point a path is of.

    Raises
    ------
    ResultError
        If the file is not named as `point_path` names it.
    """
    named = _STEM.fullmatch(path.stem)
    if named is None:
        raise ResultError(f"{path} is not named CANDIDATE-seedN.json; rename it, or delete it")
    recipe, data = path.parent.parent.name, path.parent.name
    return PointFile(path, recipe, data, named["candidate"], int(named["seed"]))


def point_files(results: Path, recipe: str | None = None) -> list[PointFile]:
    """All points below a folder of results, or those of one recipe, by recipe, data set, candidate and seed.

    Raises
    ------
    ResultError
        If a file is not named as `point_path` names it.
    """
    pattern = f"{recipe or '*'}/*/*.json"
    return sorted(map(parse_point_path, (results / "reference").glob(pattern)), key=lambda file: file[1:])


def point_table(path: Path) -> "pd.DataFrame":
    """Per-image values of the point whose JSON file is at `path`.

    Raises
    ------
    ResultError
        If a file is missing or damaged, or the two do not belong together.
    """
    return read_table(path.with_suffix(".parquet"), read_json(path).get(TABLE_SEAL))
