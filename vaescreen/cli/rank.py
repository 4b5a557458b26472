"""`vaescreen rank`: the command; `rank_sheet` has what it prints."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vaescreen.cli import options
from vaescreen.cli.grouping import Command, prints
from vaescreen.cli.options import Format
from vaescreen.cli.printing import show
from vaescreen.cli.progress import progress

if TYPE_CHECKING:
    from vaescreen.predictor.fitted import Influence
    from vaescreen.ranking.rank import Ranking

_EXPLAIN, _ALL = "--explain", "all"


class By(StrEnum):
    """What ranks, as the command line says it."""

    SR_PSNR = "sr-psnr"
    POSTERIOR_MEAN = "posterior-mean"
    DETAIL = "detail"

    @property
    def target(self) -> str:
        """The target of that name."""
        return {"posterior-mean": "posterior_mean_psnr"}.get(self.value, self.value.replace("-", "_"))


class Columns(StrEnum):
    """How much of a row the table shows."""

    SHORT = "short"
    ALL = "all"


@prints("vaescreen.ranking.rank:RankJson")
def rank(
    *,
    images: options.ImageOptions,
    candidates: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="CANDIDATE",
            help="Names in the registry.",
            show_default="all on this machine that one could build on",
        ),
    ] = None,
    controls: Annotated[
        bool,
        typer.Option(
            "--controls", help="Rank the controls too: linear codecs, and one that is made to fail."
        ),
    ] = False,
    recipe: options.Recipe = "compact",
    by: Annotated[
        By, typer.Option(help="What ranks: the PSNR of one sample, of the posterior mean, or detail.")
    ] = By.SR_PSNR,
    registry: options.RegistryFile = None,
    predictor: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Predictor of the recipe to rank by.", show_default="the shipped one"
        ),
    ] = None,
    results: options.Results = None,
    machine: options.MachineOptions,
    explain: Annotated[
        str | None,
        typer.Option(
            metavar="[CANDIDATE]",
            help="Say which features move its prediction away from the mean of the ranked; of all without a name.",
            show_default=False,
        ),
    ] = None,
    columns: Annotated[
        Columns,
        typer.Option(help="Of the table: those that fit 80 columns, or all.", rich_help_panel="Output"),
    ] = Columns.SHORT,
    report: options.Report = None,
    strict: options.Strict = False,
    form: options.OutputFormat = Format.TABLE,
) -> None:
    """Rank autoencoders on your images by the super-resolution quality they would lead to.

    Every candidate encodes and decodes your test images, and small probes learn on your train images what a
    super-resolution model would have to learn in its latents; from both, a predictor that was fitted to trained models
    tells the quality in dB with its interval. Nothing is trained, and what is measured once is kept.

    Image size, degradation and conditioning are those of the recipe. A candidate that fails is named below the
    table and the others are ranked; the exit code is 1 only if none could be scored.

    Examples
    --------
    vaescreen rank --data chest
    vaescreen rank --data path/to/folder --report ranking.html
    vaescreen rank medical-f4c3 generic-f4c3 --data path/to/folder --by posterior-mean --explain
    """
    from vaescreen.cli.rank_sheet import rank_sheet
    from vaescreen.images import DataOptions
    from vaescreen.ranking.rank import rank as rank_candidates
    from vaescreen.ranking.scoring import Workplace

    data = DataOptions(**images)
    with progress() as tell:
        ranking = rank_candidates(
            data,
            candidates or (),
            recipe=recipe,
            by=by.target,
            controls=controls,
            predictor=predictor,
            at=Workplace(registry, results, options.machine(**machine), tell, tell.images),
            on_row=lambda row: tell.row(row, by.target),
        )
    show(rank_sheet(ranking, _explained(ranking, explain), columns.value), form)
    if report:
        from vaescreen.reports.ranking.report import write_report

        with progress() as tell:
            write_report(
                ranking,
                data,
                report,
                registry=registry,
                results=results,
                machine=options.machine(**machine),
                on_images=tell.images,
            )
    if strict and (ranking.failed or (candidates and ranking.missing)):
        raise typer.Exit(options.NOT_ALL_DONE)


class Ranks(Command):
    """`--explain` may stand alone: followed by another option, or by nothing, it means all candidates."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Give a bare `--explain` its value."""
        after = [*args, "-"]
        bare = [
            f"{_EXPLAIN}={_ALL}" if arg == _EXPLAIN and after[place + 1].startswith("-") else arg
            for place, arg in enumerate(args)
        ]
        return super().parse_args(ctx, bare)


def _explained(ranking: "Ranking", wanted: str | None) -> "dict[str, tuple[Influence, ...]]":
    if wanted is None:
        return {}
    names = [row.candidate for row in ranking.rows if not row.floor] if wanted == _ALL else [wanted]
    return {name: ranking.explain(name) for name in names}
