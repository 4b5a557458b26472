"""Figures as SVG: AE ceiling against SR PSNR, and predicted against measured SR PSNR.

The digest of the numbers that a figure shows stands in the page and in the SVG, so that a stale figure is
found without drawing it, whatever the version of matplotlib.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vaescreen.predictor.fitted import Prediction
from vaescreen.ranking.columns import number
from vaescreen.reports.drawing import new_figure, save
from vaescreen.reports.leaderboard.board import Outcome, Study
from vaescreen.storage import digest

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CEILING, PREDICTION = "ceiling", "prediction"
FIGURES = {
    CEILING: "AE ceiling against measured SR PSNR",
    PREDICTION: "Predicted against measured SR PSNR, each candidate left out",
}
_MARKERS = {"medical": "o", "natural": "s", "generic": "^", "none": "x"}
_OTHER_MARKER = "D"
_TARGET = "sr_psnr"


def figure_name(name: str, recipe: str) -> str:
    """File name of a figure."""
    return f"{recipe}-{name}.svg"


def figure_digest(name: str, study: Study) -> str:
    """Sha256 (hex) of the numbers that a figure shows, at two decimals."""
    return digest(name, study.recipe, [_shown(name, outcome) for outcome in study.outcomes])


def draw(name: str, study: Study) -> bytes:
    """Draw a figure of `FIGURES`, as the bytes of an SVG file.

    Raises
    ------
    VaescreenError
        If matplotlib is not installed.
    """
    if name == CEILING:
        figure = new_figure(6.5, 4.5)
        _ceiling(figure.add_subplot(), study.outcomes)
    else:
        figure = new_figure(10.0, 4.8)
        left, right = figure.subplots(1, 2, sharex=True, sharey=True)
        _prediction(left, study.outcomes, [outcome.ours for outcome in study.outcomes], "ours")
        _prediction(
            right, study.outcomes, [outcome.published for outcome in study.outcomes], "published rule"
        )
        left.set_ylabel("predicted SR PSNR (dB)")
    figure.suptitle(f"{FIGURES[name]}: recipe {study.recipe}")
    return save(figure, "svg", figure_digest(name, study))


def _shown(name: str, outcome: Outcome) -> list[str]:
    point = outcome.point
    shown = [point.data, point.candidate, point.domain, number(point.targets[_TARGET])]
    if name == CEILING:
        return [*shown, number(point.features["ae_ceiling"]), number(point.features["bicubic_psnr"])]
    predictions = (outcome.ours, outcome.published)
    return [*shown, *(number(value) for each in predictions for value in (each[:3] if each else (None,)))]


def _ceiling(axes: "Axes", outcomes: Sequence[Outcome]) -> None:
    for colour, data in _colours(outcomes).items():
        points = [outcome.point for outcome in outcomes if outcome.point.data == data]
        for domain in sorted({point.domain for point in points}):
            chosen = [point for point in points if point.domain == domain]
            axes.scatter(
                [point.features["ae_ceiling"] for point in chosen],
                [point.targets[_TARGET] for point in chosen],
                color=colour,
                marker=_MARKERS.get(domain, _OTHER_MARKER),
                label=f"{data}, trained on: {domain}",
            )
        floor = points[0].features["bicubic_psnr"]
        axes.axhline(floor, color=colour, linestyle="--", linewidth=1, label=f"{data}, bicubic")
    axes.set_xlabel("AE ceiling (dB)")
    axes.set_ylabel("measured SR PSNR (dB)")
    axes.grid(alpha=0.3)
    axes.legend(fontsize="x-small", loc="center left", bbox_to_anchor=(1.0, 0.5))


def _prediction(
    axes: "Axes", outcomes: Sequence[Outcome], predictions: Sequence[Prediction | None], title: str
) -> None:
    pairs = [(outcome.point, prediction) for outcome, prediction in zip(outcomes, predictions, strict=True)]
    values: list[float] = []
    for colour, data in _colours(outcomes).items():
        chosen = [(point, made) for point, made in pairs if made and point.data == data]
        measured = [point.targets[_TARGET] for point, _ in chosen]
        predicted = [made.value for _, made in chosen]
        bounded = all(number(made.low) != number(None) for _, made in chosen)
        below = [made.value - made.low for _, made in chosen]
        above = [made.high - made.value for _, made in chosen]
        bars = [below, above] if bounded else None
        axes.errorbar(
            measured, predicted, yerr=bars, color=colour, fmt="o", markersize=4, elinewidth=0.6, label=data
        )
        values += [*measured, *predicted]
    if values:
        axes.axline((min(values),) * 2, slope=1, color="gray", linestyle="--", linewidth=1)
    axes.set_title(title)
    axes.set_xlabel("measured SR PSNR (dB)")
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small", loc="upper left")


def _colours(outcomes: Sequence[Outcome]) -> dict[str, str]:
    """One colour a data set, in the order of the points."""
    return {f"C{place}": data for place, data in enumerate(dict.fromkeys(o.point.data for o in outcomes))}
