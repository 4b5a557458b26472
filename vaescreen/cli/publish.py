"""`vaescreen publish`: the pages of the leaderboard from the result files."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer
from typing_extensions import TypedDict

from vaescreen.cli import options
from vaescreen.cli.application import complain
from vaescreen.cli.grouping import prints
from vaescreen.cli.options import Format
from vaescreen.cli.printing import tell


class Page(TypedDict):
    """A file that was written, or that `--check` finds as it should be."""

    file: str


@prints(list[Page])
def publish(
    results: options.Results = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help=options.OUT_HELP)] = Path("leaderboards"),
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
    form: options.OutputFormat = Format.TABLE,
) -> None:
    """Render pages, tables and figures from the result files; doubtful results are left out and named.

    Pages are a function of the results: nobody edits them, and --check says whether they are up to date.

    Examples
    --------
    vaescreen publish --results leaderboards/results
    vaescreen publish --results path/to/results --out pages --data chest --site public
    vaescreen publish --results leaderboards/results --check
    """
    from vaescreen.ranking.results import without_checksum
    from vaescreen.reports.leaderboard import publish as pages
    from vaescreen.reports.leaderboard.site import build_site, ensure_site_can_be_built

    folder, names, shown = options.results_folder(results), data or (), candidate or ()
    if site and check:
        raise typer.BadParameter("--check writes nothing, so it builds no site", param_hint="--site")
    if site:
        ensure_site_can_be_built(site)
    if not check:
        published = pages.publish(folder, out, data=names, candidates=shown)
        doubts = [f"left out: {doubt}" for doubt in published.doubts]
        files = [*published.files]
        if site:
            build_site(out, site)
            files.append(site / "index.html")
        _tell(files, [str(path) for path in files], form, doubts)
        return
    bare = without_checksum(folder)
    if bare:
        complain(f"note: {len(bare)} results of an older version carry no checksum, {bare[0]} for one")
    problems = pages.stale(folder, out, data=names, candidates=shown)
    for problem in problems:
        complain(problem)
    if problems:
        complain(f"error: the leaderboard is stale; run `vaescreen publish --results {folder}`")
        raise typer.Exit(1)
    _tell([out], [f"{out}: up to date"], form)


def _tell(files: Iterable[Path], lines: list[str], form: Format, doubts: Sequence[str] = ()) -> None:
    pages: list[Page] = [{"file": str(path)} for path in files]
    tell(lines, pages, form, warnings=doubts)
