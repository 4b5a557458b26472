"""Charts of a ranking: what is predicted with its intervals, what it costs, and where the errors lie."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from vaescreen.metrics.spectrum import Spectrum, relative_error
from vaescreen.ranking.columns import number
from vaescreen.ranking.table import FLOOR, Row
from vaescreen.reports.page import drawing
from vaescreen.reports.page.drawing import Canvas

if TYPE_CHECKING:
    import altair as alt

    Chart = alt.TopLevelMixin

_FARTHEST = 6.0
"""DB below the best down to which an axis reaches: one hopeless candidate must not press all others together."""
_NEAR = 3.0
"""DB beyond all intervals up to which a line is still drawn."""
_LEVELS = ("LL3", "level 3", "level 2", "level 1")
_BANDS = {
    "LL3": ("band_LL3",),
    **{f"level {level}": tuple(f"band_{way}{level}" for way in ("LH", "HL", "HH")) for level in (3, 2, 1)},
}


class Panel(NamedTuple):
    """A quantity of the forest plot: its axis, its value and interval in a row, and the lines drawn across it."""

    title: str
    value: str
    interval: str | None
    line: str


PANELS = (
    Panel("predicted SR PSNR (dB)", "predicted_sr_psnr", "interval", FLOOR),
    Panel(
        "predicted one-step output (dB)", "predicted_posterior_mean_psnr", "posterior_mean_interval", FLOOR
    ),
    Panel("predicted detail (dB)", "predicted_detail", "detail_interval", "true image"),
)
_PROBED = (Panel("probe PSNR (dB)", "probe_psnr", None, FLOOR),)


class Entry(NamedTuple):
    """A ranked candidate, and what its marks on a page are called."""

    row: Row
    key: str


def entries(rows: Sequence[Row]) -> list[Entry]:
    """Ranked candidates in order; floors and those without a rank are not drawn."""
    return [
        Entry(row, f"row-{place}") for place, row in enumerate(rows) if not row.floor and row.rank is not None
    ]


def forest(rows: Sequence[Row], canvas: Canvas) -> "Chart":
    """Predictions with 90 % intervals, a line a candidate, ties on one band, bicubic as a dashed line.

    Beside each other are SR PSNR of a sample, of the one-step output, and detail; below each other on a phone. Far
    below the best a candidate is a number at the edge, so that the others can be told apart.
    """
    import altair as alt

    shown, width = _panels(rows), canvas.width
    beside = width >= drawing.WIDE
    room = (width - 130) // len(shown) - 14 if beside else width - 150
    charts = [
        _forest_panel(rows, panel, canvas, room, names=not beside or not place)
        for place, panel in enumerate(shown)
    ]
    return alt.hconcat(*charts, spacing=12) if beside else alt.vconcat(*charts)


def latent_size(rows: Sequence[Row], canvas: Canvas) -> "Chart":
    """Quality against the numbers in a latent, for a sample and for the one-step output, with the frontier.

    On the frontier is who is not beaten by a candidate with as few latent values or fewer.
    """
    import altair as alt

    shown, width = _panels(rows)[:2], canvas.width
    beside = width >= drawing.WIDE and len(shown) > 1
    room = width // 2 - 75 if beside else width - 70
    charts = [_frontier_panel(rows, panel, canvas, room) for panel in shown]
    return alt.hconcat(*charts, spacing=20) if beside else alt.vconcat(*charts)


def has_latent_sizes(rows: Sequence[Row]) -> bool:
    """Whether there is a frontier to draw; images of many sizes have no one latent size."""
    return any(entry.row.latent_values for entry in entries(rows))


def spectra(rows: Sequence[Row], found: Mapping[str, Spectrum], canvas: Canvas) -> "Chart":
    """Power of each reconstruction's error over that of the image, by spatial frequency; bicubic dashed.

    At 0 dB nothing of the image is left at that frequency.
    """
    import altair as alt

    keys = {entry.row.candidate: entry.key for entry in entries(rows)} | {FLOOR: "floor"}
    records = [
        {"candidate": name, "frequency": frequency, "power": level, "href": f"#{keys[name]}"}
        for name, each in found.items()
        if name in keys
        for frequency, level in relative_error(each)
    ]
    return _lines(
        records,
        alt.X("frequency:Q", title="spatial frequency (cycles a pixel)"),
        alt.Y("power:Q", title="error / image (dB)"),
        canvas,
    )


def bands(rows: Sequence[Row], summaries: Mapping[str, Mapping[str, Any]], canvas: Canvas) -> "Chart":
    """PSNR of each Haar band of the reconstructions, from the coarse image to the finest detail."""
    import altair as alt

    records = [
        {"candidate": entry.row.candidate, "band": band, "psnr": level, "href": f"#{entry.key}"}
        for entry in entries(rows)
        for band, level in _band_levels(summaries[entry.row.candidate])
    ]
    return _lines(
        records,
        alt.X("band:N", title="Haar band, coarse to fine", sort=list(_LEVELS)).axis(labelAngle=0),
        alt.Y("psnr:Q", title="PSNR of the band (dB)").scale(zero=False),
        canvas,
    )


def has_bands(summaries: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether the score cards say anything of bands."""
    return all(_band_levels(summary) for summary in summaries.values())


class Held(NamedTuple):
    """A reference point: measured after training, and predicted from the points of other candidates alone."""

    candidate: str
    data: str
    measured: float
    predicted: float
    low: float
    high: float


def measured(points: Sequence[Held], rows: Sequence[Row], canvas: Canvas) -> "Chart":
    """Predicted against measured SR PSNR of reference points, each predicted without its own candidate."""
    import altair as alt

    keys = {entry.row.candidate: entry.key for entry in entries(rows)}
    data_sets = list(dict.fromkeys(point.data for point in points))
    records = [
        {
            **{name: value if isinstance(value, str) or math.isfinite(value) else None
               for name, value in point._asdict().items()},
            "href": f"#{keys.get(point.candidate, 'none')}",
            "said": f"{point.candidate} on {point.data}: predicted {number(point.predicted)}, measured "
            f"{number(point.measured)} dB",
        }
        for point in points
    ]  # fmt: skip
    ends = [end for point in points for end in (point.measured, point.predicted)]
    line = alt.Chart(canvas.data([{"at": min(ends)}, {"at": max(ends)}]))
    side = min(canvas.width - 75, 420)
    base = alt.Chart(canvas.data(records))
    colours = [drawing.COLOURS[place % len(drawing.COLOURS)] for place in range(len(data_sets))]
    shapes = [drawing.SHAPES[place % len(drawing.SHAPES)] for place in range(len(data_sets))]
    x = alt.X("measured:Q", title="measured SR PSNR (dB)").scale(zero=False)
    colour = (
        alt.Color("data:N", title=None, sort=data_sets)
        .scale(domain=data_sets, range=colours)
        .legend(orient="top")
    )
    marks = {"href": alt.Href("href:N"), "description": alt.Description("said:N")}
    chart: alt.LayerChart = (
        line.mark_line(color=drawing.FAINT).encode(x="at:Q", y="at:Q")
        + base.mark_rule(strokeWidth=1, opacity=0.45).encode(
            x=x, y=alt.Y("low:Q"), y2="high:Q", color=colour, **marks
        )
        + base.mark_point(filled=True, size=55, opacity=1).encode(
            x=x,
            y=alt.Y("predicted:Q", title="predicted, left out (dB)").scale(zero=False),
            color=colour,
            shape=alt.Shape("data:N", title=None, sort=data_sets).scale(domain=data_sets, range=shapes),
            **marks,
        )
    ).properties(width=side, height=min(side, 340))
    return chart


def _panels(rows: Sequence[Row]) -> Sequence[Panel]:
    predicted = [panel for panel in PANELS if any(getattr(row, panel.value) is not None for row in rows)]
    return predicted or _PROBED


def _forest_panel(
    rows: Sequence[Row], panel: Panel, canvas: Canvas, width: int, names: bool
) -> "alt.LayerChart":
    import altair as alt

    records = _forest_records(rows, panel)
    lines = {"true image": 0.0} if panel.line != FLOOR else _floor(rows)
    ends = [record[end] for record in records for end in ("value", "low", "high")]
    best = max(record["value"] for record in records)
    lowest, highest = max(min(ends), best - _FARTHEST), max(ends)
    inside = {name: at for name, at in lines.items() if lowest - _NEAR <= at <= highest + _NEAR}
    domain = [min(lowest, *inside.values()), max(highest, *inside.values())] if inside else [lowest, highest]
    x = alt.X("value:Q", title=panel.title).scale(domain=domain, nice=True, zero=False).axis(tickCount=4)
    order = [record["candidate"] for record in records]
    far = [record | {"at": f"◂ {number(record['value'])}"} for record in records if record["value"] < lowest]
    near = [record for record in records if record["value"] >= lowest]
    axis = alt.Axis(domain=False, ticks=False) if names else None
    y = alt.Y("candidate:N", title=None, sort=order, axis=axis)
    base = alt.Chart(canvas.data(near))
    marks = {"href": alt.Href("href:N"), "description": alt.Description("said:N")}
    ties = alt.Chart(canvas.data([record for record in records if record["band"]]))
    layers = [
        ties.mark_rect(color=drawing.BAND, opacity=0.65).encode(y=y),
        *_across(inside, canvas),
        base.mark_rule(strokeWidth=2.5, color=drawing.SERIES, clip=True)
        .encode(x=x, x2="end:Q", y=y, **marks)
        .transform_calculate(end="datum.high", value="datum.low"),
        base.mark_point(filled=True, size=70, opacity=1, color=drawing.ACCENT, clip=True).encode(
            x=x, y=y, **marks
        ),
        alt.Chart(canvas.data(far))
        .mark_text(align="left", dx=4, fontSize=11, color=drawing.INK)
        .encode(x=alt.value(0), y=y, text="at:N", **marks),
    ]
    step = 22 if len(records) <= 40 else 15
    return alt.LayerChart(layer=layers).properties(width=width, height=alt.Step(step))


def _forest_records(rows: Sequence[Row], panel: Panel) -> list[dict[str, Any]]:
    """A record a candidate; `band` alternates with the rank, so that those who share one lie on one band."""
    ranks = list(dict.fromkeys(entry.row.rank for entry in entries(rows)))
    records = []
    for row, key in entries(rows):
        value = getattr(row, panel.value)
        if value is None:
            continue
        low, high = (panel.interval and getattr(row, panel.interval)) or (value, value)
        spread = f", 90 % interval {number(low)} to {number(high)}" if low < high else ""
        records.append(
            {
                "candidate": row.candidate,
                "value": value,
                "low": low,
                "high": high,
                "band": ranks.index(row.rank) % 2 == 0,
                "href": f"#{key}",
                "said": f"{row.candidate}: {panel.title.removesuffix(' (dB)')} {number(value)} dB{spread}",
            }
        )
    return records


def _across(lines: Mapping[str, float], canvas: Canvas) -> "list[alt.LayerChart]":
    import altair as alt

    found = []
    for name, at in lines.items():
        base = alt.Chart(canvas.data([{"at": at, "name": name}])).encode(x="at:Q")
        rule = base.mark_rule(strokeDash=[4, 3], strokeWidth=1.5, color=drawing.SECOND)
        text = base.mark_text(align="center", baseline="bottom", dy=-4, color=drawing.SECOND, fontSize=11)
        found.append(rule + text.encode(text="name:N", y=alt.value(0)))
    return found


def _floor(rows: Sequence[Row]) -> dict[str, float]:
    floor = next((row.sr_psnr for row in rows if row.candidate == FLOOR), None)
    return {} if floor is None else {FLOOR: floor}


def _frontier_panel(rows: Sequence[Row], panel: Panel, canvas: Canvas, width: int) -> "alt.LayerChart":
    import altair as alt

    known = [
        (entry, entry.row.latent_values, value)
        for entry in entries(rows)
        if entry.row.latent_values and (value := getattr(entry.row, panel.value)) is not None
    ]
    best = max(value for _, _, value in known)
    known = [each for each in known if each[2] >= best - _FARTHEST]
    records: list[dict[str, Any]] = []
    frontier: list[dict[str, Any]] = []
    for entry, values, quality in sorted(known, key=lambda each: (each[1], -each[2])):
        ahead = not frontier or quality > frontier[-1]["quality"]
        record = {
            "candidate": entry.row.candidate,
            "values": values,
            "quality": quality,
            "href": f"#{entry.key}",
            "said": f"{entry.row.candidate}: {values} latent values, {number(quality)} dB",
        }
        records.append(record)
        if ahead:
            frontier.append(record)
    x = (
        alt.X("values:Q", title="latent values")
        .scale(type="log", nice=False, padding=44)
        .axis(values=sorted({record["values"] for record in records}), format=",d", labelOverlap=True)
    )
    y = alt.Y("quality:Q", title=panel.title).scale(zero=False, padding=18)
    marks = {"href": alt.Href("href:N"), "description": alt.Description("said:N")}
    ahead_of = alt.Chart(canvas.data(frontier))
    chart: alt.LayerChart = (
        ahead_of.mark_line(interpolate="step-after", color=drawing.SECOND, strokeWidth=1.5).encode(x=x, y=y)
        + alt.Chart(canvas.data(records))
        .mark_point(filled=True, size=70, opacity=1, color=drawing.ACCENT)
        .encode(x=x, y=y, **marks)
        + ahead_of.mark_text(align="center", baseline="bottom", dy=-7, fontSize=11).encode(
            x=x, y=y, text="candidate:N"
        )
    ).properties(width=width, height=240)
    return chart


def _lines(records: Sequence[dict[str, Any]], x: "alt.X", y: "alt.Y", canvas: Canvas) -> "Chart":
    """A line a candidate; the first is highlighted and named at its end, bicubic dashed."""
    import altair as alt

    named = list(dict.fromkeys(record["candidate"] for record in records))
    records = [record | {"said": record["candidate"]} for record in records]
    marks = {"href": alt.Href("href:N"), "description": alt.Description("said:N")}
    first = next((name for name in named if name != FLOOR), "")

    def lines(chosen: Sequence[str], colour: str, thick: float, dash: Sequence[int] = (1, 0)) -> "alt.Chart":
        part = alt.Chart(canvas.data([record for record in records if record["candidate"] in chosen]))
        line = part.mark_line(color=colour, strokeWidth=thick, strokeDash=list(dash))
        drawn: alt.Chart = line.encode(x=x, y=y, detail="candidate:N", **marks)
        return drawn

    others = [name for name in named if name not in (FLOOR, first)]
    layers = [
        lines(chosen, *style)
        for chosen, style in (
            (others, (drawing.SERIES, 1.5)),
            ([name for name in named if name == FLOOR], (drawing.SECOND, 1.5, (4, 3))),
            ([first], (drawing.ACCENT, 2.5)),
        )
        if chosen
    ]
    return alt.layer(*layers).properties(width=canvas.width - 70, height=260)


def _band_levels(summary: Mapping[str, Any]) -> list[tuple[str, float]]:
    levels = []
    for band, parts in _BANDS.items():
        errors = [summary.get(part) for part in parts]
        if None not in errors and sum(errors) > 0:  # type: ignore[arg-type]
            levels.append((band, -10 * math.log10(sum(errors))))  # type: ignore[arg-type]
    return levels
