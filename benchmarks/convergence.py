"""How the order of autoencoders moves with the budget of training: tables and curves of docs/evidence.md."""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from statistics import fmean

import altair as alt

from benchmarks.orders import FEWEST, Points, order, tau
from vaescreen.predictor.points import TARGETS
from vaescreen.ranking.columns import ABSENT, number
from vaescreen.reports.markdown import table
from vaescreen.reports.page import drawing
from vaescreen.reports.page.drawing import Canvas

MEAN = TARGETS[1]

Curves = dict[int, dict[str, float]]
"""PSNR of the posterior mean in dB by training samples, then by candidate; each budget has the same candidates."""


def curves(recipe: str, budget: int, points: Points, variants: Mapping[str, Points]) -> dict[str, Curves]:
    """By data set, the candidates that were trained with every budget; data sets with fewer than four are left out."""
    begin = f"{recipe}+samples="
    by_budget = {budget: points} | {
        int(name.removeprefix(begin)): each
        for name, each in variants.items()
        if name.startswith(begin) and "+" not in name.removeprefix(begin)
    }
    found = {}
    for data in sorted(points):
        there = {count: order(each, data, MEAN) for count, each in sorted(by_budget.items()) if data in each}
        shared = sorted(set.intersection(*map(set, there.values())))
        if len(there) > 1 and len(shared) >= FEWEST:
            found[data] = {count: {name: values[name] for name in shared} for count, values in there.items()}
    return found


def tables(found: Mapping[str, Curves]) -> Iterator[str]:
    """A table a data set: candidates by budget, the mean rise, and tau between neighbouring budgets."""
    for data, there in found.items():
        budgets = list(there)
        rows = [[name, *(number(there[count][name]) for count in budgets)] for name in there[budgets[0]]]
        means = [fmean(values.values()) for values in there.values()]
        rises = (number(after - before, signed=True) for before, after in pairwise(means))
        taus = (number(tau(before, after)) for before, after in pairwise(there.values()))
        rows.append(["mean rise from the budget before", ABSENT, *rises])
        rows.append(["tau with the budget before", ABSENT, *taus])
        yield f"{data}, PSNR of the posterior mean in dB by training samples:"
        yield table(("candidate", *(f"{count:,}" for count in budgets)), rows)


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
    """Where names stand: at the ends of the lines, moved apart where two would overlap."""
    last = max(there)
    values = [value for each in there.values() for value in each.values()]
    apart = (max(values) - min(values)) / 18
    placed: list[dict[str, object]] = []
    below = float("-inf")
    for name, value in sorted(there[last].items(), key=lambda item: item[1]):
        below = max(value, below + apart)
        placed.append({"candidate": name, "samples": last, "at": below})
    return placed
