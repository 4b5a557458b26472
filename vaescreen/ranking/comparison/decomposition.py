"""Why two candidates differ: their gap split into resolution, capacity and domain by candidates in between.

A matched candidate shares every trait but one with its neighbour on a path from one candidate to the other, so
that each step changes one thing: the spatial factor (resolution), the latent channels (capacity), or what it was
trained on (domain, or family where only that differs). Steps add up to the gap exactly. A part depends on the
order in which things change; it is averaged over all orders that matched candidates exist for, which with all
orders is Shapley's value.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np
import pandas as pd

from vaescreen.registry.candidate import Candidate
from vaescreen.statistics.bootstrap import interval, patient_bootstrap
from vaescreen.statistics.intervals import Estimate

RESOLUTION, CAPACITY, DOMAIN, FAMILY = "resolution", "capacity", "domain", "family"


@dataclass(frozen=True)
class Step:
    """From one candidate to the next, one trait changed.

    Attributes
    ----------
    part : str
        `resolution`, `capacity`, `domain` or `family`.
    start, end : str
        Candidates.
    gain : Estimate
        Mean of `end` less mean of `start`, with its interval.
    """

    part: str
    start: str
    end: str
    gain: Estimate


@dataclass(frozen=True)
class Decomposition:
    """The gap between two candidates in parts.

    Attributes
    ----------
    first, second : str
        Candidates; the gap is first less second.
    gap : Estimate
        Its mean and interval.
    parts : dict of str to Estimate
        Mean over the paths; they add up to the gap. Empty if there is no path.
    paths : tuple of tuple of Step
        Each from the second candidate to the first.
    matched : tuple of str
        Candidates in between that were used.
    note : str
        What was used, or what is lacking.
    """

    first: str
    second: str
    gap: Estimate
    parts: dict[str, Estimate]
    paths: tuple[tuple[Step, ...], ...]
    matched: tuple[str, ...]
    note: str


def matched_paths(
    first: Candidate, second: Candidate, candidates: Iterable[Candidate]
) -> tuple[tuple[tuple[str, str, str], ...], ...]:
    """Paths from the second candidate to the first on which every step changes one trait.

    Parameters
    ----------
    first, second : Candidate
        The two ends.
    candidates : iterable of Candidate
        What may stand in between; only families of the two ends are used, so that nothing else changes.

    Returns
    -------
    tuple of paths
        Each a tuple of steps `(part, start, end)`; none if a candidate is lacking on every one.
    """
    ends = {_traits(second): second.name, _traits(first): first.name}
    pool = {_traits(candidate): candidate.name for candidate in reversed(list(candidates))} | ends
    before, after = _traits(second), _traits(first)
    changing = [place for place in range(len(before)) if before[place] != after[place]]
    paths = []
    for order in permutations(changing):
        here: tuple[Any, ...] = before
        steps = []
        for place in order:
            there = (*here[:place], after[place], *here[place + 1 :])
            steps.append((_part(place, first, second), pool.get(here), pool.get(there)))
            here = there
        if all(start and end for _, start, end in steps):
            paths.append(tuple((part, str(start), str(end)) for part, start, end in steps))
    return tuple(paths)


def decompose(
    values: pd.DataFrame,
    patients: Sequence[str],
    first: Candidate,
    second: Candidate,
    paths: Sequence[Sequence[tuple[str, str, str]]],
    *,
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> Decomposition:
    """Split the gap of first less second along paths.

    Parameters
    ----------
    values : DataFrame
        Finite values, a row an image, a column a candidate; every candidate of the paths is there.
    patients : sequence of str
        Patient of each row.
    first, second : Candidate
        The two ends.
    paths : sequence of paths
        As `matched_paths` gives them.
    level, draws, seed
        Of the intervals, from one patient bootstrap that all candidates share.

    Raises
    ------
    DataError
        If a value is not finite.
    """
    names = list(
        dict.fromkeys([first.name, second.name, *(n for path in paths for s in path for n in s[1:])])
    )
    table = values[names].to_numpy(dtype=np.float64)
    means = dict(zip(names, table.mean(axis=0), strict=True))
    drawn = dict(zip(names, patient_bootstrap(table, patients, draws, seed).T, strict=True))

    def gain(pairs: Sequence[tuple[str, str]], weight: float = 1.0) -> Estimate:
        value = sum(means[end] - means[start] for start, end in pairs) * weight
        sample = np.sum([drawn[end] - drawn[start] for start, end in pairs], axis=0) * weight
        low, high = interval(sample[:, None], level)
        return Estimate(float(value), float(low[0]), float(high[0]))

    parts = list(dict.fromkeys(part for path in paths for part, _, _ in path))
    matched = tuple(name for name in names if name not in (first.name, second.name))
    return Decomposition(
        first=first.name,
        second=second.name,
        gap=gain([(second.name, first.name)]),
        parts={
            part: gain([(s, e) for path in paths for p, s, e in path if p == part], 1 / len(paths))
            for part in parts
        },
        paths=tuple(tuple(Step(part, s, e, gain([(s, e)])) for part, s, e in path) for path in paths),
        matched=matched,
        note=_note(first, second, parts, len(paths), matched),
    )


def _traits(candidate: Candidate) -> tuple[Any, ...]:
    geometry = candidate.geometry
    return geometry.factor, geometry.channels, (candidate.domain, candidate.family)


def _part(place: int, first: Candidate, second: Candidate) -> str:
    return (RESOLUTION, CAPACITY, DOMAIN if first.domain != second.domain else FAMILY)[place]


def _note(
    first: Candidate, second: Candidate, parts: Sequence[str], paths: int, matched: tuple[str, ...]
) -> str:
    if _traits(first) == _traits(second):
        return f"{first.name} and {second.name} share geometry, domain and family: there is nothing to split"
    if not paths:
        return (
            f"no matched candidates lead from {second.name} to {first.name}: one of the families "
            f"{', '.join(sorted({first.family, second.family}))} would be needed at each geometry in between"
        )
    if not matched:
        return f"{first.name} and {second.name} differ in {parts[0]} alone: no matched candidates are needed"
    return (
        f"mean of {paths} path{'' if paths == 1 else 's'} through the matched candidates {', '.join(matched)}"
    )
