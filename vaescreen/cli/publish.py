"""`vaescreen publish`: the pages of the leaderboard from the result files."""

from pathlib import Path
from typing import Annotated

import typer

from vaescreen.cli import options
from vaescreen.cli.application import complain


def publish(
    results: options.PublishedResults = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the pages go.")] = Path("leaderboards"),
    example: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CANDIDATE",
            help="Also draw what this candidate makes of a generated chest image; repeat it for more.",
        ),
    ] = None,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Write nothing; exit 1 if the pages are not those of the results, or a result fails its checksum.",
        ),
    ] = False,
) -> None:
    """Render pages and figures from the result files."""
    from vaescreen.ranking.results import without_checksum
    from vaescreen.reports.leaderboard import publish as pages

    folder = options.published_results(results)
    if not check:
        for path in pages.publish(folder, out):
            print(path)
        if example:
            print(_draw(example, out / "figures" / "examples.png"))
        return
    bare = without_checksum(folder)
    if bare:
        complain(f"note: {len(bare)} results of an older version carry no checksum, {bare[0]} for one")
    problems = pages.stale(folder, out)
    for problem in problems:
        complain(problem)
    if problems:
        complain("error: the leaderboard is stale; run `vaescreen publish`")
        raise typer.Exit(1)
    print(f"{out}: up to date")


def _draw(candidates: list[str], path: Path) -> Path:
    from vaescreen.autoencoders import open_autoencoder
    from vaescreen.images import open_data
    from vaescreen.registry.catalogue import Registry
    from vaescreen.reports.leaderboard.examples import draw_examples

    registry, data = Registry.load(), open_data("chest-phantom")
    draw_examples({name: open_autoencoder(registry.candidate(name), data) for name in candidates}, data, path)
    return path
