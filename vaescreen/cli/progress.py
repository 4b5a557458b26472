"""Progress on stderr: a bar in a terminal, lines elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from vaescreen.cli.application import TALK, complain

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.progress import Progress, TaskID

    from vaescreen.ranking.table import Row

_SECONDS_BETWEEN_LINES = 10
_WORTH_TELLING = 20
"""Seconds; less is over before it is read."""
_SECONDS_BETWEEN_UPDATES = 0.1
_ROWS_SHOWN = 10


class Teller:
    """Says how far it is: a line for each candidate, and one now and then while many images are read."""

    def __init__(self) -> None:
        self._due = time.monotonic() + _SECONDS_BETWEEN_LINES
        self._first: tuple[int, float] | None = None
        self._found: dict[str, tuple[float, str]] = {}

    def __call__(self, candidate: str, done: int, total: int) -> None:
        """Tell of candidates: which is done, how many are, how many there are, and the time left for the others."""
        found = f": {self._found[candidate][1]} so far" if candidate in self._found else ""
        complain(f"{done}/{total} {candidate}{found}{self._left(done, total)}")

    def row(self, row: "Row", by: str) -> None:
        """Take what is predicted of a candidate, or what its probe reaches, to be told with its name."""
        from vaescreen.ranking.columns import number
        from vaescreen.ranking.verdict import value_of

        value, interval = value_of(row, by)
        if value is None:
            value, interval = row.probe_psnr, None
        half = f" ± {number((interval[1] - interval[0]) / 2)}" if interval else ""
        if value is not None:
            self._found[row.candidate] = value, f"{number(value)}{half} dB"

    def _left(self, done: int, total: int) -> str:
        """About how long the others take, once two are done; those that were there already tell nothing."""
        now = time.monotonic()
        if self._first is None:
            self._first = done, now
        number, began = self._first
        seconds = (now - began) / (done - number) * (total - done) if done > number else 0.0
        return f", about {max(seconds / 60, 1):.0f} min left" if seconds > _WORTH_TELLING else ""

    def images(self, doing: str, done: int, total: int) -> None:
        """Tell of the files of a data set that is opened."""
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + _SECONDS_BETWEEN_LINES
            complain(f"{doing}: {done}/{total}")


class _Silent(Teller):
    """For processes that do not lead, and users who asked for quiet."""

    def __call__(self, candidate: str, done: int, total: int) -> None:
        pass

    def row(self, row: "Row", by: str) -> None:
        pass

    def images(self, doing: str, done: int, total: int) -> None:
        pass


class _Bar(Teller):
    """The same in one line that stays, under what is found so far."""

    def __init__(self, bar: "Progress", task: "TaskID") -> None:
        super().__init__()
        self._bar, self._task = bar, task
        self._due = 0.0

    def found(self) -> "Iterator[RenderableType]":
        """Candidates so far, the highest first."""
        from rich.text import Text

        best = sorted(self._found.items(), key=lambda item: -item[1][0])[:_ROWS_SHOWN]
        widest = max((len(name) for name, _ in best), default=0)
        yield from (Text(f"{name:{widest}}  {text}", no_wrap=True) for name, (_, text) in best)

    def __call__(self, candidate: str, done: int, total: int) -> None:
        told = f"{candidate}{self._left(done, total)}"
        self._bar.update(self._task, description=told, completed=done, total=total)

    def images(self, doing: str, done: int, total: int) -> None:
        if done == total or time.monotonic() >= self._due:
            self._due = time.monotonic() + _SECONDS_BETWEEN_UPDATES
            self._bar.update(self._task, description=doing, completed=done, total=total)


@contextmanager
def progress(*, silent: bool = False) -> Iterator[Teller]:
    """Give the teller that fits where stderr goes."""
    if silent or not TALK.progress:
        yield _Silent()
        return
    if not sys.stderr.isatty():
        yield Teller()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    class Found(Progress):
        """A bar under the candidates that are done."""

        teller: _Bar | None = None

        def get_renderables(self) -> "Iterator[RenderableType]":
            yield from self.teller.found() if self.teller else ()
            yield from super().get_renderables()

    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Found(*columns, console=Console(stderr=True), transient=True) as bar:
        bar.teller = _Bar(bar, bar.add_task("reading images", total=None))
        yield bar.teller


@contextmanager
def bytes_bar(title: str) -> Iterator[Callable[[str, int, int | None], None]]:
    """Give a callback for `(file, bytes here, bytes in all if known)`; elsewhere than in a terminal, a line a tenth."""
    if not TALK.progress:
        yield lambda file, done, total: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    if not sys.stderr.isatty():
        told = -1

        def tell(file: str, done: int, total: int | None) -> None:
            nonlocal told
            tenth = 10 * done // total if total else done // 10**8
            if tenth != told:
                told = tenth
                of = f" of {total / 1e6:.1f}" if total else ""
                print(f"{title}: {done / 1e6:.1f}{of} MB, {file}", file=sys.stderr)

        yield tell
        return
    columns = (
        TextColumn(title), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda file, done, total: bar.update(task, description=file, completed=done, total=total)
