"""Markdown building blocks; strings in, strings out."""

import html
import re
from collections.abc import Iterable, Sequence

from vaescreen.errors import visible

GENERATED = "<!-- Rendered from result files by `vaescreen publish`; edits are overwritten. -->"
TEXT_COLUMNS = 1


def table(headers: Sequence[str], rows: Iterable[Sequence[str]], text_columns: int = TEXT_COLUMNS) -> str:
    """Make a pipe table; the first `text_columns` columns are flush left, the others flush right."""
    rule = [":--" if place < text_columns else "--:" for place in range(len(headers))]
    lines = [list(map(cell, headers)), rule, *(list(map(cell, row)) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def cell(text: str) -> str:
    """Text that cannot break out of a table cell."""
    return " ".join(re.sub(r"(?<!\\)\|", r"\\|", text).split())


def escaped(text: str) -> str:
    """Text from outside as it stands: neither Markdown nor HTML in it means anything."""
    safe = html.escape(visible(text), quote=False)
    return re.sub(r"([\\`*_\[\]|~])", r"\\\1", safe)


def sentence(text: str) -> str:
    """A sentence as it stands, in which only code between single backticks means something."""
    if "``" in text or text.count("`") % 2:
        return escaped(text)
    parts = visible(text).split("`")
    return "`".join(part if place % 2 else escaped(part) for place, part in enumerate(parts))


def details(summary: str, *parts: str) -> str:
    """Parts that are seen when somebody opens them."""
    return "\n\n".join([f"<details>\n<summary>{summary}</summary>", *parts, "</details>"])


def code(lines: Iterable[str]) -> str:
    """Block of code, which no line of it can end."""
    return "\n".join(["```", *(visible(line).replace("```", "` ``") for line in lines), "```"])


def bullets(items: Iterable[str]) -> str:
    """Give an unordered list."""
    return "\n".join(f"- {item}" for item in items)


def document(parts: Iterable[str]) -> str:
    """Join parts by blank lines under the mark of a generated file; empty parts are left out."""
    return "\n\n".join([GENERATED, *(part for part in parts if part)]) + "\n"
