"""`vaescreen data add`, `fetch` and `remove`: data sets come to have a name, and to be on this machine."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typing_extensions import TypedDict

from vaescreen.cli import options
from vaescreen.cli.grouping import prints
from vaescreen.cli.options import Format
from vaescreen.cli.printing import tell
from vaescreen.cli.progress import bytes_bar

if TYPE_CHECKING:
    from vaescreen.images.fetching.fetch import Plan

_STATED, _READING = "What is known of it", "How its files are read"

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="A name that `vaescreen data list` shows.")]


class Added(TypedDict):
    """A data set that was entered: its file, whose its images are, how they are split, and what nobody stated."""

    data: str
    file: str
    patients: str
    splits: str
    skipped: int
    unverified: list[str]


class Fetched(TypedDict):
    """Where a data set lies."""

    data: str
    folder: str


class Removed(TypedDict):
    """Whether files that were fetched are gone, the file that an entry was taken out of, and whose counts now."""

    data: str
    deleted: bool
    file: str | None
    counts_again: str | None


@prints(list[Added])
def add(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="What to call it; a published data set's name takes over what is known."
        ),
    ],
    folder: Annotated[Path, typer.Argument(metavar="PATH", help="Folder of its images.")],
    title: Annotated[
        str | None, typer.Option(help="What it is, in a few words.", rich_help_panel=_STATED)
    ] = None,
    subject: Annotated[
        str | None,
        typer.Option(
            help="What its images are of: chest, brain, knee, natural or other.", rich_help_panel=_STATED
        ),
    ] = None,
    licence: Annotated[
        str | None, typer.Option("--licence", "--license", help=options.LICENCE_HELP, rich_help_panel=_STATED)
    ] = None,
    terms: Annotated[
        str | None, typer.Option(help="What its users must keep to.", rich_help_panel=_STATED)
    ] = None,
    citation: Annotated[str | None, typer.Option(help=options.CITATION_HELP, rich_help_panel=_STATED)] = None,
    stands_for: Annotated[
        str | None,
        typer.Option(
            metavar="SHORT",
            help="Short name, such as chest, that is to mean these images.",
            rich_help_panel=_STATED,
        ),
    ] = None,
    layout: Annotated[
        str | None,
        typer.Option(
            help="folder, or a published layout: mrnet, brats, mimic-cxr.",
            show_default="folder",
            rich_help_panel=_READING,
        ),
    ] = None,
    series: Annotated[
        str | None,
        typer.Option(help="Of a layout, such as sagittal or t2f.", rich_help_panel=_READING),
    ] = None,
    patients: Annotated[
        str | None,
        typer.Option(
            metavar="REGEX",
            help=options.PATIENTS_HELP,
            rich_help_panel=_READING,
        ),
    ] = None,
    axis: Annotated[
        str | None,
        typer.Option(
            help="Direction across the slices of volumes: axial, coronal, sagittal or auto.",
            rich_help_panel=_READING,
        ),
    ] = None,
    slices: Annotated[
        str | None,
        typer.Option(
            metavar="FROM,TO",
            help="Part of a volume's slices, as fractions: 0.25,0.75.",
            rich_help_panel=_READING,
        ),
    ] = None,
    slices_per_volume: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Take N slices of each volume, evenly.", rich_help_panel=_READING
        ),
    ] = None,
    window: Annotated[
        str | None,
        typer.Option(
            metavar="LOW,HIGH|auto",
            help=options.WINDOW_HELP,
            show_default="what the files say",
            rich_help_panel=_READING,
        ),
    ] = None,
    registry: options.RegistryFile = None,
    form: options.OutputFormat = Format.TABLE,
) -> None:
    """Give a folder of images a name: look at it, and write an entry into a registry file.

    Nothing is copied. A folder that cannot be read as is said is not added: the error says why. The name of a
    published data set takes over what is known of it: layout, licence, citation.

    Examples
    --------
    vaescreen data add ward path/to/folder --title "Chest X-rays of our ward" --stands-for chest
    vaescreen data add ct path/to/volumes --axis axial --slices 0.25,0.75 --slices-per-volume 8
    """
    from vaescreen.images.adding import Statement, add_data_set
    from vaescreen.registry.catalogue import user_file
    from vaescreen.registry.yaml_editing import as_entered

    statement = Statement(
        title=title,
        domain=subject,
        licence=licence,
        terms=terms,
        citation=citation,
        stands_for=stands_for,
        layout=layout,
        series=series,
        patients=patients,
        axis=axis,
        slices=_fractions(slices),
        window=window,
        slices_per_volume=slices_per_volume,
    )
    file = (registry or user_file()).absolute()
    added = add_data_set(name, folder, file, statement)
    described = added.images.description
    record: Added = {
        "data": name,
        "file": str(file),
        "patients": described["patient_rule"],
        "splits": described["split_rule"],
        "skipped": len(added.images.skipped),
        "unverified": list(added.entry.unverified),
    }
    extra = f" --registry {registry}" if registry else ""
    lines = [f"patients: {record['patients']}; splits: {record['splits']}"]
    if record["skipped"]:
        lines.append(f"{record['skipped']} files cannot be used; `vaescreen data show {name}` names them")
    lines += as_entered(file, name, added.entry.entry(file.parent))
    if record["unverified"]:
        lines.append(f"Not stated, so marked as unverified: {', '.join(record['unverified'])}.")
    lines.append(f"Rank on it: vaescreen rank --data {added.entry.stands_for or name}{extra}")
    tell(lines, [record], form, warnings=added.images.warnings)


@prints(list[Fetched])
def fetch(
    name: NameArgument,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    registry: options.RegistryFile = None,
    form: options.OutputFormat = Format.TABLE,
) -> None:
    """Download a data set, after showing its size and licence, verify it, and print where it is.

    A download that breaks off goes on where it stopped when the command is run again. From then on the data set's
    short name, such as chest, means its images.

    Examples
    --------
    vaescreen data fetch kodak
    vaescreen data fetch chestmnist-224 --yes
    """
    from vaescreen.images.fetching import store
    from vaescreen.images.fetching.fetch import fetch as bring
    from vaescreen.images.fetching.fetch import plan
    from vaescreen.registry.catalogue import Registry

    entry = Registry.load(registry).data_set(name)
    if store.is_complete(entry):
        _tell_place(name, store.home(name), form)
        return
    planned = plan(entry)
    _tell(planned)
    if not yes:
        if not sys.stdin.isatty():
            raise typer.BadParameter("nobody is here to be asked; give --yes to agree", param_hint="--yes")
        typer.confirm("Download it?", abort=True, err=True)
    with bytes_bar(name) as on_file:
        place = bring(planned, on_file)
    _tell_place(name, place, form)


def _tell_place(name: str, folder: Path, form: Format) -> None:
    record: Fetched = {"data": name, "folder": str(folder)}
    tell([f"{name}: {folder}"], [record], form)


@prints(list[Removed])
def remove(
    name: NameArgument,
    registry: options.RegistryFile = None,
    form: options.OutputFormat = Format.TABLE,
) -> None:
    """Delete what was fetched of a data set; where nothing was, take your own entry out.

    Images in folders of yours are never touched.

    Examples
    --------
    vaescreen data remove ward
    vaescreen data remove ward --registry registry.yaml
    """
    from vaescreen.images.fetching import store
    from vaescreen.registry.catalogue import Registry, shipped_file
    from vaescreen.registry.editing import remove_named

    known = Registry.load(registry)
    known.data_set(name)
    is_own = known.data_origins[name] != shipped_file()
    record: Removed = {"data": name, "deleted": store.discard(name), "file": None, "counts_again": None}
    if record["deleted"]:
        more = "; run the command again to take the entry out as well" if is_own else ""
        lines = [f"{name}: what was fetched is deleted{more}"]
    elif not is_own:
        lines = [f"{name}: nothing of it was fetched"]
    else:
        record["file"] = str(remove_named(name, registry, "data"))
        lines = [f"{name}: removed from {record['file']}; the images stay where they are"]
        known = Registry.load(registry)
        if name in known.data:
            record["counts_again"] = str(known.data_origins[name])
            lines.append(f"{name}: the entry in {record['counts_again']} counts again")
    tell(lines, [record], form)


def _tell(planned: "Plan") -> None:
    """Say on stderr what is about to be downloaded, and under which conditions."""
    entry = planned.entry
    size = f"{planned.size / 1e6:.1f} MB" if planned.size is not None else "not known"
    doubt = " (not confirmed)" if "licence" in entry.unverified else ""
    lines = {
        "": f"{entry.name}: {entry.title}",
        "size": f"{size}, {planned.files} file{'' if planned.files == 1 else 's'}",
        "licence": f"{entry.licence}{doubt}",
        "terms": entry.terms,
        "cite": entry.citation,
        "to": f"{planned.target} ({planned.free / 1e6:.0f} MB free)",
    }
    for key, value in lines.items():
        if value:
            print(f"{key}: {value}" if key else value, file=sys.stderr)


def _fractions(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter("give two fractions, such as 0.25,0.75", param_hint="--slices") from None
    return low, high
