"""Results on stdout as a table, JSON, CSV or Markdown; with CSV, title and notes go to stderr."""

import csv
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from vaescreen.cli.options import Format
from vaescreen.errors import visible

if TYPE_CHECKING:
    from vaescreen.images import Skipped

_WIDTH_WITHOUT_TERMINAL = 160
_LONGEST_UNWRAPPED = 60
_LISTED = 3


@dataclass(frozen=True)
class Sheet:
    """A result in all the forms it can be printed in.

    Attributes
    ----------
    headers, cells
        Table and Markdown: names of the columns, and text of each row.
    records
        CSV: each row as values under equal keys.
    payload
        JSON: one value, which says itself what `title` and `notes` say.
    title, notes
        What stands above and below.
    text_columns
        How many of the first columns are flush left.
    """

    headers: Sequence[str]
    cells: Sequence[Sequence[str]]
    records: Sequence[Mapping[str, Any]]
    payload: Any
    title: str = ""
    notes: Sequence[str] = ()
    text_columns: int = 1


def show(sheet: Sheet, form: Format) -> None:
    """Print a result; names with line breaks or other control characters keep to one line, except in JSON and CSV."""
    sheet = replace(
        sheet,
        title=visible(sheet.title),
        cells=[[visible(cell) for cell in row] for row in sheet.cells],
        notes=[visible(note) for note in sheet.notes],
    )
    match form:
        case Format.JSON:
            print_json(sheet.payload)
        case Format.CSV:
            _print_csv(sheet)
        case Format.MARKDOWN:
            _print_markdown(sheet)
        case Format.TABLE:
            _print_table(sheet)


def warning_notes(warnings: Sequence[str]) -> list[str]:
    """Lines of a sheet that say what makes its numbers doubtful."""
    return [f"Warning: {warning}." for warning in warnings]


def skipped_notes(skipped: "Sequence[Skipped]", most: int = _LISTED) -> Iterator[str]:
    """Lines of a sheet that count the files which cannot be used, and name `most` of them with their reasons."""
    if skipped:
        yield f"{len(skipped)} file{'' if len(skipped) == 1 else 's'} skipped:"
    yield from (f"  {entry.path}: {entry.reason}" for entry in skipped[:most])
    if len(skipped) > most:
        yield f"  and {len(skipped) - most} more, which `vaescreen data show` and --format json name"


def print_json(value: Any) -> None:
    """Print one JSON value."""
    print(json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False))


def _print_csv(sheet: Sheet) -> None:
    writer = csv.DictWriter(sys.stdout, list(sheet.records[0]) if sheet.records else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(sheet.records)
    for line in (sheet.title, *sheet.notes):
        print(line, file=sys.stderr)


def _print_markdown(sheet: Sheet) -> None:
    from vaescreen.reports.markdown import bullets, table

    heading = f"# {sheet.title}" if sheet.title else ""
    parts = [heading, table(sheet.headers, sheet.cells, sheet.text_columns), bullets(sheet.notes)]
    print("\n\n".join(part for part in parts if part))


def _print_table(sheet: Sheet) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(width=None if sys.stdout.isatty() else _WIDTH_WITHOUT_TERMINAL, highlight=False)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for place, header in enumerate(sheet.headers):
        flush_left = place < sheet.text_columns
        is_long = any(len(row[place]) > _LONGEST_UNWRAPPED for row in sheet.cells)
        table.add_column(
            header, justify="left" if flush_left else "right", no_wrap=flush_left and not is_long
        )
    for row in sheet.cells:
        table.add_row(*map(Text, row))
    if sheet.title:
        console.print(Text(sheet.title, style="bold"))
    console.print(table)
    for note in sheet.notes:
        console.print(Text(note), soft_wrap=not sys.stdout.isatty())
