"""The noise floor: what a predictor that knew the true SR PSNR would score against finite seeds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vaescreen.predictor.points import Point
from vaescreen.predictor.scores import regret_by_data, tau_by_data

_DRAWS = 200


@dataclass(frozen=True)
class NoiseFloor:
    """What no predictor can pass in expectation; `mae` and `regret` in dB.

    `seed_sd` is the pooled standard deviation of one training's PSNR over seeds, in dB, from `points` points
    with two seeds or more; `seeds` the mean number of seeds whose mean is the target. `tau` is the expected
    smallest Kendall's tau of the data sets, `regret` the expected largest regret.
    """

    points: int
    seeds: float
    seed_sd: float
    mae: float
    tau: float | None
    regret: float | None


def noise_floor(points: Sequence[Point], target: str = "sr_psnr") -> NoiseFloor | None:
    """Scores of an oracle that predicts the expected PSNR of each point, judged by the mean of its seeds.

    The measured mean of k seeds lies about the truth with standard deviation `seed_sd / sqrt(k)`; the mean
    absolute deviation of a normal variable is sqrt(2 / pi) standard deviations. For tau and regret the
    measured means stand for the truth, and 200 sets of measurements are drawn about them, always the same.

    Returns
    -------
    NoiseFloor or None
        None if no point has two seeds.
    """
    repeated = [point for point in points if point.seeds > 1]
    if not repeated:
        return None
    freedom = sum(point.seeds - 1 for point in repeated)
    squares = sum((point.seeds - 1) * point.seed_sd[target] ** 2 for point in repeated)
    seed_sd = (squares / freedom) ** 0.5
    noise = seed_sd / np.sqrt([point.seeds for point in points])
    truth = np.array([point.targets[target] for point in points])
    data = [point.data for point in points]
    random = np.random.default_rng(0)
    draws = truth + noise * random.standard_normal((_DRAWS, len(points)))
    taus = [min(tau_by_data(measured, truth, data).values(), default=np.nan) for measured in draws]
    regrets = [max(regret_by_data(measured, truth, data).values(), default=np.nan) for measured in draws]
    ordered = bool(np.isfinite(taus).all())
    return NoiseFloor(
        points=len(repeated),
        seeds=float(np.mean([point.seeds for point in points])),
        seed_sd=seed_sd,
        mae=float(np.sqrt(2 / np.pi) * noise.mean()),
        tau=float(np.mean(taus)) if ordered else None,
        regret=float(np.mean(regrets)) if ordered else None,
    )
