"""Orders of candidates, from the files of reference points."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean

from scipy import stats

from vaescreen.predictor.points import TARGETS
from vaescreen.storage import read_json
from vaescreen.superres.paths import point_files

FEWEST = 4
"""Candidates that an order needs to be worth a correlation."""

NAMES = dict(zip(TARGETS, ("SR PSNR of a sample", "posterior mean", "detail kept"), strict=True))

Summary = Mapping[str, float]
Points = dict[str, dict[str, list[Summary]]]
"""Summaries of all seeds by data set and candidate."""


def read(root: Path) -> dict[str, Points]:
    """Points by recipe."""
    found: dict[str, Points] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for file in point_files(root):
        found[file.recipe][file.data][file.candidate].append(read_json(file.path)["summary"])
    return found


def mean(summaries: Sequence[Summary], target: str) -> float:
    """Mean over seeds."""
    return fmean(summary[target] for summary in summaries)


def order(points: Points, data: str, target: str) -> dict[str, float]:
    """What the candidates reached on a data set; those whose files do not say so are left out."""
    return {
        candidate: mean(seeds, target)
        for candidate, seeds in points.get(data, {}).items()
        if all(target in seed for seed in seeds)
    }


def tau(first: Mapping[str, float], second: Mapping[str, float]) -> float | None:
    """Kendall's tau over the candidates that both have; None if they are too few."""
    shared = sorted(first.keys() & second.keys())
    if len(shared) < FEWEST:
        return None
    return float(
        stats.kendalltau([first[name] for name in shared], [second[name] for name in shared]).statistic
    )
