"""Progress on stderr: a bar in a terminal, a line for each candidate elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def candidates_bar() -> Iterator[Callable[[str, int, int], None]]:
    """Give a callback for `(candidate, candidates done, candidates in all)`."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    if not sys.stderr.isatty():
        yield lambda candidate, done, total: print(f"{done}/{total} {candidate}", file=sys.stderr)
        return
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading images", total=None)
        yield lambda candidate, done, total: bar.update(
            task, description=candidate, completed=done, total=total
        )


@contextmanager
def bytes_bar(title: str) -> Iterator[Callable[[str, int, int | None], None]]:
    """Give a callback for `(file, bytes here, bytes in all if known)`; elsewhere than in a terminal, a line a tenth."""
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
