"""`vaescreen compare`: paired statistics of two candidates or more."""

from pathlib import Path
from typing import Annotated

import typer

from vaescreen.cli import options
from vaescreen.cli.grouping import prints
from vaescreen.cli.options import DeviceName, Format
from vaescreen.cli.printing import Sheet, show, warning_notes
from vaescreen.cli.progress import progress

_OPTIONAL = "Optional metrics"


@prints("vaescreen.reports.comparison.report:CompareJson")
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
    margin: Annotated[float, typer.Option(min=0, metavar="DB", help=options.MARGIN_HELP)] = 0.15,
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
            help="Similarity of embeddings by a timm model; fetched if neither in --metric-weights nor in its cache.",
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
            "--metric-weights",
            metavar="FOLDER",
            help="Where weights of LPIPS, MODEL.safetensors and Inception's lie.",
            show_default="the cache of torch.hub",
            rich_help_panel=_OPTIONAL,
        ),
    ] = None,
    registry: options.RegistryFile = None,
    device: options.Device = DeviceName.AUTO,
    report: options.Report = None,
    strict: options.Strict = False,
    form: options.OutputFormat = Format.TABLE,
) -> None:
    """Compare candidates on the same images: metrics, paired statistics by patient, where the difference lies.

    The patient is the unit: paired tests of patient means, effect sizes with intervals of a bootstrap over patients,
    and whether the candidates are equivalent within --margin. The gap of two is split into what resolution, capacity
    and training domain make of it, by candidates of the registry that differ in one of these.

    With --outputs it is super-resolved images that are compared, one file a candidate, as `reference train
    --save-outputs` writes them. A metric that cannot be computed is named with its reason; with --strict the exit code
    is 3 then, if it was asked for by name.

    Examples
    --------
    vaescreen compare medical-f4c3 generic-f8c4 --data chest
    vaescreen compare medical-f4c3 generic-f4c3 medical-f4c4 --data path/to/folder --report comparison.html
    vaescreen compare medical-f4c3 generic-f8c4 --data path/to/folder --margin 0.3 --format json
    """
    from vaescreen.images import DataOptions
    from vaescreen.ranking.comparison import compare as compare_candidates
    from vaescreen.reports.comparison import report as words

    with progress() as tell:
        found = compare_candidates(
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
    show(
        Sheet(
            headers=words.headers(found),
            cells=words.rows(found),
            records=words.records(found),
            payload=words.payload(found),
            title=words.title(found),
            notes=[words.verdict(found), *words.notes(found), *warning_notes(found.data.warnings)],
            text_columns=words.text_columns(found),
        ),
        form,
    )
    if report:
        from vaescreen.reports.comparison.page import page
        from vaescreen.storage import write_bytes

        write_bytes(report, page(found))
    if strict and words.asked_and_missing(found):
        raise typer.Exit(options.NOT_ALL_DONE)
