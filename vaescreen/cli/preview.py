"""`vaescreen data preview`: a contact sheet, and what is doubtful about the images."""

from dataclasses import replace
from typing import Annotated, Any

import typer
from typing_extensions import TypedDict

from vaescreen.cli import options
from vaescreen.cli.grouping import prints
from vaescreen.cli.options import Format
from vaescreen.cli.printing import Sheet, show, warning_notes
from vaescreen.cli.progress import progress


class Previewed(TypedDict):
    """What was seen of the images, and what is doubtful."""

    title: str
    data: dict[str, Any]
    findings: list[dict[str, Any]]
    duplicates: list[dict[str, Any]]
    warnings: list[str]
    skipped: list[dict[str, str]]


@prints(Previewed)
def preview(
    *,
    images: options.ShownImageOptions,
    size: options.Size = None,
    recipe: options.Recipe = "compact",
    examples: Annotated[
        int, typer.Option(min=0, metavar="N", help="Test images shown; none of private data.")
    ] = 8,
    registry: options.RegistryFile = None,
    report: options.Report = None,
    form: options.OutputFormat = Format.TABLE,
) -> None:
    """Look at HR and LR images, gray levels, spectrum and counts, and say what looks wrong.

    Looked for in every image, at native size: frames, clipping, lost gray levels, JPEG blocks, upsampling; and
    near-duplicates across splits. What is found in more images than usual is a warning.

    Examples
    --------
    vaescreen data preview chest
    vaescreen data preview path/to/folder --report images.html
    """
    from vaescreen.images import DataOptions
    from vaescreen.reports.preview.report import preview as look
    from vaescreen.superres.recipes import recipe_named

    view = recipe_named(recipe).view
    if size:
        view = replace(view, size=options.side(size))
    with progress() as tell:
        seen = look(DataOptions(**images), view=view, registry=registry, on_images=tell.images)
    records = seen.survey.findings_json()
    counts = seen.data.description["counts"]
    split_notes = (
        f"{split}: {each['images']} images, {each['patients']} patients" for split, each in counts.items()
    )
    show(
        Sheet(
            headers=("looked for", "images", "share", "usual", "warning"),
            cells=[
                [
                    each["check"],
                    str(each["images"]),
                    f"{100 * each['share']:.1f} %",
                    f"up to {100 * each['usual']:g} %",
                    "yes" if each["warning"] else "",
                ]
                for each in records
            ],
            records=[{key: value for key, value in each.items() if key != "ids"} for each in records],
            payload={
                "title": seen.title,
                "data": seen.data.record,
                "findings": records,
                "duplicates": [
                    {"first": first, "second": second, "distance": distance}
                    for first, second, distance in seen.survey.duplicates
                ],
                "warnings": seen.warnings,
                "skipped": [{"path": each.path, "reason": each.reason} for each in seen.data.skipped],
            },
            title=seen.title,
            notes=[*split_notes, *seen.facts, *warning_notes(seen.warnings)],
        ),
        form,
    )
    if report:
        seen.write(report, examples)
