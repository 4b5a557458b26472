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
        bool,
        typer.Option(
            "--check",
            help="Write nothing; exit 1 if the pages are not those of the results, or a result fails its checksum.",
        ),
    ] = False,
    site: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Also build a site of the pages and of docs/ beside them (extra: docs).",
            show_default="none",
        ),
    ] = None,
) -> None:
    """Render pages, tables and figures from the result files; doubtful results are left out and named."""
    from vaescreen.ranking.results import without_checksum
    from vaescreen.reports.leaderboard import publish as pages
    from vaescreen.reports.leaderboard.site import build_site, ensure_site_can_be_built

    folder, names, shown = options.published_results(results), data or (), candidate or ()
    if site and check:
        raise typer.BadParameter("--check writes nothing, so it builds no site", param_hint="--site")
    if site:
        ensure_site_can_be_built(site)
    if not check:
        published = pages.publish(folder, out, data=names, candidates=shown)
        for path in published.files:
            print(path)
        for doubt in published.doubts:
            complain(f"left out: {doubt}")
        if site:
            build_site(out, site)
            print(site / "index.html")
        return
    bare = without_checksum(folder)
    if bare:
        complain(f"note: {len(bare)} results of an older version carry no checksum, {bare[0]} for one")
    problems = pages.stale(folder, out, data=names, candidates=shown)
    for problem in problems:
        complain(problem)
    if problems:
        complain("error: the leaderboard is stale; run `vaescreen publish`")
        raise typer.Exit(1)
    print(f"{out}: up to date")
