"""Figures as SVG: predictions of a data set, AE ceiling against SR PSNR, and predicted against measured SR PSNR.

The digest of the numbers that a figure shows stands in the page and in the SVG, so that a stale figure is
found without drawing it, whatever the version of the libraries that draw.
"""

from collections.abc import Callable, Sequence
from dataclasses import astuple
from typing import TYPE_CHECKING, Any, NamedTuple

from vaescreen.ranking.columns import number
from vaescreen.reports.leaderboard.board import Board
from vaescreen.reports.leaderboard.study import HeldOut, Outcome
from vaescreen.reports.page import drawing
from vaescreen.reports.page.drawing import Canvas
from vaescreen.reports.ranking import charts
from vaescreen.storage import digest

if TYPE_CHECKING:
    import altair as alt

_GROUPS = {"ours": "ours", "published": "published rule"}


class Drawing(NamedTuple):
    """A figure of a page: its file, what it shows in words, the digest of its numbers, and how it is drawn."""

    file: str
    title: str
    digest: str
    draw: Callable[[Canvas], "alt.TopLevelMixin"]

    def svg(self) -> bytes:
        """Give the bytes of the file.

        Raises
        ------
        VaescreenError
            If the extra that draws is not installed.
        """
        return drawing.svg_file(self.draw, self.digest)

    def markdown(self) -> str:
        """Show it on a page, with its digest."""
        return f"![{self.title}](figures/{self.file})\n<!-- {self.file} {self.digest} -->"


def of_board(board: Board) -> list[Drawing]:
    """The forest plot of a data set."""
    shown = [
        [row.candidate, str(row.rank), *(number(getattr(row, panel.value)) for panel in charts.PANELS)]
        for row in board.rows
    ]
    title = f"Predictions with 90 % intervals on {board.data}; candidates on one band share a rank"
    name = f"{board.data}-forest.svg"
    return [Drawing(name, title, digest(name, shown), lambda canvas: charts.forest(board.rows, canvas))]


def of_study(recipe: str, outcomes: Sequence[Outcome]) -> list[Drawing]:
    """AE ceiling and predictions against what was measured."""
    measured = [[each.data, each.candidate, number(each.sr_psnr)] for each in outcomes]
    ceilings = [[number(each.ae_ceiling), number(each.bicubic_psnr)] for each in outcomes]
    predicted = [
        [
            number(value)
            for made in (each.ours, each.published)
            for value in (astuple(made) if made else (None,))
        ]
        for each in outcomes
    ]
    ceiling, prediction = (f"{recipe}-{name}.svg" for name in ("ceiling", "prediction"))
    return [
        Drawing(
            ceiling,
            f"AE ceiling against measured SR PSNR, recipe {recipe}; dashed: bicubic",
            digest(ceiling, measured, ceilings),
            lambda canvas: _ceiling(outcomes, canvas),
        ),
        Drawing(
            prediction,
            f"Predicted against measured SR PSNR, each candidate left out, recipe {recipe}",
            digest(prediction, measured, predicted),
            lambda canvas: _prediction(outcomes, canvas),
        ),
    ]


def _ceiling(outcomes: Sequence[Outcome], canvas: Canvas) -> "alt.LayerChart":
    import altair as alt

    records = [
        {
            "data": outcome.data,
            "domain": outcome.domain,
            "ceiling": outcome.ae_ceiling,
            "measured": outcome.sr_psnr,
            "said": f"{outcome.candidate} on {outcome.data}",
        }
        for outcome in outcomes
    ]
    floors = {outcome.data: outcome.bicubic_psnr for outcome in outcomes}
    colour = _colour(outcomes)
    x = alt.X("ceiling:Q", title="AE ceiling (dB)").scale(zero=False)
    y = alt.Y("measured:Q", title="measured SR PSNR (dB)").scale(zero=False)
    lines = alt.Chart(canvas.data([{"data": data, "measured": floor} for data, floor in floors.items()]))
    chart: alt.LayerChart = (
        lines.mark_rule(strokeDash=[4, 3]).encode(y=y, color=colour)
        + alt.Chart(canvas.data(records))
        .mark_point(filled=True, size=60, opacity=1)
        .encode(x=x, y=y, color=colour, shape=alt.Shape("domain:N", title="trained on"), description="said:N")
    ).properties(width=canvas.width - 190, height=300)
    return chart


def _prediction(outcomes: Sequence[Outcome], canvas: Canvas) -> "alt.HConcatChart":
    import altair as alt

    panels = []
    ends = [value for outcome in outcomes for value in _values(outcome)]
    span = [min(ends), max(ends)]
    line = alt.Chart(canvas.data([{"at": at} for at in span]))
    for group, title in _GROUPS.items():
        records = [
            record
            for outcome in outcomes
            if (record := _predicted(outcome, getattr(outcome, group))) is not None
        ]
        base = alt.Chart(canvas.data(records)).encode(color=_colour(outcomes), description="said:N")
        x = alt.X("measured:Q", title="measured SR PSNR (dB)").scale(domain=span, nice=True)
        y = alt.Y("predicted:Q", title="predicted SR PSNR (dB)").scale(domain=span, nice=True)
        panels.append(
            (
                line.mark_line(color=drawing.FAINT, clip=True).encode(
                    x=alt.X("at:Q").scale(domain=span, nice=True),
                    y=alt.Y("at:Q").scale(domain=span, nice=True),
                )
                + base.mark_rule(opacity=0.5, clip=True).encode(x=x, y="low:Q", y2="high:Q")
                + base.mark_point(filled=True, size=50, opacity=1, clip=True).encode(x=x, y=y)
            ).properties(title=title, width=canvas.width // 2 - 110, height=canvas.width // 2 - 110)
        )
    return alt.hconcat(*panels)


def _values(outcome: Outcome) -> list[float]:
    return [outcome.sr_psnr, *(made.value for made in (outcome.ours, outcome.published) if made)]


def _predicted(outcome: Outcome, made: HeldOut | None) -> dict[str, Any] | None:
    if made is None:
        return None
    return {
        "data": outcome.data,
        "measured": outcome.sr_psnr,
        "predicted": made.value,
        "low": made.value if made.low is None else made.low,
        "high": made.value if made.high is None else made.high,
        "said": f"{outcome.candidate} on {outcome.data}",
    }


def _colour(outcomes: Sequence[Outcome]) -> "alt.Color":
    """One colour a data set, in the order of the points."""
    import altair as alt

    names = list(dict.fromkeys(outcome.data for outcome in outcomes))
    shown = (drawing.ACCENT, drawing.SECOND, drawing.THIRD, drawing.SERIES)
    return alt.Color("data:N", title=None).scale(
        domain=names, range=[shown[place % len(shown)] for place in range(len(names))]
    )
