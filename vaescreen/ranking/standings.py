"""Shared ranks of candidates from their per-image tables: those that the patients cannot tell apart are tied."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from vaescreen.ranking.lint import IDS
from vaescreen.ranking.table import Row
from vaescreen.statistics.ranks import Standing, shared_ranks

IMAGE, PATIENT = IDS


def standings_of(tables: Mapping[str, Sequence[pd.DataFrame]], column: str) -> dict[str, Standing]:
    """Rank candidates by a per-image value on the images that all of them have it for.

    Parameters
    ----------
    tables : mapping
        Per-image tables of each candidate, with image and patient ids; of several seeds of a training, the mean
        of each image counts. Candidates without the column are left out.
    column : str
        The value, such as `sr_psnr`; higher is better.

    Returns
    -------
    dict
        Standings by candidate, best first; empty if there is no image in common.

    Raises
    ------
    DataError
        If a value is infinite.
    """
    values = {
        candidate: pd.concat(seeds).groupby(IMAGE)[column].mean()
        for candidate, seeds in tables.items()
        if all(column in seed for seed in seeds)
    }
    if not values:
        return {}
    shared = pd.DataFrame(values).dropna()
    if shared.empty:
        return {}
    owners = next(iter(tables.values()))[0].set_index(IMAGE)[PATIENT]
    standings = shared_ranks(shared, [str(owners[image]) for image in shared.index])
    return {standing.candidate: standing for standing in standings}


def with_measured_ranks(rows: Sequence[Row], standings: Mapping[str, Standing]) -> list[Row]:
    """Rows that also say where a candidate stands by its measured SR PSNR among those measured."""
    return [
        replace(
            row,
            sr_rank=standing.rank,
            sr_rank_interval=(standing.rank_low, standing.rank_high),
            sr_p_best=None if standing.p_best != standing.p_best else standing.p_best,
        )
        if (standing := standings.get(row.candidate))
        else row
        for row in rows
    ]


def with_shared_ranks(rows: Sequence[Row], standings: Mapping[str, Standing]) -> list[Row]:
    """Rows ranked by a measured value, with the ranks shared by those that cannot be told apart."""
    return [
        replace(row, rank=standings[row.candidate].rank)
        if row.rank is not None and row.candidate in standings
        else row
        for row in rows
    ]
