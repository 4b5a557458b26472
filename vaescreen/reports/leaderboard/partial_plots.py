"""Partial plots of a fitted predictor: what each feature adds, and how far the points lie from that curve."""

from typing import TYPE_CHECKING

import numpy as np

from vaescreen.predictor.description import by_effect
from vaescreen.predictor.fitted import FittedPredictor
from vaescreen.predictor.points import TARGETS
from vaescreen.predictor.sample import Sample
from vaescreen.predictor.words import in_words
from vaescreen.ranking.table import TARGET_NAMES
from vaescreen.reports.page import drawing
from vaescreen.reports.page.drawing import Canvas

if TYPE_CHECKING:
    import altair as alt

_PANELS = 4
_SIDE = 170


def partial_plots(fitted: FittedPredictor) -> bytes:
    """SVG of a panel for each of the features that move a target most: its part, with partial residuals.

    The part is the mean prediction over the points, all with the same value of the feature, less the mean of all
    (partial dependence: Friedman, Greedy function approximation, Annals of Statistics 29(5), 2001). The partial
    residual of a point is its residual plus the part at its own value (Larsen, McCleary: The use of partial
    residual plots in regression analysis, Technometrics 14(3), 1972).

    Raises
    ------
    VaescreenError
        If the extra that draws is not installed.
    """

    def draw(canvas: Canvas) -> "alt.TopLevelMixin":
        import altair as alt

        return alt.vconcat(*(_row(fitted, target, canvas) for target in TARGETS))

    return drawing.svg_file(draw, f"partial plots, recipe {fitted.recipe}")


def _row(fitted: FittedPredictor, target: str, canvas: Canvas) -> "alt.HConcatChart":
    import altair as alt

    model, sample = fitted.targets[target].model, Sample.of(fitted.points, target)
    predicted = model.predict(sample.columns)
    panels: list[alt.LayerChart] = []
    for name in by_effect(fitted, target)[:_PANELS]:
        values = sample.columns[name]
        shared = [sample.columns | {name: np.full_like(values, value)} for value in values]
        part = np.array([model.predict(columns).mean() for columns in shared]) - predicted.mean()
        records = [
            {"value": float(value), "part": float(own), "residual": float(own + off), "data": point.data}
            for value, own, off, point in zip(
                values, part, sample.target - predicted, fitted.points, strict=True
            )
        ]
        base = alt.Chart(canvas.data(records))
        x = alt.X("value:Q", title=in_words(name)).scale(zero=False).axis(tickCount=4)
        panels.append(
            (
                base.mark_point(filled=True, size=22, opacity=1).encode(
                    x=x,
                    y=alt.Y("residual:Q", title=f"{TARGET_NAMES[target]}, part (dB)" if not panels else None),
                    color=alt.Color("data:N", title=None),
                )
                + base.mark_line(color=drawing.SERIES).encode(x=x, y="part:Q")
            ).properties(width=_SIDE, height=_SIDE)
        )
    return alt.hconcat(*panels)
