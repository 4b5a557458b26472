"""`vaescreen rank`: the ranked table, and below it everything that is not in it and why."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vaescreen.cli import options
from vaescreen.cli.options import DeviceName, Format
from vaescreen.cli.printing import Sheet, show
from vaescreen.cli.progress import candidates_bar

if TYPE_CHECKING:
    from vaescreen.ranking import Ranking

_COLUMNS = (
    "rank",
    "candidate",
    "geometry",
    "predicted SR PSNR",
    "90 % interval",
    "SR PSNR",
    "AE ceiling",
    "SSIM",
    "probe PSNR",
    "ms / image",
)
_LISTED = 3


def rank(
    data: options.Data,
    candidates: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[CANDIDATE]...",
            help="Names in the registry.",
            show_default="all that are on this machine",
        ),
    ] = None,
    recipe: options.Recipe = "nano",
    registry: options.RegistryFile = None,
    patients: options.Patients = None,
    name: options.Name = None,
    train_images: options.TrainImages = None,
    test_images: options.TestImages = None,
    results: options.CachedResults = None,
    processes: options.Processes = None,
    engine: options.Engine = "local",
    gpu_share: options.GpuShare = 1.0,
    device: options.Device = DeviceName.AUTO,
    seed: options.Seed = 0,
    form: options.OutputFormat = Format.TABLE,
) -> None:
    """Rank autoencoders on your images by the super-resolution PSNR they would lead to.

    Image size and degradation are those of the recipe. A candidate that fails is named below the table and the
    others are ranked; the exit code is 1 only if none could be scored.
    """
    from vaescreen.execution import engine_named
    from vaescreen.ranking import rank as rank_candidates

    with candidates_bar() as on_progress:
        ranking = rank_candidates(
            data,
            candidates or (),
            recipe=recipe,
            registry=registry,
            results=results,
            patients=patients,
            name=name,
            train_images=train_images,
            test_images=test_images,
            seed=seed,
            processes=processes,
            engine=engine_named(engine, gpu_share),
            device=device.value,
            on_progress=on_progress,
        )
    show(_sheet(ranking), form)


def _sheet(ranking: "Ranking") -> Sheet:
    from vaescreen.leaderboard.columns import ABSENT, COLUMNS

    payload = ranking.as_json()
    texts = {column: [COLUMNS[column](row) for row in ranking.rows] for column in _COLUMNS}
    filled = {column: cells for column, cells in texts.items() if set(cells) != {ABSENT}}
    return Sheet(
        headers=list(filled),
        cells=list(zip(*filled.values(), strict=True)),
        records=[_flat(row) for row in payload["rows"]],
        payload=payload,
        title=ranking.title,
        notes=list(_notes(ranking)),
        text_columns=3,
    )


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """Row of a CSV file: one value a cell."""
    low, high = row["interval"] or (None, None)
    geometry = row["geometry"] or {"channels": None, "factor": None}
    plain = {key: value for key, value in row.items() if key not in ("interval", "geometry")}
    return plain | {"interval_low": low, "interval_high": high, **geometry}


def _notes(ranking: "Ranking") -> Iterator[str]:
    from vaescreen.leaderboard.columns import EXTRAPOLATED

    yield (
        "PSNR in dB. AE ceiling: of decode(encode(HR)) against HR. Probe: a small regression from LR to HR latents."
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
    if any(row.extrapolation for row in ranking.rows):
        yield f"{EXTRAPOLATED} extrapolation: the score card is unlike those of the reference points."
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
    if ranking.skipped:
        yield from skipped_notes([(entry.path, entry.reason) for entry in ranking.skipped])


def skipped_notes(skipped: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Files that cannot be used, the first few with their reasons."""
    yield f"{len(skipped)} file{'' if len(skipped) == 1 else 's'} skipped:"
    for path, reason in skipped[:_LISTED]:
        yield f"  {path}: {reason}"
    if len(skipped) > _LISTED:
        yield f"  and {len(skipped) - _LISTED} more"


def _with_size(name: str, size_mb: float | None) -> str:
    return f"{name} ({size_mb:.0f} MB)" if size_mb else name


def _reasoned(name: str, reason: str) -> str:
    return reason if reason.startswith(f"{name}:") else f"{name}: {reason}"
