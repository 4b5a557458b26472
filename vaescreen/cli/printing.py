"""Results on stdout as a table, JSON, CSV or Markdown; with CSV, title and notes go to stderr."""

import csv
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from vaescreen import __version__
from vaescreen.cli.application import TALK, complain, shown
from vaescreen.cli.options import Format

if TYPE_CHECKING:
    from vaescreen.images import Skipped

SCHEMA_VERSION = 2
"""Raised when a key of a command's JSON changes its name or meaning."""
_WIDTH_WITHOUT_TERMINAL = 1000
"""Where nobody looks, no cell is folded: other programs read lines."""
_LONGEST_UNWRAPPED = 60
_LISTED = 3
_WARNING = "Warning: "


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
    above
        Sentences between title and table: what must be known before the numbers are read.
    closing
        What stands last in the terminal, and first in Markdown: the answer in words.
    text_columns
        How many of the first columns are flush left.
    drawn
        Header of a column that draws with blanks, which Markdown does not keep, so that it leaves the column out.
    timings
        JSON: how long things took, a row each: the one part that differs from run to run.
    """

    headers: Sequence[str]
    cells: Sequence[Sequence[str]]
    records: Sequence[Mapping[str, Any]]
    payload: Any
    title: str = ""
    notes: Sequence[str] = ()
    above: Sequence[str] = ()
    closing: Sequence[str] = ()
    text_columns: int = 1
    drawn: str = ""
    timings: Sequence[Mapping[str, Any]] = ()


def show(sheet: Sheet, form: Format) -> None:
    """Print a result; names with line breaks or other control characters keep to one line, except in JSON and CSV."""
    if not TALK.notes:
        sheet = replace(sheet, notes=[note for note in sheet.notes if note.startswith(_WARNING)])
    sheet = replace(
        sheet,
        title=shown(sheet.title),
        headers=list(map(shown, sheet.headers)),
        cells=[[shown(cell) for cell in row] for row in sheet.cells],
        above=list(map(shown, sheet.above)),
        notes=list(map(shown, sheet.notes)),
        closing=list(map(shown, sheet.closing)),
    )
    match form:
        case Format.JSON:
            print_json(enveloped(sheet.payload, sheet.timings))
        case Format.CSV:
            _print_csv(sheet)
        case Format.MARKDOWN:
            _print_markdown(sheet)
        case Format.TABLE:
            _print_table(sheet)


def tell(
    lines: Sequence[str], records: Sequence[Mapping[str, Any]], form: Format, *, warnings: Sequence[str] = ()
) -> None:
    """Print what a command did: lines for people, the same as rows of values for programs; warnings on stderr."""
    for warning in warnings if form is not Format.JSON else ():
        complain(f"warning: {warning}")
    if form is Format.TABLE:
        print("\n".join(map(shown, lines)))
        return
    headers = list(records[0]) if records else []
    payload = {"rows": list(records), "warnings": list(warnings)}
    notes = () if records else lines
    show(Sheet(headers, cells_of(records), records, payload, notes=notes, text_columns=len(headers)), form)


def cells_of(records: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """Values of records as they stand in a table; nothing for None, words for lists."""
    return [[_cell(value) for value in record.values()] for record in records]


def _cell(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def parted(
    records: Sequence[Mapping[str, Any]], names: Sequence[str], times: Sequence[str]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Part records into what every run gives alike, and their times beside the names of what took them."""
    alike = [{key: value for key, value in record.items() if key not in times} for record in records]
    took = [{key: record[key] for key in (*names, *times) if key in record} for record in records]
    return alike, took


def warning_notes(warnings: Sequence[str]) -> list[str]:
    """Lines of a sheet that say what makes its numbers doubtful."""
    return [f"{_WARNING}{warning}." for warning in warnings]


def skipped_notes(skipped: "Sequence[Skipped]", most: int = _LISTED) -> Iterator[str]:
    """Lines of a sheet that count the files which cannot be used, and name `most` of them with their reasons."""
    if skipped:
        yield f"{len(skipped)} file{'' if len(skipped) == 1 else 's'} skipped:"
    yield from (f"  {entry.path}: {entry.reason}" for entry in skipped[:most])
    if len(skipped) > most:
        yield f"  and {len(skipped) - most} more, which `vaescreen data show` and --format json name"


def enveloped(payload: Any, timings: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """What JSON of every command begins with: its schema, the version and the command; then the payload, and times.

    Parameters
    ----------
    payload
        A mapping, whose keys stand beside those; or rows, which become `rows`.
    timings
        See `Sheet`.
    """
    body = payload if isinstance(payload, Mapping) else {"rows": payload}
    head = {"schema": schema_name(TALK.command), "version": __version__, "command": TALK.command}
    return head | {"warnings": []} | dict(body) | {"timings": list(timings)}


def schema_name(command: str) -> str:
    """What the JSON of a command calls its schema."""
    return f"vaescreen/{command.replace(' ', '-')}/{SCHEMA_VERSION}"


def print_json(value: Any) -> None:
    """Print one JSON value."""
    print(json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False))


def _print_csv(sheet: Sheet) -> None:
    columns = dict.fromkeys(key for record in sheet.records for key in record)
    writer = csv.DictWriter(sys.stdout, list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows(sheet.records)
    for line in filter(None, (sheet.title, *sheet.above, *sheet.notes, *sheet.closing)):
        print(line, file=sys.stderr)


def _print_markdown(sheet: Sheet) -> None:
    from vaescreen.reports.markdown import bullets, escaped, sentence, table

    heading = f"# {escaped(sheet.title)}" if sheet.title else ""
    kept = [place for place, header in enumerate(sheet.headers) if not header or header != sheet.drawn]
    headers = [escaped(sheet.headers[place]) for place in kept]
    cells = [[escaped(row[place]) for place in kept] for row in sheet.cells]
    parts = [
        heading,
        *map(sentence, sheet.closing),
        *map(sentence, sheet.above),
        table(headers, cells, sheet.text_columns - bool(sheet.drawn)) if headers else "",
        bullets(map(sentence, sheet.notes)),
    ]
    print("\n\n".join(part for part in parts if part))


def _print_table(sheet: Sheet) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, collapse_padding=True)
    for place, header in enumerate(sheet.headers):
        flush_left = place < sheet.text_columns
        is_long = any(len(row[place]) > _LONGEST_UNWRAPPED for row in sheet.cells)
        table.add_column(
            header,
            justify="left" if flush_left else "right",
            no_wrap=flush_left and not is_long,
            overflow="fold",
        )
    for row in sheet.cells:
        table.add_row(*map(Text, row))
    if not sys.stdout.isatty():
        console.width = _WIDTH_WITHOUT_TERMINAL
        console.width = max(80, console.measure(table).maximum)
    unwrapped = not sys.stdout.isatty()
    if sheet.title:
        console.print(Text(sheet.title, style="bold"), soft_wrap=unwrapped)
    for line in sheet.above:
        console.print(Text(line), soft_wrap=unwrapped)
    console.print()
    console.print(table)
    console.print()
    for note in (*sheet.notes, *([""] if sheet.notes and sheet.closing else []), *sheet.closing):
        console.print(Text(note), soft_wrap=unwrapped)
