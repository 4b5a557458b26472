"""Is the gap between candidates stable when one choice of the recipe changes? Cells of a grid, and their test."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import pandas as pd

from vaescreen.errors import RecipeError, ResultError
from vaescreen.statistics.equivalence import Equivalence, equivalence
from vaescreen.superres.paths import point_path, point_table
from vaescreen.superres.recipe import Recipe
from vaescreen.superres.variants import vary

MARGIN = 0.15
"""In dB: within this the published ablations found their gap stable (arXiv 2604.12152)."""


@dataclass(frozen=True)
class Cell:
    """One changed choice; the base has none."""

    axis: str
    value: str
    recipe: Recipe


@dataclass(frozen=True)
class Gap:
    """How two candidates compare in one cell, against how they compare in the base.

    Attributes
    ----------
    cell
        Which one.
    better, other
        The candidates.
    psnr
        Mean SR PSNR of both, dB.
    gap
        Their difference, dB.
    stability
        Test of the change of the gap from the base within the margin; None for the base itself.
    """

    cell: Cell
    better: str
    other: str
    psnr: tuple[float, float]
    gap: float
    stability: Equivalence | None


def cells(base: Recipe, axes: Mapping[str, Sequence[str]]) -> list[Cell]:
    """One factor at a time: the base, then each value of each axis with all else as in the base.

    Raises
    ------
    RecipeError
        If there is nothing to vary, or a value is unknown or makes no sense with the base.
    """
    varied = [
        Cell(axis, value, variant)
        for axis, values in axes.items()
        for value in values
        if (variant := vary(base, **{axis: value})).description() | {"name": base.name} != base.description()
    ]
    if not varied:
        raise RecipeError(f"nothing differs from recipe {base.name}; give --vary CHOICE=VALUE,VALUE")
    return [Cell("", "", base), *varied]


def read_gaps(
    results: Path,
    data: str,
    candidates: Sequence[str],
    grid: Sequence[Cell],
    seeds: Sequence[int],
    margin: float = MARGIN,
) -> list[Gap]:
    """Read the points of a grid and test every pair of candidates in every cell.

    Values are averaged over seeds image by image, images are joined by id, and patients are the units of the test.

    Raises
    ------
    ResultError
        If a point is missing, or two are not of the same images.
    """
    tables = {
        (cell.recipe.name, candidate): _table(results, cell.recipe.name, data, candidate, seeds)
        for cell in grid
        for candidate in candidates
    }
    found = []
    for better, other in combinations(candidates, 2):
        base = _difference(tables[grid[0].recipe.name, better], tables[grid[0].recipe.name, other])
        for cell in grid:
            one, two = tables[cell.recipe.name, better], tables[cell.recipe.name, other]
            gap = _difference(one, two)
            change = _difference(gap, base)
            test = (
                None
                if cell is grid[0]
                else equivalence(change["sr_psnr"], list(change["patient_id"]), margin)
            )
            psnr = (float(one["sr_psnr"].mean()), float(two["sr_psnr"].mean()))
            found.append(Gap(cell, better, other, psnr, float(gap["sr_psnr"].mean()), test))
    return found


def _table(results: Path, recipe: str, data: str, candidate: str, seeds: Sequence[int]) -> pd.DataFrame:
    """Patient and SR PSNR of each image, by image id, the mean over seeds."""
    tables = []
    for seed in seeds:
        path = point_path(results, recipe, data, candidate, seed)
        if not path.is_file():
            raise ResultError(f"the ablation lacks {path}; run the same command again")
        tables.append(point_table(path).set_index("image_id")[["patient_id", "sr_psnr"]])
    first = tables[0].copy()
    for table in tables[1:]:
        _same_images(first, table)
    first["sr_psnr"] = sum(table["sr_psnr"].loc[first.index] for table in tables) / len(tables)
    return first


def _difference(one: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    _same_images(one, other)
    return one.assign(sr_psnr=one["sr_psnr"] - other["sr_psnr"].loc[one.index])


def _same_images(one: pd.DataFrame, other: pd.DataFrame) -> None:
    missing = one.index.symmetric_difference(other.index)
    if len(missing):
        raise ResultError(f"image {missing[0]} is in only one of two points; make both on the same data")
