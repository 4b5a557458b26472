"""`vaescreen score`: screening alone, at any size and degradation."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from vaescreen.cli import options
from vaescreen.cli.grouping import prints
from vaescreen.cli.options import Format
from vaescreen.cli.printing import Sheet, parted, show, skipped_notes, warning_notes
from vaescreen.cli.progress import progress

if TYPE_CHECKING:
    from vaescreen.ranking.scoring import Scoring

_COLUMNS = {
    "AE ceiling": ("psnr", 2),
    "foreground": ("psnr_foreground", 2),
    "SSIM": ("ssim", 3),
    "MS-SSIM": ("ms_ssim", 3),
    "ridge probe": ("ridge_probe_psnr", 2),
    "conv probe": ("conv_probe_psnr", 2),
    "miniature": ("denoise_mean_psnr", 2),
    "bicubic": ("bicubic_psnr", 2),
    "ms encode": ("encode_ms", 1),
    "ms decode": ("decode_ms", 1),
}
_TIMES = ("encode_ms", "decode_ms")
_PANEL = "Size and degradation"


@prints("vaescreen.ranking.scoring:ScoreJson")
def score(
    *,
    candidates: options.Candidates,
    images: options.ImageOptions,
    recipe: Annotated[
        str | None,
        typer.Option(
            metavar="RECIPE",
            help=options.RECIPE_HELP,
            show_default="none: --size, --scale and --kernel",
            rich_help_panel=_PANEL,
        ),
    ] = None,
    size: options.Size = None,
    scale: Annotated[
        int, typer.Option(metavar="N", help="HR pixels to an LR pixel: 2, 4 or 8.", rich_help_panel=_PANEL)
    ] = 4,
    kernel: Annotated[
        str,
        typer.Option(metavar="KERNEL", help="lanczos, bicubic, area or kspace.", rich_help_panel=_PANEL),
    ] = "lanczos",
    degradation: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="All in one word instead: paper, bicubic-x4-torch, bicubic-x4-torch-aliased, kspace-x4-rician0.02, "
            "area-x2-gaussian0.05, ... Noise has its SD as a fraction of full scale.",
            show_default="scale and kernel",
            rich_help_panel=_PANEL,
        ),
    ] = None,
    registry: options.RegistryFile = None,
    results: options.Results = None,
    machine: options.MachineOptions,
    strict: options.Strict = False,
    form: options.OutputFormat = Format.TABLE,
) -> None:
    """Measure candidates: what they lose, and how well HR latents follow from LR latents.

    This is the first half of `rank`, at any size and degradation, without a prediction: reconstruction metrics of the
    test images, and what the probes reach that are fitted on the train images. Score cards are kept, so that what has
    not changed is not measured again.

    A candidate that fails is named below the table; the exit code is 1 only if none could be measured.

    Examples
    --------
    vaescreen score medical-f4c3 generic-f4c3 --data chest
    vaescreen score medical-f4c3 --data path/to/folder --size native --scale 2
    vaescreen score medical-f4c3 --data path/to/folder --recipe compact --format json
    """
    from vaescreen.images import DataOptions
    from vaescreen.ranking import scoring

    with progress() as tell:
        scored = scoring.score(
            candidates,
            DataOptions(**images),
            recipe=recipe,
            size=options.side(size),
            scale=scale,
            kernel=kernel,  # type: ignore[arg-type]  # the degradation checks the name itself
            degradation=degradation,
            at=scoring.Workplace(registry, results, options.machine(**machine), tell, tell.images),
        )
    show(_sheet(scored), form)
    if strict and scored.failed:
        raise typer.Exit(options.NOT_ALL_DONE)


def _sheet(scored: "Scoring") -> Sheet:
    from vaescreen.images.dataset import IN_WORDS
    from vaescreen.ranking.columns import number

    cards = scored.cards
    summaries, timings = parted([card.summary for card in cards], (), _TIMES)
    counts, kind = cards[0].counts, IN_WORDS[cards[0].data["kind"]]
    return Sheet(
        headers=("candidate", "geometry", *_COLUMNS),
        cells=[
            [
                card.candidate,
                str(card.geometry),
                *(number(card.summary.get(key), digits) for key, digits in _COLUMNS.values()),
            ]
            for card in cards
        ],
        records=[{"candidate": card.candidate, **card.geometry._asdict(), **card.summary} for card in cards],
        payload={
            "cards": [
                card.to_json() | {"summary": summary} for card, summary in zip(cards, summaries, strict=True)
            ],
            "failed": scored.failed,
            "warnings": list(scored.warnings),
            "skipped": [asdict(entry) for entry in scored.skipped],
        },
        timings=[{"candidate": card.candidate} | took for card, took in zip(cards, timings, strict=True)],
        title=f"{cards[0].data['name']}: {counts['test_images']} {kind} test images, {scored.view}",
        notes=[
            *(f"Failed: {reason}" for reason in scored.failed.values()),
            *warning_notes(scored.warnings),
            *skipped_notes(scored.skipped),
        ],
        text_columns=2,
    )
