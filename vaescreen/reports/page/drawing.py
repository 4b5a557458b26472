"""Charts as SVG: one specification for a page, where the page's style colours it, and for a file of its own."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from markupsafe import Markup

from vaescreen.errors import VaescreenError

if TYPE_CHECKING:
    import altair as alt

ACCENT, SECOND, THIRD = "var(--accent)", "var(--second)", "var(--third)"
INK, FAINT, SERIES, BAND = "var(--ink)", "var(--faint)", "var(--series)", "var(--band)"
COLOURS = (SERIES, SECOND, THIRD)
"""Of groups: gray, ochre and green are told apart by the colour-blind, and blue is kept for what is highlighted."""
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross")

WIDE, NARROW = 720, 330
"""Widths in pixels, axes included: of a desk and of a phone."""

NEEDED = "charts need altair and vl-convert-python; install them with `pip install 'vaescreen[report]'`"

_FONT = "Liberation Sans"
_BASE = "https://vega.github.io/vega-datasets/"
_LINK = re.compile(rf'<a xlink:href="{re.escape(_BASE)}#([\w-]+)">')
_ID = re.compile(r'(?<= id=")[\w-]+(?=")|(?<=url\(#)[\w-]+(?=\))')
_PALETTE = Path(__file__).parent / "templates" / "palette.css"


class Canvas:
    """Room for a chart, and the records it shows: they go to the drawing as they are, unseen by altair's validation.

    Parameters
    ----------
    width
        In pixels, axes included.
    """

    def __init__(self, width: int) -> None:
        self.width = width
        self.records: dict[str, list[dict[str, Any]]] = {}

    def data(self, records: Sequence[dict[str, Any]]) -> "alt.NamedData":
        """Records as the data of a chart."""
        import altair as alt

        name = f"records-{len(self.records)}"
        self.records[name] = list(records)
        return alt.NamedData(name=name)


Draw = Callable[[Canvas], "alt.TopLevelMixin"]


class Figure(NamedTuple):
    """A chart on a page: its SVG for a desk and for a phone, None where the extra that draws is not installed."""

    name: str
    title: str
    text: str
    wide: Markup | None
    narrow: Markup | None


def figure(name: str, title: str, text: str, draw: Draw) -> Figure:
    """Draw a chart for a page.

    Parameters
    ----------
    name
        What a file of it would be called.
    title
        Its heading.
    text
        What is seen on it, in words: the caption, and what is read out instead of it.
    draw
        Makes the chart on a canvas.
    """
    if not can_draw():
        return Figure(name, title, text, None, None)
    wide, narrow = (_labelled(_svg(draw, width, f"{name}-{width}"), title, text) for width in (WIDE, NARROW))
    return Figure(name, title, text, wide, narrow)


def svg_file(draw: Draw, description: str, width: int = WIDE) -> bytes:
    """SVG file of a chart, in light or dark as its reader's screen is; `description` stands in it as metadata.

    Raises
    ------
    VaescreenError
        If the extra that draws is not installed.
    """
    if not can_draw():
        raise VaescreenError(NEEDED)
    svg = _svg(draw, width, "part")
    end = svg.index(">") + 1
    style = _PALETTE.read_text(encoding="utf-8") + "text { font-family: system-ui, sans-serif }"
    return f"{svg[:end]}<desc>{Markup.escape(description)}</desc><style>{style}</style>{svg[end:]}\n".encode()


def can_draw() -> bool:
    """Whether the extra that draws is installed."""
    try:
        import altair  # noqa: F401
        import vl_convert  # noqa: F401
    except ImportError:
        return False
    return True


def _svg(draw: Draw, width: int, name: str) -> str:
    """SVG in the colours of a style sheet; marks with `href` `#name` become groups with `data-row="name"`."""
    import altair as alt
    import vl_convert

    axis = {
        "labelColor": INK, "titleColor": INK, "titleFontWeight": "normal", "domainColor": FAINT,
        "tickColor": FAINT, "gridColor": FAINT, "labelFontSize": 12, "titleFontSize": 12, "labelLimit": 170,
    }  # fmt: skip
    text = {"labelColor": INK, "titleColor": INK, "labelFontSize": 12, "titleFontSize": 12}
    canvas = Canvas(width)
    with alt.utils.schemapi.debug_mode(arg=False):  # every part against the whole schema: a second a chart
        specification = draw(canvas).to_dict(validate=False)
    specification["datasets"] = canvas.records
    specification["config"] = {
        "font": _FONT,
        "background": "transparent",
        "padding": {"left": 18, "right": 10, "top": 5, "bottom": 5},
        "view": {"stroke": None},
        "axis": axis,
        "legend": text | {"titleFontWeight": "normal", "labelLimit": 220, "symbolOpacity": 1},
        "title": {"color": INK, "fontSize": 13, "fontWeight": "bold", "anchor": "start"},
        "text": {"color": INK, "fontSize": 12},
        "rule": {"color": SERIES},
        "header": text,
    }
    version = ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
    svg = vl_convert.vegalite_to_svg(specification, vl_version=version, allowed_base_urls=[])
    svg = _LINK.sub(r'<g data-row="\1">', svg).replace("</a>", "</g>")
    return _with_own_ids(svg.replace(f' font-family="{_FONT}"', ""), name)


def _with_own_ids(svg: str, name: str) -> str:
    """Number the ids in it anew: the library counts on from drawing to drawing, and on a page no two may be alike."""
    numbers = {found: f"{name}-{place}" for place, found in enumerate(dict.fromkeys(_ID.findall(svg)))}
    return _ID.sub(lambda found: numbers[found[0]], svg)


def _labelled(svg: str, title: str, text: str) -> Markup:
    """SVG as one picture with a text for those who do not see it."""
    label = Markup.escape(f"{title}. {text}")
    named = svg.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)
    return Markup(named)  # noqa: S704 - the renderer escapes what it draws
