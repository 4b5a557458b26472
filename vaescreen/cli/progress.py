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
