"""How the order of autoencoders moves with the budget of training: tables and curves of docs/evidence.md."""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from statistics import fmean

import altair as alt
from scipy import stats

from benchmarks.orders import FEWEST, NAMES, Points, order, tau
from vaescreen.predictor.points import TARGETS
from vaescreen.ranking.columns import number
from vaescreen.reports.markdown import table
from vaescreen.reports.page import drawing
from vaescreen.reports.page.drawing import Canvas

MEAN = TARGETS[1]

Curves = dict[int, dict[str, float]]
"""PSNR of the posterior mean in dB by training samples, then by candidate."""


def budgets(recipe: str, budget: int, points: Points, variants: Mapping[str, Points]) -> dict[int, Points]:
    """Points by training samples, the fewest first: those of a recipe, and of what differs from it in nothing else."""
    begin = f"{recipe}+samples="
    others = {
        int(name.removeprefix(begin)): each
        for name, each in variants.items()
        if name.startswith(begin) and "+" not in name.removeprefix(begin)
    }
    return dict(sorted({budget: points, **others}.items()))


def curves(by_budget: Mapping[int, Points]) -> dict[str, Curves]:
    """By data set, candidates trained with several budgets; data sets where two budgets share too few are left out."""
    found = {}
    for data in sorted({data for points in by_budget.values() for data in points}):
        there = {count: order(points, data, MEAN) for count, points in by_budget.items() if data in points}
        names = [name for values in there.values() for name in values]
        several = {name for name in names if names.count(name) > 1}
        kept = {
            count: {name: value for name, value in sorted(values.items()) if name in several}
            for count, values in there.items()
        }
        if any(len(kept[one].keys() & kept[other].keys()) >= FEWEST for one, other in pairwise(kept)):
            found[data] = kept
    return found


def tables(found: Mapping[str, Curves], by_budget: Mapping[int, Points], budget: int) -> Iterator[str]:
    """What each candidate reached with each budget; then what two budgets say of the candidates that both have.

    The second has neighbouring budgets, and the recipe's own `budget` beside the largest.
    """
    for data, there in found.items():
        names = sorted(set().union(*there.values()))
        rows = [[name, *(number(there[count].get(name)) for count in there)] for name in names]
        yield f"{data}, PSNR of the posterior mean in dB by training samples:"
        yield table(("candidate", *(f"{count:,}" for count in there)), rows)
    pairs = [
        (data, *pair)
        for data, there in found.items()
        for pair in dict.fromkeys((*pairwise(there), (budget, max(there))))
        if pair[0] != pair[1]
    ]
    yield table(
        (
            "data set",
            "samples",
            "candidates",
            "output",
            "mean rise, dB",
            "tau of both orders",
            "r with AE ceiling, before",
            "after",
        ),
        [
            row
            for data, before, after in pairs
            for target in TARGETS
            if (row := _move(by_budget, data, before, after, target))
        ],
        text_columns=2,
    )


def _move(
    by_budget: Mapping[int, Points], data: str, before: int, after: int, target: str
) -> list[str] | None:
    """A row of the second table; None where both budgets share too few candidates."""
    one, other = (order(by_budget[count], data, target) for count in (before, after))
    names = sorted(one.keys() & other.keys())
    if len(names) < FEWEST:
        return None
    ceiling = order(by_budget[after], data, "ae_ceiling")
    limits = [ceiling[name] for name in names]
    r = [stats.pearsonr(limits, [each[name] for name in names]).statistic for each in (one, other)]
    return [
        data,
        f"{before:,} to {after:,}",
        str(len(names)),
        NAMES[target],
        number(fmean(other[name] - one[name] for name in names), signed=True),
        number(tau(one, other)),
        *(number(value, signed=True) for value in r),
    ]


def headroom(found: Mapping[str, Curves], by_budget: Mapping[int, Points], budget: int) -> Iterator[str]:
    """Whether those gain most by the largest budget that were furthest below their AE ceiling with `budget`."""
    for data, there in found.items():
        before, after = there.get(budget, {}), there[max(there)]
        names = sorted(before.keys() & after.keys())
        if len(names) < FEWEST or after is before:
            continue
        ceiling = order(by_budget[budget], data, "ae_ceiling")
        room = {name: ceiling[name] - before[name] for name in names}
        gain = {name: after[name] - before[name] for name in names}
        rows = [
            [name, number(room[name]), number(gain[name], signed=True)]
            for name in sorted(names, key=lambda name: room[name])
        ]
        yield (
            f"{data}, what {budget:,} samples left below the ceiling, and what {max(there):,} add; "
            f"Kendall's tau {number(tau(room, gain))}:"
        )
        yield table(("candidate", "below its AE ceiling, dB", "gain, dB"), rows)


def draw(found: Mapping[str, Curves], canvas: Canvas) -> alt.TopLevelMixin:
    """Curves beside each other, a line a candidate, named at its end; samples on a logarithmic axis."""
    room = canvas.width // len(found) - 170
    return alt.hconcat(*(_panel(data, there, canvas, room) for data, there in found.items()), spacing=20)


def _panel(data: str, there: Curves, canvas: Canvas, room: int) -> alt.LayerChart:
    records = [
        {"candidate": name, "samples": count, "psnr": value}
        for count, values in there.items()
        for name, value in values.items()
    ]
    x = (
        alt.X("samples:Q", title="training samples")
        .scale(type="log", domain=[min(there), max(there)])
        .axis(values=list(there), format=",")
    )
    y = alt.Y("psnr:Q", title="posterior mean (dB)").scale(zero=False)
    lines = alt.Chart(canvas.data(records)).encode(x=x, y=y, detail="candidate:N")
    ends = alt.Chart(canvas.data(_ends(there))).encode(
        x=x, y=alt.Y("at:Q").scale(zero=False), text="candidate:N"
    )
    chart: alt.LayerChart = (
        lines.mark_line(color=drawing.SERIES)
        + lines.mark_point(filled=True, size=40, color=drawing.ACCENT, opacity=1)
        + ends.mark_text(align="left", dx=8)
    ).properties(width=room, height=280, title=data)
    return chart


def _ends(there: Curves) -> list[dict[str, object]]:
    """Where names stand: where their lines end, moved apart where two that end at one budget would overlap."""
    last = {name: (count, value) for count, values in there.items() for name, value in values.items()}
    values = [value for _, value in last.values()]
    apart = (max(values) - min(values)) / 18
    placed: list[dict[str, object]] = []
    below: dict[int, float] = {}
    for name, (count, value) in sorted(last.items(), key=lambda item: item[1][1]):
        below[count] = max(value, below.get(count, float("-inf")) + apart)
        placed.append({"candidate": name, "samples": count, "at": below[count]})
    return placed
