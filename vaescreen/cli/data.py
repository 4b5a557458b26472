"""`vaescreen data`: what images there are, and what is seen of a folder."""

import typer

from vaescreen.cli import options
from vaescreen.cli.options import Format
from vaescreen.cli.printing import Sheet, show, warning_notes

app = typer.Typer(no_args_is_help=True, help="Data sets: list, show.")


@app.command(name="list")
def list_data(form: options.OutputFormat = Format.TABLE) -> None:
    """List the data sets that need no files; any folder of images is one too."""
    from vaescreen.images.generated import COUNTS, PHANTOMS

    records = [{"data": name.removesuffix("-phantom"), "kind": "phantom", **COUNTS} for name in PHANTOMS]
    headers = list(records[0])
    cells = [[str(value) for value in record.values()] for record in records]
    notes = ["Generated images, not of patients. For your own images give --data a folder."]
    show(Sheet(headers, cells, records, records, notes=notes, text_columns=2), form)


@app.command(name="show")
def show_data(
    data: options.DataArgument,
    size: options.Size = "256",
    patients: options.Patients = None,
    name: options.Name = None,
    train_images: options.TrainImages = None,
    test_images: options.TestImages = None,
    seed: options.Seed = 0,
    form: options.OutputFormat = Format.TABLE,
) -> None:
    """Read all images of a data set and print how they are split and made, and which cannot be used."""
    from vaescreen.images import open_data

    images = open_data(
        data,
        size=options.side(size),
        patient_pattern=patients,
        seed=seed,
        train_images=train_images,
        test_images=test_images,
        name=name,
    )
    description = {
        key: value for key, value in images.description.items() if key not in {"counts", "warnings"}
    }
    records = [{"split": split, **counts} for split, counts in images.description["counts"].items()]
    skipped = [{"path": entry.path, "reason": entry.reason} for entry in images.skipped]
    payload = {
        "name": images.name,
        "kind": images.kind,
        "fingerprint": images.fingerprint,
        "description": images.description,
        "skipped": skipped,
    }
    sheet = Sheet(
        headers=list(records[0]),
        cells=[[str(value) for value in record.values()] for record in records],
        records=records,
        payload=payload,
        title=f"{images.name} ({'generated, not patients' if images.kind == 'phantom' else 'real images'})",
        notes=[
            *(f"{key.replace('_', ' ')}: {value}" for key, value in description.items()),
            f"fingerprint: {images.fingerprint}",
            f"{len(skipped)} skipped",
            *(f"  {entry['path']}: {entry['reason']}" for entry in skipped),
            *warning_notes(images.warnings),
        ],
    )
    show(sheet, form)
