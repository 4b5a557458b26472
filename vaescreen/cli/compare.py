"""`vaescreen compare`: paired statistics of two candidates or more, with figures."""

from pathlib import Path
from typing import Annotated

import typer

from vaescreen.cli import options
from vaescreen.cli.options import DeviceName, Format
from vaescreen.cli.printing import Sheet, show, warning_notes
from vaescreen.cli.progress import progress

_OPTIONAL = "Optional metrics"


def compare(
    *,
    candidates: options.Candidates,
    images: options.ImageOptions,
    outputs: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Compare saved SR outputs: one file a candidate, in the same order (repeat the option).",
            show_default="reconstructions",
            rich_help_panel="Data",
        ),
    ] = None,
    size: options.Size = None,
    margin: Annotated[
        float, typer.Option(metavar="DB", help="PSNR difference that does not matter: tested as equivalence.")
    ] = 0.15,
    figures: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Draw figures into this folder.", show_default="none"),
    ] = None,
    decompose: Annotated[
        bool, typer.Option(help="Split the gap of two candidates by matched candidates of the registry.")
    ] = True,
    lpips: Annotated[
        bool, typer.Option(help="LPIPS, if its weights are on this machine.", rich_help_panel=_OPTIONAL)
    ] = True,
    embedding: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="Similarity of embeddings by a timm model; fetched if neither in --weights nor in its cache.",
            show_default="none",
            rich_help_panel=_OPTIONAL,
        ),
    ] = None,
    distribution: Annotated[
        bool,
        typer.Option("--distribution", help="FID (from 2048 images on) and KID.", rich_help_panel=_OPTIONAL),
    ] = False,
    weights: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Where weights of LPIPS, MODEL.safetensors and Inception's lie.",
            show_default="the cache of torch.hub",
            rich_help_panel=_OPTIONAL,
        ),
    ] = None,
    registry: options.RegistryFile = None,
    device: options.Device = DeviceName.AUTO,
    form: options.OutputFormat = Format.TABLE,
) -> None:
    """Compare candidates on the same images: metrics, paired statistics by patient, where the difference lies."""
    from vaescreen.datasets import DataOptions
    from vaescreen.ranking.comparison import compare as compare_candidates
    from vaescreen.reports.comparison import report as words
    from vaescreen.storage import ensure_writable

    if figures:
        ensure_writable(figures)
    with progress() as tell:
        report = compare_candidates(
            candidates,
            DataOptions(**images),
            outputs=outputs or (),
            size=options.side(size),
            registry=registry,
            device=device.value,
            margin=margin,
            lpips=lpips,
            embedding=embedding,
            distribution=distribution,
            weights=weights,
            split_gap=decompose,
            on_progress=tell,
            on_images=tell.images,
        )
    notes = [words.verdict(report), *words.notes(report), *warning_notes(report.data.warnings)]
    if figures:
        from vaescreen.reports.comparison.figures import draw_all

        notes += [f"Figure: {path}" for path in draw_all(report, figures)]
    show(
        Sheet(
            headers=words.headers(report),
            cells=words.rows(report),
            records=words.records(report),
            payload=words.payload(report),
            title=words.title(report),
            notes=notes,
            text_columns=words.text_columns(report),
        ),
        form,
    )
