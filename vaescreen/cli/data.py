"""`vaescreen data`: what images there are, and what is seen of a data set."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typing_extensions import TypedDict

from vaescreen.cli import options
from vaescreen.cli.data_facts import Seen, absent_sheet, facts_of, in_words
from vaescreen.cli.data_sets import add, fetch, remove
from vaescreen.cli.grouping import Commands, prints
from vaescreen.cli.options import Format
from vaescreen.cli.preview import preview
from vaescreen.cli.printing import Sheet, show, skipped_notes, warning_notes
from vaescreen.cli.progress import progress

if TYPE_CHECKING:
    from vaescreen.registry.data_entry import DataEntry

app = Commands(
    no_args_is_help=True,
    help="Data sets: list, show, preview, add your own, fetch published ones, remove.",
)
app.command()(preview)
app.command()(add)
app.command()(fetch)
app.command()(remove)

_HEADERS = ("data", "domain", "on this machine", "licence", "what", "MB")
_SHOWN_AS_DOUBTFUL = ("licence", "size_mb")
_PHANTOM = "-phantom"


class Listed(TypedDict):
    """A data set that has a name, and the short names that mean it now."""

    data: str
    kind: str
    domain: str
    state: str
    size_mb: float | None
    licence: str | None
    terms: str | None
    title: str
    stands_for: str | None
    unverified: list[str]
    meant_by: list[str]


@app.command(name="list")
@prints(list[Listed])
def list_data(registry: options.RegistryFile = None, form: options.OutputFormat = Format.TABLE) -> None:
    """List the data sets that have a name; any folder of images is one too.

    Real images that are here, real images that can be fetched or need a registration at their source, and phantoms,
    which are generated and always here. A short name such as chest means real images once there are any.

    Examples
    --------
    vaescreen data list
    vaescreen data list --format json
    """
    from vaescreen.images.generated import COUNTS, PHANTOMS
    from vaescreen.images.naming import state_of
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
@prints(Seen, "vaescreen.registry.data_entry:Absent")
def show_data(
    *,
    images: options.ShownImageOptions,
    size: Annotated[
        str | None,
        typer.Option(
            metavar="N|native",
            help=options.SIZE_HELP,
            show_default="what the entry says, else 256",
        ),
    ] = None,
    files: Annotated[
        bool, typer.Option("--files", help="Name every file that was left out or passed over, and say why.")
    ] = False,
    registry: options.RegistryFile = None,
    form: options.OutputFormat = Format.TABLE,
) -> None:
    """Read all images of a data set and print how they are split and made, and which cannot be used.

    This is what every other command would see: run it first on images of your own. It says whose the images are, which
    of them train, choose and test, what their gray values mean, and for every file that was left out why.

    Of a named data set that is not on this machine, print what is known of it and how to get it.

    Examples
    --------
    vaescreen data show chest
    vaescreen data show path/to/folder --files
    vaescreen data show path/to/folder --patients "^(.{8})" --window auto --format json
    """
    from vaescreen.images import DataOptions, Declaration, declared
    from vaescreen.images.naming import state_of
    from vaescreen.registry.catalogue import Registry

    wanted = DataOptions(**images)
    data = str(wanted.data)
    known = Registry.load(registry)
    if data in known.data and state_of(known.data[data]) != "here":
        show(absent_sheet(known.data[data], str(known.data_origins[data].absolute())), form)
        return
    spec = declared(data, registry)
    entry = known.data[spec.name] if isinstance(spec, Declaration) else None
    with progress() as tell:
        opened = replace(wanted, data=spec).open(
            options.side(size) if size else (entry and entry.size) or 256, registry, tell.images
        )
    description = {
        key: value
        for key, value in opened.description.items()
        if key not in {"counts", "warnings", "data_set"}
    }
    records = [{"split": split, **counts} for split, counts in opened.description["counts"].items()]
    skipped = [{"path": entry.path, "reason": entry.reason} for entry in opened.skipped]
    unscored = [*opened.left_out, *opened.passed_over] if files else [*opened.left_out]
    payload = {
        "name": opened.name,
        "kind": opened.kind,
        "fingerprint": opened.fingerprint,
        "description": opened.description,
        "skipped": skipped,
        "left_out": [
            {"path": each.path, "reason": each.reason, "kind": each.kind} for each in opened.left_out
        ],
        "passed_over": [{"path": each.path, "reason": each.reason} for each in opened.passed_over]
        if files
        else opened.description.get("passed_over", {}),
        "warnings": list(opened.warnings),
    }
    sheet = Sheet(
        headers=list(records[0]),
        cells=[[str(value) for value in record.values()] for record in records],
        records=records,
        payload=payload,
        title=f"{opened.name} ({'generated, not patients' if opened.kind == 'phantom' else 'real images'})",
        notes=[
            *(
                f"{key}: {value}"
                for key, value in (facts_of(entry) if entry and not wanted.private else {}).items()
            ),
            *(
                f"{key.replace('_', ' ')}: {told}"
                for key, value in description.items()
                if (told := in_words(value))
            ),
            f"fingerprint: {opened.fingerprint}",
            *(skipped_notes(opened.skipped, most=len(skipped)) if skipped else ["0 files skipped"]),
            *(f"not used: {each.path}: {each.reason}" for each in unscored),
            *warning_notes(opened.warnings),
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
    from vaescreen.images.generated import PHANTOMS
    from vaescreen.images.naming import standing_for

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
