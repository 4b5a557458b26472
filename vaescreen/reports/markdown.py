"""Markdown building blocks; strings in, strings out."""

from collections.abc import Iterable, Sequence

GENERATED = "<!-- Rendered from result files by `vaescreen publish`; edits are overwritten. -->"
TEXT_COLUMNS = 1


def table(headers: Sequence[str], rows: Iterable[Sequence[str]], text_columns: int = TEXT_COLUMNS) -> str:
    """Make a pipe table; the first `text_columns` columns are flush left, the others flush right."""
    rule = [":--" if place < text_columns else "--:" for place in range(len(headers))]
    lines = [list(map(cell, headers)), rule, *(list(map(cell, row)) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def cell(text: str) -> str:
    """Text that cannot break out of a table cell."""
    return " ".join(text.replace("|", "\\|").split())


def code(lines: Iterable[str]) -> str:
    """Block of code."""
    return "\n".join(["```", *lines, "```"])


def bullets(items: Iterable[str]) -> str:
    """Give an unordered list."""
    return "\n".join(f"- {item}" for item in items)


def document(parts: Iterable[str]) -> str:
    """Join parts by blank lines under the mark of a generated file; empty parts are left out."""
    return "\n\n".join([GENERATED, *(part for part in parts if part)]) + "\n"
