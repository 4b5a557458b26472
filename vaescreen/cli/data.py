"""`vaescreen data`: what images there are, and what is seen of a data set."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from vaescreen.cli import options
from vaescreen.cli.data_facts import absent_sheet, facts_of
from vaescreen.cli.data_sets import add, fetch, remove
from vaescreen.cli.options import Format
from vaescreen.cli.preview import preview
from vaescreen.cli.printing import Sheet, show, skipped_notes, warning_notes
from vaescreen.cli.progress import progress

if TYPE_CHECKING:
    from vaescreen.registry.data_entry import DataEntry

app = typer.Typer(
    no_args_is_help=True, help="Data sets: list, show, preview, add your own, fetch published ones, remove."
)
app.command()(preview)
app.command()(add)
app.command()(fetch)
app.command()(remove)

_HEADERS = ("data", "domain", "on this machine", "licence", "what", "MB")
_SHOWN_AS_DOUBTFUL = ("licence", "size_mb")
_PHANTOM = "-phantom"


@app.command(name="list")
def list_data(registry: options.RegistryFile = None, form: options.OutputFormat = Format.TABLE) -> None:
    """List the data sets that have a name; any folder of images is one too."""
    from vaescreen.datasets.naming import state_of
    from vaescreen.images.generated import COUNTS, PHANTOMS
    from vaescreen.registry.catalogue import Registry

    known = Registry.load(registry).data
    short = _short_names(known)
    records: list[dict[str, Any]] = [
        {
            "data": entry.name,
            "kind": "real",
            "domain": entry.domain,
            "state": state_of(entry),
            "size_mb": entry.size_mb,
            "licence": entry.licence,
            "terms": entry.terms,
            "title": entry.title,
            "stands_for": entry.stands_for,
            "unverified": list(entry.unverified),
        }
        for entry in known.values()
    ] + [
        {
            "data": name,
            "kind": "phantom",
            "domain": name.removesuffix(_PHANTOM),
            "state": "here",
            "size_mb": None,
            "licence": None,
            "terms": None,
            "title": f"generated, not patients: {COUNTS['train']} train, {COUNTS['val']} val, {COUNTS['test']} test",
            "stands_for": name.removesuffix(_PHANTOM),
            "unverified": [],
        }
        for name in PHANTOMS
    ]
    for record in records:
        record["meant_by"] = [name for name, meaning in short.items() if meaning == record["data"]]
    cells = [_cells(record) for record in records]
    show(Sheet(_HEADERS, cells, records, records, notes=_notes(short), text_columns=5), form)


@app.command(name="show")
def show_data(
    data: options.DataArgument,
    size: Annotated[
        str | None,
        typer.Option(
            metavar="N|native",
            help="Side of the images in pixels, or native: each image as it is.",
            show_default="what the entry says, else 256",
        ),
    ] = None,
    patients: options.Patients = None,
    name: options.Name = None,
    private: options.Private = False,
    window: options.Window = None,
    keep_labels: options.KeepLabels = False,
    train_images: options.TrainImages = None,
    test_images: options.TestImages = None,
    seed: options.Seed = 0,
    files: Annotated[
        bool, typer.Option("--files", help="Name every file that was left out or passed over, and say why.")
    ] = False,
    registry: options.RegistryFile = None,
    form: options.OutputFormat = Format.TABLE,
) -> None:
    """Read all images of a data set and print how they are split and made, and which cannot be used.

    Of a named data set that is not on this machine, print what is known of it and how to get it.
    """
    from vaescreen.datasets import declared
    from vaescreen.datasets.naming import state_of
    from vaescreen.images import Declaration, open_data
    from vaescreen.registry.catalogue import Registry

    known = Registry.load(registry)
    if data in known.data and state_of(known.data[data]) != "here":
        show(absent_sheet(known.data[data], str(known.data_origins[data].absolute())), form)
        return
    spec = declared(data, registry)
    entry = known.data[spec.name] if isinstance(spec, Declaration) else None
    with progress() as tell:
        images = open_data(
            spec,
            size=options.side(size) if size else (entry and entry.size) or 256,
            patient_pattern=patients,
            seed=seed,
            private=private,
            window=window,
            keep_labels=keep_labels,
            train_images=train_images,
            test_images=test_images,
            name=name,
            on_progress=tell.images,
        )
    description = {
        key: value
        for key, value in images.description.items()
        if key not in {"counts", "warnings", "data_set"}
    }
    records = [{"split": split, **counts} for split, counts in images.description["counts"].items()]
    skipped = [{"path": entry.path, "reason": entry.reason} for entry in images.skipped]
    unscored = [*images.left_out, *images.passed_over] if files else [*images.left_out]
    payload = {
        "name": images.name,
        "kind": images.kind,
        "fingerprint": images.fingerprint,
        "description": images.description,
        "skipped": skipped,
        "left_out": [
            {"path": each.path, "reason": each.reason, "kind": each.kind} for each in images.left_out
        ],
        "passed_over": [{"path": each.path, "reason": each.reason} for each in images.passed_over]
        if files
        else images.description.get("passed_over", {}),
    }
    sheet = Sheet(
        headers=list(records[0]),
        cells=[[str(value) for value in record.values()] for record in records],
        records=records,
        payload=payload,
        title=f"{images.name} ({'generated, not patients' if images.kind == 'phantom' else 'real images'})",
        notes=[
            *(f"{key}: {value}" for key, value in (facts_of(entry) if entry and not private else {}).items()),
            *(f"{key.replace('_', ' ')}: {value}" for key, value in description.items()),
            f"fingerprint: {images.fingerprint}",
            *(skipped_notes(images.skipped, most=len(skipped)) if skipped else ["0 files skipped"]),
            *(f"not used: {each.path}: {each.reason}" for each in unscored),
            *warning_notes(images.warnings),
        ],
    )
    show(sheet, form)


def _cells(record: dict[str, Any]) -> list[str]:
    texts = {
        "size_mb": f"{record['size_mb']:.0f}" if record["size_mb"] else "-",
        "licence": record["licence"] or "-",
    }
    for field in _SHOWN_AS_DOUBTFUL:
        if field in record["unverified"] and texts[field] != "-":
            texts[field] += " ?"
    state = "yes" if record["state"] == "here" else record["state"]
    what = record["title"] + (f" ({record['terms']})" if record["terms"] else "")
    return [record["data"], record["domain"], state, texts["licence"], what, texts["size_mb"]]


def _short_names(known: "dict[str, DataEntry]") -> dict[str, str | None]:
    """What each short name means now; None for one that means nothing yet."""
    from vaescreen.datasets.naming import standing_for
    from vaescreen.images.generated import PHANTOMS

    short = dict.fromkeys(
        [phantom.removesuffix(_PHANTOM) for phantom in PHANTOMS]
        + [entry.stands_for for entry in known.values() if entry.stands_for]
    )
    meanings: dict[str, str | None] = {}
    for name in short:
        standing = known.get(name) or standing_for(name, known)
        phantom = f"{name}{_PHANTOM}"
        meanings[name] = standing.name if standing else phantom if phantom in PHANTOMS else None
    return meanings


def _notes(short: dict[str, str | None]) -> list[str]:
    meanings = ", ".join(f"{name} = {meaning}" for name, meaning in short.items() if meaning)
    return [
        f"Short names mean real images once they are here, phantoms until then. Now: {meanings}.",
        "`vaescreen data fetch NAME` brings a data set, `vaescreen data add NAME FOLDER` names a folder of yours.",
        "? could not be confirmed at its source; `vaescreen data show NAME` says more.",
    ]
