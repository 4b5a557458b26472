"""`vaescreen reproduce`: score a published row anew and compare."""

from typing import Annotated, Any

import typer
from typing_extensions import TypedDict

from vaescreen.cli import options
from vaescreen.cli.grouping import prints
from vaescreen.cli.options import Format
from vaescreen.cli.printing import Sheet, show
from vaescreen.cli.progress import progress


class Reproduced(TypedDict):
    """Figures of a card as published and as measured now."""

    candidate: str
    data: str
    reproduced: bool
    rows: list[dict[str, Any]]


@prints(Reproduced)
def reproduce(
    *,
    candidate: options.Candidate,
    images: options.ImageOptions,
    recipe: options.Recipe = "compact",
    registry: options.RegistryFile = None,
    results: options.Results = None,
    record: Annotated[
        bool,
        typer.Option(
            "--mark",
            help="Write down in the folder of results that it was reproduced, with what and how closely; pages say so.",
        ),
    ] = False,
    machine: options.MachineOptions,
    form: options.OutputFormat = Format.TABLE,
) -> None:
    """Score a published candidate anew on the same images; exit 1 if a figure does not come out as it was written.

    Weights, images and protocol must be those of the published card. Figures in dB may differ by 0.05, others by 2 %.

    Examples
    --------
    vaescreen reproduce medical-f4c3 --data path/to/folder --name chest
    vaescreen reproduce NAME --data path/to/folder --results submission-NAME --format json
    """
    from dataclasses import asdict

    from vaescreen.images import DataOptions
    from vaescreen.predictor.words import in_words
    from vaescreen.ranking.columns import number
    from vaescreen.ranking.reproduction import reproduce as score_anew
    from vaescreen.ranking.reproduction import write_record
    from vaescreen.storage import ensure_writable

    folder = options.results_folder(results)
    if record:
        ensure_writable(folder, "give another folder as --results")

    with progress() as tell:
        found = score_anew(
            candidate,
            DataOptions(**images),
            folder,
            recipe=recipe,
            registry=registry,
            machine=options.machine(**machine),
            on_images=tell.images,
        )
    if record:
        write_record(folder, found)
    records = [asdict(check) | {"agrees": check.agrees} for check in found.checks]
    differing = sum(not check.agrees for check in found.checks)
    said = (
        "reproduced" if found.reproduced else f"not reproduced: {differing} of {len(records)} figures differ"
    )
    show(
        Sheet(
            headers=("figure", "published", "measured", "tolerance", ""),
            cells=[
                [
                    in_words(check.name),
                    number(check.published, 4),
                    number(check.measured, 4),
                    number(check.tolerance, 4),
                    "" if check.agrees else "differs",
                ]
                for check in found.checks
            ],
            records=records,
            payload={
                "candidate": found.candidate,
                "data": found.data,
                "reproduced": found.reproduced,
                "rows": records,
            },
            title=f"{found.candidate} on {found.data}",
            closing=[f"{found.candidate} on {found.data}: {said}."],
        ),
        form,
    )
    if not found.reproduced:
        raise typer.Exit(1)
