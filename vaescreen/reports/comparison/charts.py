"""Charts of a comparison: what differs, in which bands and frequencies, and how intensities agree."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from vaescreen.metrics.agreement import Agreement
from vaescreen.metrics.spectrum import relative_error
from vaescreen.ranking.columns import number
from vaescreen.ranking.comparison.analysis import BANDS, PRIMARY
from vaescreen.ranking.comparison.run import Report
from vaescreen.reports.page import drawing
from vaescreen.reports.page.drawing import Canvas, Figure, figure
from vaescreen.statistics.clusters import Patients

if TYPE_CHECKING:
    import altair as alt

    Chart = alt.TopLevelMixin

_WAVELETS = {"haar": "Haar", "smooth": "sym4"}
_COLOURS = (drawing.ACCENT, drawing.SECOND, drawing.THIRD, drawing.SERIES)


def figures(report: Report) -> list[Figure]:
    """Every chart of a comparison, for its page."""
    return [
        figure(
            "differences",
            "How far apart they are",
            "Difference of PSNR: the mean with its 95 % interval, and each patient as a tick. The band is the margin "
            f"of {report.analysis.margin} dB within which a difference does not matter.",
            lambda canvas: differences(report, canvas),
        ),
        figure(
            "bands",
            "Where in scale the error lies",
            "PSNR by wavelet band, one data range for all, from the coarse image to the finest detail; orthonormal, so "
            "squared errors of the bands add up to the MSE.",
            lambda canvas: bands(report, canvas),
        ),
        figure(
            "spectrum",
            "Which spatial frequencies are lost",
            "Power of the error over that of the true image, by spatial frequency; at 0 dB nothing is left of that "
            "frequency.",
            lambda canvas: spectrum(report, canvas),
        ),
        figure(
            "agreement",
            "Whether intensities are kept",
            "Mean intensity of each patient, candidate less true image, over the average of both (Bland and Altman), "
            "with bias and limits of agreement.",
            lambda canvas: agreement(report, canvas),
        ),
    ]


def differences(report: Report, canvas: Canvas) -> "Chart":
    """A line a pair: mean difference, its interval, and the patients."""
    import altair as alt

    result, values = report.analysis.metrics[PRIMARY], report.measured.column(PRIMARY)
    groups = Patients.of(report.measured.images["patient_id"].tolist())
    means: list[dict[str, Any]] = []
    patients: list[dict[str, Any]] = []
    for pair in result.pairs:
        name, of = f"{pair.first} − {pair.second}", pair.difference
        said = f"{name}: {number(of.value, signed=True)} dB, {number(of.low)} to {number(of.high)}"
        means.append({"pair": name, "value": of.value, "low": of.low, "high": of.high, "said": said})
        each = groups.means((values[pair.first] - values[pair.second]).to_numpy())
        patients += [{"pair": name, "value": float(value)} for value in each]
    y = alt.Y("pair:N", title=None, sort=[each["pair"] for each in means]).axis(
        domain=False, ticks=False, labelLimit=canvas.width // 2 - 20
    )
    x = alt.X("value:Q", title="PSNR difference (dB)").axis(tickCount=6)
    margin = alt.Chart(canvas.data([{"low": -report.analysis.margin, "high": report.analysis.margin}]))
    zero = alt.Chart(canvas.data([{"value": 0}]))
    base = alt.Chart(canvas.data(means)).encode(y=y, description="said:N")
    return alt.layer(
        margin.mark_rect(color=drawing.BAND, opacity=0.65).encode(x="low:Q", x2="high:Q"),
        zero.mark_rule(color=drawing.SERIES).encode(x=x),
        alt.Chart(canvas.data(patients))
        .mark_tick(color=drawing.SERIES, opacity=0.5, thickness=1.5)
        .encode(x=x, y=y),
        base.mark_rule(strokeWidth=3, color=drawing.ACCENT).encode(x="low:Q", x2="high:Q"),
        base.mark_point(filled=True, size=80, opacity=1, color=drawing.ACCENT).encode(x=x),
    ).properties(width=canvas.width - canvas.width // 2 + 20, height=alt.Step(36))


def bands(report: Report, canvas: Canvas) -> "Chart":
    """PSNR by band, a panel a wavelet, a line a candidate."""
    import altair as alt

    panels = []
    for prefix, title in _WAVELETS.items():
        records = [
            {
                "candidate": name,
                "band": band,
                "psnr": float(table[f"{prefix}_psnr_{band}"].mean()),
                "said": name,
            }
            for name, table in report.measured.tables.items()
            for band in BANDS
        ]
        panels.append(
            _lines(
                records,
                alt.X("band:N", title=None, sort=list(BANDS)).axis(labelAngle=-60),
                alt.Y("psnr:Q", title=f"{title}: PSNR (dB)").scale(zero=False),
                report,
                canvas,
                height=170,
            )
        )
    return alt.vconcat(*panels)


def spectrum(report: Report, canvas: Canvas) -> "Chart":
    """Error over image by frequency, a line a candidate."""
    import altair as alt

    records = [
        {"candidate": name, "frequency": frequency, "power": level, "said": name}
        for name, each in report.measured.spectra.items()
        for frequency, level in relative_error(each)
    ]
    return _lines(
        records,
        alt.X("frequency:Q", title="spatial frequency (cycles a pixel)"),
        alt.Y("power:Q", title="error / image (dB)"),
        report,
        canvas,
    )


def agreement(report: Report, canvas: Canvas) -> "Chart":
    """Bland and Altman's plot of mean intensity by patient, a panel a candidate."""
    import altair as alt

    beside = canvas.width >= drawing.WIDE
    columns = min(len(report.candidates), 3) if beside else 1
    room = canvas.width // columns - 75
    panels = []
    for name in report.candidates:
        table = report.measured.tables[name]
        groups = Patients.of(table["patient_id"].tolist())
        truth, made = (groups.means(table[f"{of}_mean"].to_numpy()) for of in ("reference", "estimate"))
        records = [
            {"mean": float((one + other) / 2), "difference": float(other - one)}
            for one, other in zip(truth, made, strict=True)
        ]
        layers = [
            alt.Chart(canvas.data(records))
            .mark_point(filled=True, size=25, color=drawing.ACCENT, opacity=0.7)
            .encode(
                x=alt.X("mean:Q", title="mean intensity").scale(zero=False),
                y=alt.Y("difference:Q", title="candidate − true image").axis(tickCount=5, format="~g"),
            )
        ]
        found = report.analysis.agreement[name]
        if isinstance(found, Agreement):
            lines = [
                {"at": found.bias, "bias": 1},
                *({"at": at, "bias": 0} for at in (found.lower, found.upper)),
            ]
            layers.append(
                alt.Chart(canvas.data(lines))
                .mark_rule(color=drawing.SECOND)
                .encode(
                    y="at:Q", strokeDash=alt.StrokeDash("bias:N", legend=None).scale(range=[[4, 3], [1, 0]])
                )
            )
        panels.append(alt.layer(*layers).properties(title=name, width=room, height=170))
    return alt.concat(*panels, columns=columns)


def _lines(
    records: Sequence[dict[str, Any]],
    x: "alt.X",
    y: "alt.Y",
    report: Report,
    canvas: Canvas,
    height: int = 260,
) -> "alt.Chart":
    """A line a candidate, in colour and dash."""
    import altair as alt

    names = list(report.candidates)
    colours = [_COLOURS[place % len(_COLOURS)] for place in range(len(names))]
    dashes = [[1, 0], [6, 3], [2, 2], [8, 3, 2, 3]]
    dashes = [dashes[place % len(dashes)] for place in range(len(names))]
    key = alt.Legend(
        title=None, orient="top", columns=1 if canvas.width < drawing.WIDE else 3, symbolType="stroke"
    )
    chart: alt.Chart = (
        alt.Chart(canvas.data(records))
        .mark_line(strokeWidth=2)
        .encode(
            x=x,
            y=y,
            color=alt.Color("candidate:N", sort=names, legend=key).scale(domain=names, range=colours),
            strokeDash=alt.StrokeDash("candidate:N", sort=names, legend=key).scale(
                domain=names, range=dashes
            ),
            description="said:N",
        )
        .properties(width=canvas.width - 70, height=height)
    )
    return chart
