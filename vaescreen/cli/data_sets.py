"""`vaescreen data add`, `fetch` and `remove`: data sets come to have a name, and to be on this machine."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vaescreen.cli import options
from vaescreen.cli.application import complain
from vaescreen.cli.progress import bytes_bar

if TYPE_CHECKING:
    from vaescreen.images.fetching.fetch import Plan

_STATED, _READING = "What is known of it", "How its files are read"

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="A name that `vaescreen data list` shows.")]


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
    domain: Annotated[
        str | None, typer.Option(help="chest, brain, knee, natural or other.", rich_help_panel=_STATED)
    ] = None,
    licence: Annotated[
        str | None, typer.Option("--licence", "--license", help="Its licence.", rich_help_panel=_STATED)
    ] = None,
    terms: Annotated[
        str | None, typer.Option(help="What its users must keep to.", rich_help_panel=_STATED)
    ] = None,
    citation: Annotated[str | None, typer.Option(help="Whom to cite.", rich_help_panel=_STATED)] = None,
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
            help="Pattern whose first group in a file's name (or path, if it has a slash) is the patient.",
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
            metavar="WINDOW",
            help="LOW,HIGH, auto, file, full, 'level CENTRE,WIDTH' or 'percentile LOW,HIGH'.",
            rich_help_panel=_READING,
        ),
    ] = None,
    registry: Annotated[
        Path | None,
        typer.Option(
            "--registry",
            metavar="FILE",
            help="Registry file that the entry goes into, such as ./registry.yaml.",
            show_default="your own, in the configuration folder",
        ),
    ] = None,
) -> None:
    """Give a folder of images a name: look at it, and write an entry into a registry file.

    Nothing is copied. A folder that cannot be read as is said is not added: the error says why.
    """
    from vaescreen.images.adding import Statement, add_data_set
    from vaescreen.registry.catalogue import user_file
    from vaescreen.registry.yaml_editing import block

    statement = Statement(
        title=title,
        domain=domain,
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
    print(f"patients: {described['patient_rule']}; splits: {described['split_rule']}")
    if added.images.skipped:
        print(f"{len(added.images.skipped)} files cannot be used; `vaescreen data show {name}` names them")
    for warning in added.images.warnings:
        complain(f"warning: {warning}")
    print(f"\n{file}:\n\n{block(name, added.entry.entry(file.parent))}")
    if added.entry.unverified:
        print(f"Not stated, so marked as unverified: {', '.join(added.entry.unverified)}.")
    extra = f" --registry {registry}" if registry else ""
    print(f"Rank on it: vaescreen rank --data {added.entry.stands_for or name}{extra}")


def fetch(
    name: NameArgument,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    registry: options.RegistryFile = None,
) -> None:
    """Download a data set, after showing its size and licence, verify it, and print where it is.

    A download that breaks off goes on where it stopped when the command is run again.
    """
    from vaescreen.images.fetching import store
    from vaescreen.images.fetching.fetch import fetch as bring
    from vaescreen.images.fetching.fetch import plan
    from vaescreen.registry.catalogue import Registry

    entry = Registry.load(registry).data_set(name)
    if store.is_complete(entry):
        print(f"{name}: {store.home(name)}")
        return
    planned = plan(entry)
    _tell(planned)
    if not yes:
        if not sys.stdin.isatty():
            raise typer.BadParameter("nobody is here to be asked; give --yes to agree", param_hint="--yes")
        typer.confirm("Download it?", abort=True, err=True)
    with bytes_bar(name) as on_file:
        place = bring(planned, on_file)
    print(f"{name}: {place}")


def remove(
    name: NameArgument,
    registry: Annotated[
        Path | None,
        typer.Option(
            "--registry",
            metavar="FILE",
            help="Registry file to edit.",
            show_default="the one that the entry stands in",
        ),
    ] = None,
) -> None:
    """Delete what was fetched of a data set; where nothing was, take your own entry out.

    Images in folders of yours are never touched.
    """
    from vaescreen.images.fetching import store
    from vaescreen.registry.catalogue import Registry, shipped_file
    from vaescreen.registry.editing import remove_named

    known = Registry.load(registry)
    known.data_set(name)
    is_own = known.data_origins[name] != shipped_file()
    if store.discard(name):
        more = "; run the command again to take the entry out as well" if is_own else ""
        print(f"{name}: what was fetched is deleted{more}")
        return
    if not is_own:
        print(f"{name}: nothing of it was fetched")
        return
    print(f"{name}: removed from {remove_named(name, registry, 'data')}; the images stay where they are")
    known = Registry.load(registry)
    if name in known.data:
        print(f"{name}: the entry in {known.data_origins[name]} counts again")


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
