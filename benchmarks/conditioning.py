"""What the conditioning of the SR model does to the order of autoencoders: tables of docs/evidence.md.

The same candidates on the same images were trained twice: on the latent of the small LR image, as arXiv 2604.12152
does, and as SR models are built. For each: how the output goes with the AE ceiling (Pearson's r, Fisher's interval),
within each data set, and how many candidates pass bicubic; and Kendall's tau between both orders.
"""

from collections.abc import Iterator, Mapping

from scipy import stats

from benchmarks.orders import NAMES, Points, order, tau
from vaescreen.predictor.points import TARGETS
from vaescreen.ranking.columns import number
from vaescreen.reports.markdown import table

OUTPUTS = TARGETS[:2]


def tables(recipes: Mapping[str, Points]) -> Iterator[str]:
    """Correlations by data set, recipe and output, then how the orders of two recipes agree.

    Candidates that not every recipe trained are left out.
    """
    names = {
        data: sorted(set.intersection(*(set(points[data]) for points in recipes.values())))
        for data in sorted(set.intersection(*map(set, recipes.values())))
    }
    yield table(
        (
            "data set",
            "candidates",
            "recipe",
            "output",
            "r with AE ceiling",
            "95 % interval",
            "pass bicubic",
        ),
        [
            [data, str(len(shared)), recipe, NAMES[target], *_row(points, data, shared, target)]
            for data, shared in names.items()
            for recipe, points in recipes.items()
            for target in OUTPUTS
        ],
    )
    one, other = recipes.values()
    taus = (
        f"{data} "
        + " and ".join(
            number(tau(order(one, data, target), order(other, data, target)), signed=True)
            for target in OUTPUTS
        )
        for data in names
    )
    yield f"Kendall's tau between both orders, for one sample and for the posterior mean: {'; '.join(taus)}."
    gains = (
        f"{data} {number(min(each))} to {number(max(each))}"
        for data, shared in names.items()
        for each in [_gains(one, other, data, shared)]
    )
    yield f"Gain of a sample's PSNR in dB, the least and the largest: {'; '.join(gains)}."


def _gains(one: Points, other: Points, data: str, names: list[str]) -> list[float]:
    before, after = (order(points, data, OUTPUTS[0]) for points in (one, other))
    return [after[name] - before[name] for name in names]


def _row(points: Points, data: str, names: list[str], target: str) -> tuple[str, str, str]:
    ceiling, reached, bicubic = (order(points, data, key) for key in ("ae_ceiling", target, "bicubic_psnr"))
    result = stats.pearsonr([ceiling[name] for name in names], [reached[name] for name in names])
    low, high = result.confidence_interval(0.95)
    passing = sum(reached[name] > bicubic[name] for name in names)
    return (
        number(result.statistic, signed=True),
        f"{number(low, signed=True)} to {number(high, signed=True)}",
        str(passing),
    )
