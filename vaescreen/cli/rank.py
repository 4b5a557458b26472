"""`vaescreen rank`: the ranked table, and below it everything that is not in it and why."""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from vaescreen.cli import options
from vaescreen.cli.grouping import grouped
from vaescreen.cli.options import Format
from vaescreen.cli.printing import Sheet, show, skipped_notes, warning_notes
from vaescreen.cli.progress import progress

if TYPE_CHECKING:
    from vaescreen.predictor.fitted import Influence
    from vaescreen.ranking.rank import Ranking

_COLUMNS = (
    "rank",
    "candidate",
    "predicted SR PSNR",
    "90 % interval",
    "best",
    "posterior mean",
    "detail",
    "undominated",
    "SR PSNR",
    "AE ceiling",
    "probe PSNR",
    "ms / image",
)
_INTERVALS = ("interval", "posterior_mean_interval", "detail_interval")
_LISTED = 3
_EFFECTS = 5
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


@grouped
def rank(
    *,
    images: options.ImageOptions,
    candidates: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[CANDIDATE]...",
            help="Names in the registry.",
            show_default="all that are on this machine",
        ),
    ] = None,
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
    results: options.CachedResults = None,
    machine: options.MachineOptions,
    explain: Annotated[
        str | None,
        typer.Option(
            metavar="[CANDIDATE]",
            help="Say which features move its prediction away from the mean of the ranked; of all without a name.",
            show_default=False,
        ),
    ] = None,
    report: options.Report = None,
    form: options.OutputFormat = Format.TABLE,
) -> None:
    """Rank autoencoders on your images by the super-resolution quality they would lead to.

    Image size, degradation and conditioning are those of the recipe. A candidate that fails is named below the
    table and the others are ranked; the exit code is 1 only if none could be scored.
    """
    from vaescreen.datasets import DataOptions
    from vaescreen.ranking.rank import rank as rank_candidates

    data, here = DataOptions(**images), options.machine(**machine)
    with progress() as tell:
        ranking = rank_candidates(
            data,
            candidates or (),
            recipe=recipe,
            by=by.target,
            registry=registry,
            predictor=predictor,
            results=results,
            machine=here,
            on_progress=tell,
            on_images=tell.images,
        )
        if report:
            from vaescreen.reports.ranking.report import write_report

            write_report(
                ranking, data, report, registry=registry, results=results, machine=here, on_images=tell.images
            )
    show(_sheet(ranking, _explained(ranking, explain)), form)


class Ranks(TyperCommand):
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


def _sheet(ranking: "Ranking", explained: "dict[str, tuple[Influence, ...]]") -> Sheet:
    from vaescreen.ranking.columns import ABSENT, COLUMNS

    payload = ranking.as_json()
    if explained:
        payload["explanations"] = {
            name: [influence._asdict() for influence in influences] for name, influences in explained.items()
        }
    texts = {column: [COLUMNS[column](row) for row in ranking.rows] for column in _COLUMNS}
    filled = {column: cells for column, cells in texts.items() if set(cells) != {ABSENT}}
    return Sheet(
        headers=list(filled),
        cells=list(zip(*filled.values(), strict=True)),
        records=[_flat(row) for row in payload["rows"]],
        payload=payload,
        title=ranking.title,
        notes=[*_notes(ranking), *_explanation_notes(explained)],
        text_columns=2,
    )


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """Row of a CSV file: one value a cell."""
    geometry = row["geometry"] or {"channels": None, "factor": None}
    plain = {key: value for key, value in row.items() if key not in (*_INTERVALS, "geometry")}
    ends = {
        f"{name}_{end}": value
        for name in _INTERVALS
        for end, value in zip(("low", "high"), row[name] or (None, None), strict=True)
    }
    return plain | ends | geometry


def _explanation_notes(explained: "dict[str, tuple[Influence, ...]]") -> Iterator[str]:
    from vaescreen.ranking.columns import number

    for name, influences in explained.items():
        total = number(sum(influence.effect for influence in influences), signed=True)
        parts = ", ".join(
            f"{each.feature} {number(each.effect, signed=True)} ({number(each.value)}, mean {number(each.mean)})"
            for each in influences[:_EFFECTS]
        )
        rest = number(sum(influence.effect for influence in influences[_EFFECTS:]), signed=True)
        yield f"Why {name}: {total} dB against the mean of the ranked: {parts}; others {rest}."


def _notes(ranking: "Ranking") -> Iterator[str]:
    from vaescreen.ranking.columns import EXTRAPOLATED

    yield (
        "PSNR in dB. AE ceiling: of decode(encode(HR)) against HR. Probe: a small regression of what the model learns."
    )
    predictor = ranking.predictor
    if predictor is None:
        yield (
            f"No predictor is shipped for recipe {ranking.recipe}: ranked by probe PSNR; candidates that the test "
            "patients cannot tell apart share a rank."
        )
    else:
        data_sets = ", ".join(dict.fromkeys(point.data for point in predictor.points))
        candidates = len({point.candidate for point in predictor.points})
        yield (
            f"Predicted for recipe {predictor.recipe} from {len(predictor.points)} reference points: "
            f"{candidates} candidates, trained on {data_sets}."
        )
        yield from _novelty(ranking)
    if any(row.p_best is not None for row in ranking.rows):
        yield (
            "Predictions that cannot be told apart, at 90 %, share a rank. Best: probability of being first. Posterior "
            "mean: predicted SR PSNR of the one-step output. Detail: energy of a sample's finest Haar bands over that "
            "of the true image, predicted. Undominated: no other is predicted better in all three."
        )
    extrapolated = [row for row in ranking.rows if row.extrapolation]
    if extrapolated:
        yield f"{EXTRAPOLATED} extrapolation: the score card is unlike those of the reference points:"
        yield from (f"  {row.candidate}: {row.extrapolation_reason}" for row in extrapolated[:_LISTED])
        if len(extrapolated) > _LISTED:
            yield f"  and {len(extrapolated) - _LISTED} more"
    fetchable = [entry for entry in ranking.missing if entry.command]
    if fetchable:
        names = ", ".join(_with_size(entry.candidate, entry.size_mb) for entry in fetchable)
        yield f"Not downloaded, so not scored: {names}."
        yield "Fetch one with `vaescreen registry pull NAME`."
    absent = [entry.candidate for entry in ranking.missing if not entry.command]
    if absent:
        yield f"Files not found, so not scored: {', '.join(absent)}."
    for failed in ranking.failed:
        yield f"Failed: {_reasoned(failed.candidate, failed.reason)}"
    yield from warning_notes(ranking.warnings)
    yield from skipped_notes(ranking.skipped)
    if ranking.verdict:
        yield ranking.verdict


def _novelty(ranking: "Ranking") -> Iterator[str]:
    new = {row.novelty for row in ranking.rows}
    if "data set" in new:
        yield "No reference point is of these images: the intervals are those of data sets left out."
    elif "geometry" in new:
        yield "Where no reference point has the geometry, the interval is that of geometries left out."


def _with_size(name: str, size_mb: float | None) -> str:
    return f"{name} ({size_mb:.0f} MB)" if size_mb else name


def _reasoned(name: str, reason: str) -> str:
    return reason if reason.startswith(f"{name}:") else f"{name}: {reason}"
