"""A comparison as one HTML page."""

from collections.abc import Sequence
from typing import Any

from vaescreen.environment import command_line
from vaescreen.ranking.comparison.measurement import Shown
from vaescreen.ranking.comparison.run import Report
from vaescreen.reports.comparison import report as words
from vaescreen.reports.comparison.charts import figures
from vaescreen.reports.page import drawing
from vaescreen.reports.page.framework import render
from vaescreen.reports.page.pictures import data_uri


def page(report: Report) -> bytes:
    """Lay out a comparison as HTML: of private data without pictures."""
    name, private = report.data.name, report.data.private
    return render(
        "comparison.html",
        title=name,
        subtitle=words.title(report).removeprefix(f"{name}: "),
        verdict=[words.verdict(report)],
        doubts=report.data.warnings,
        can_draw=drawing.can_draw(),
        needed=drawing.NEEDED,
        figures=figures(report),
        pictures={} if private else _pictures(report),
        maps=[] if private else _maps(report),
        private=private,
        columns=words.headers(report),
        rows=words.rows(report),
        text_columns=words.text_columns(report),
        notes=list(words.notes(report)),
        command=command_line(private=private),
        result=words.payload(report),
    )


def _pictures(report: Report) -> dict[str, Any]:
    """Images on which the first candidate is furthest ahead of the second, and furthest behind."""
    if len(report.candidates) < 2:
        return {}
    first, second = report.candidates[:2]
    seen = {shown.image_id for shown in report.measured.best}
    chosen = [*report.measured.best, *(each for each in report.measured.worst if each.image_id not in seen)]
    return {
        "images": [
            {
                "id": each.image_id,
                "why": f"{first} {each.psnr[first] - each.psnr[second]:+.2f} dB",
                "hr": data_uri(each.truth.numpy()),
            }
            for each in chosen
        ],
        "made": {name: _made(name, chosen, place) for place, name in enumerate(report.candidates)},
    }


def _made(name: str, chosen: Sequence[Shown], place: int) -> dict[str, Any]:
    return {
        "key": f"row-{place}",
        "images": [data_uri(each.made[name].numpy()) for each in chosen],
        "psnr": [round(each.psnr[name], 2) for each in chosen],
    }


def _maps(report: Report) -> list[dict[str, str]]:
    """How often each pixel was hallucinated or lost, over all images, by either threshold; white is the most often."""
    maps = report.measured.maps
    highest = max((float(each.max()) for kinds in maps.values() for each in kinds.values()), default=0.0)
    return [
        {
            "picture": data_uri((each / max(highest, 1e-9)).float().numpy()),
            "text": f"{name}: {kind.replace('_', ', ')} threshold, at most {100 * float(each.max()):.1f} % of images",
        }
        for name, kinds in maps.items()
        for kind, each in kinds.items()
    ]
