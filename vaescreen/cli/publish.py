"""`vaescreen publish`: the pages of the leaderboard from the result files."""

from pathlib import Path
from typing import Annotated

import typer

from vaescreen.cli import options
from vaescreen.cli.application import complain


def publish(
    results: options.PublishedResults = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the pages go.")] = Path("leaderboards"),
    data: Annotated[
        list[str] | None,
        typer.Option(
            metavar="DATA",
            help="Data set that gets a page; repeat it for more.",
            show_default="all but private ones",
        ),
    ] = None,
    candidate: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CANDIDATE", help="Candidate that is shown; repeat it for more.", show_default="all"
        ),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 if the pages are not those of the results.")
    ] = False,
) -> None:
    """Render pages, tables and figures from the result files; doubtful results are left out and named."""
    from vaescreen.reports.leaderboard import publish as pages

    folder, names, shown = options.published_results(results), data or (), candidate or ()
    if not check:
        published = pages.publish(folder, out, data=names, candidates=shown)
        for path in published.files:
            print(path)
        for doubt in published.doubts:
            complain(f"left out: {doubt}")
        return
    problems = pages.stale(folder, out, data=names, candidates=shown)
    for problem in problems:
        complain(problem)
    if problems:
        complain("error: the leaderboard is stale; run `vaescreen publish`")
        raise typer.Exit(1)
    print(f"{out}: up to date")
