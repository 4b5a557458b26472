"""The contact sheet as one HTML file that needs nothing from elsewhere."""

import base64
import html
from collections.abc import Iterable, Sequence

from vaescreen.reports.preview.sheet import Example, draw_examples, draw_plots
from vaescreen.reports.preview.survey import DUPLICATES, Survey

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #222 }
table { border-collapse: collapse; margin: 1rem 0 } td, th { padding: .3rem .8rem; border-bottom: 1px solid #ddd }
th { text-align: left } td.n { text-align: right } tr.warning { background: #fff1d6 } img { width: 100% }
p.warning { background: #fff1d6; padding: .5rem .8rem }
"""
_IDS = 8


def html_page(
    title: str,
    counts: dict[str, dict[str, int]],
    facts: Sequence[str],
    warnings: Sequence[str],
    examples: Sequence[Example],
    survey: Survey,
) -> bytes:
    """Lay out the sheet as HTML: no script, no link, images inside; everything named in it is escaped.

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

    Raises
    ------
    VaescreenError
        If matplotlib is not installed.
    """
    splits = [(split, number["images"], number["patients"]) for split, number in counts.items()]
    body = [
        f"<h1>{html.escape(title)}</h1>",
        *(f'<p class="warning">{html.escape(warning)}</p>' for warning in warnings),
        _table(("split", "images", "patients"), splits),
        "<ul>" + "".join(f"<li>{html.escape(fact)}</li>" for fact in facts) + "</ul>",
        "<h2>Doubts</h2>",
        _findings(survey),
    ]
    if examples:
        body += [
            "<h2>Test images, HR and LR</h2>",
            _image(draw_examples(examples, title), "png", "HR and LR"),
        ]
    body += [
        "<h2>Gray levels and frequencies</h2>",
        _image(draw_plots(survey, title), "svg+xml", "histogram"),
    ]
    head = f'<meta charset="utf-8"><title>{html.escape(title)}</title><style>{_STYLE}</style>'
    return f"<!doctype html><html lang=en><head>{head}</head><body>{''.join(body)}</body></html>\n".encode()


def _findings(survey: Survey) -> str:
    rows = []
    for finding in survey.findings:
        which = [f"{second} = {first}" for first, second, _ in survey.duplicates]
        which = which if finding.check is DUPLICATES else list(finding.ids)
        named = ", ".join(which[:_IDS]) + (" …" if len(which) > _IDS else "")
        kind = ' class="warning"' if finding.is_warning else ""
        cells = (finding.check.name, str(len(finding.ids)), f"{100 * finding.share:.1f} %", named)
        texts = "".join(f"<td>{html.escape(cell)}</td>" for cell in (*cells, finding.check.meaning))
        rows.append(f"<tr{kind}>{texts}</tr>")
    heads = "".join(
        f"<th>{name}</th>" for name in ("looked for", "images", "share", "which", "what it means")
    )
    return f"<table><tr>{heads}</tr>{''.join(rows)}</table>"


def _table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    heads = "".join(f"<th>{html.escape(header)}</th>" for header in headers)
    lines = (
        f"<tr><td>{html.escape(str(row[0]))}</td>"
        + "".join(f'<td class="n">{cell}</td>' for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    return f"<table><tr>{heads}</tr>{''.join(lines)}</table>"


def _image(data: bytes, kind: str, alternative: str) -> str:
    return f'<img alt="{alternative}" src="data:image/{kind};base64,{base64.b64encode(data).decode()}">'
