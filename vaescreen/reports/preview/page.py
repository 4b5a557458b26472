"""The contact sheet as one HTML page: pictures beside what they are reduced to, distributions, and doubts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from vaescreen.environment import command_line
from vaescreen.images import DataSet
from vaescreen.images.pixels import FloatImage
from vaescreen.reports.page import drawing
from vaescreen.reports.page.drawing import Canvas, figure
from vaescreen.reports.page.framework import render
from vaescreen.reports.page.pictures import data_uri
from vaescreen.reports.preview.spectra import FREQUENCIES
from vaescreen.reports.preview.survey import DUPLICATES, GRAYS, Survey
from vaescreen.screening.view import View

if TYPE_CHECKING:
    import altair as alt

_IDS = 8
_FAINTEST = 1e-6
"""Share of pixels, in percent, below which a bin of the histogram counts as empty on a logarithmic axis."""


class Example(NamedTuple):
    """A test image and its low-resolution version, float32 [H, W] in [0, 1]."""

    image_id: str
    hr: FloatImage
    lr: FloatImage


def examples_of(data: DataSet, view: View, count: int) -> list[Example]:
    """Test images from all over the split, and what the view's degradation makes of them; none of private data."""
    ids = data.ids("test")
    if data.private or not count:
        return []
    places = np.unique(np.linspace(0, len(ids) - 1, min(count, len(ids))).round().astype(int))
    return [
        Example(image_id, image[0].numpy(), lr[0].numpy())
        for batch in view.batches(data, "test", 1, only=[ids[place] for place in places])
        for image_id, image, lr in zip(
            batch.ids, batch.images, view.degradation.apply(batch.images, batch.ids), strict=True
        )
    ]


def page(
    title: str,
    counts: dict[str, dict[str, int]],
    facts: Sequence[str],
    warnings: Sequence[str],
    examples: Sequence[Example],
    survey: Survey,
    *,
    private: bool,
) -> bytes:
    """Lay out what was seen of a data set as HTML.

    Parameters
    ----------
    title
        What stands above.
    counts
        Images and patients by split.
    facts, warnings
        Lines of text.
    examples
        Pictures; none leaves the part out.
    survey
        What was seen.
    private
        Whether the command may name no file.
    """
    name, _, rest = title.rpartition(": ")
    return render(
        "preview.html",
        title=name,
        subtitle=rest,
        doubts=warnings,
        splits=[[split, str(each["images"]), str(each["patients"])] for split, each in counts.items()],
        facts=facts,
        findings=_findings(survey),
        doubtful=[place for place, finding in enumerate(survey.findings) if finding.is_warning],
        can_draw=drawing.can_draw(),
        needed=drawing.NEEDED,
        figures=[
            figure(
                "grays",
                "Gray levels",
                "Share of the pixels at each gray level, by split, on a logarithmic axis. Spikes at the ends are "
                "values that were cut off; a comb is contrast that was stretched.",
                lambda canvas: _grays(survey, canvas),
            ),
            figure(
                "frequencies",
                "Spatial frequencies",
                "Mean power of the images by spatial frequency, by split. A fall to nothing below 1 says that they "
                "were enlarged, and hold less detail than their size says.",
                lambda canvas: _frequencies(survey, canvas),
            ),
        ],
        pictures=[
            {
                "id": each.image_id,
                "hr": data_uri(each.hr),
                "lr": data_uri(each.lr),
                "size": f"{each.hr.shape[1]}x{each.hr.shape[0]} and {each.lr.shape[1]}x{each.lr.shape[0]}",
            }
            for each in examples
        ],
        command=command_line(private=private),
    )


def _findings(survey: Survey) -> list[list[str]]:
    rows = []
    for finding in survey.findings:
        which = [f"{second} = {first}" for first, second, _ in survey.duplicates]
        which = which if finding.check is DUPLICATES else list(finding.ids)
        named = ", ".join(which[:_IDS]) + (" …" if len(which) > _IDS else "")
        share = f"{100 * finding.share:.1f} %"
        rows.append([finding.check.name, str(len(finding.ids)), share, finding.check.meaning, named])
    return rows


def _grays(survey: Survey, canvas: Canvas) -> "alt.Chart":
    import altair as alt

    records = [
        {"split": split, "x": (place + 0.5) / GRAYS, "y": 100 * float(share)}
        for split, histogram in survey.histograms.items()
        for place, share in enumerate(histogram)
        if 100 * share > _FAINTEST
    ]
    y = alt.Y("y:Q", title="pixels (%)").scale(type="log").axis(tickCount=4, format="~g")
    return _by_split(records, "gray level", y, canvas)


def _frequencies(survey: Survey, canvas: Canvas) -> "alt.Chart":
    import altair as alt

    records = [
        {"split": split, "x": float(frequency), "y": float(power)}
        for split, spectrum in survey.spectra.items()
        for frequency, power in zip(FREQUENCIES, spectrum, strict=True)
        if power > 0
    ]
    y = alt.Y("y:Q", title="power").scale(type="log").axis(tickCount=4, format="~e")
    return _by_split(records, "spatial frequency (fraction of Nyquist)", y, canvas)


def _by_split(records: Sequence[dict[str, Any]], title: str, y: "alt.Y", canvas: Canvas) -> "alt.Chart":
    import altair as alt

    colour = alt.Color("split:N", title=None).legend(orient="top")
    splits = list(dict.fromkeys(record["split"] for record in records))
    chart: alt.Chart = (
        alt.Chart(canvas.data(records))
        .mark_line(strokeWidth=2)
        .encode(
            x=alt.X("x:Q", title=title),
            y=y,
            color=colour.scale(
                domain=splits, range=[drawing.ACCENT, drawing.THIRD, drawing.SECOND][: len(splits)]
            ),
            strokeDash=alt.StrokeDash("split:N", title=None).scale(
                domain=splits, range=[[1, 0], [2, 2], [6, 3]][: len(splits)]
            ),
        )
        .properties(width=canvas.width - 80, height=220)
    )
    return chart
