"""`vaescreen registry`: which candidates there are, whether they are fit for use, downloads, one's own entries."""

import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typing_extensions import TypedDict

from vaescreen.cli import options
from vaescreen.cli.application import complain
from vaescreen.cli.grouping import Commands, prints
from vaescreen.cli.options import Format
from vaescreen.cli.printing import Sheet, show, tell
from vaescreen.cli.registry_doctor import add, check

if TYPE_CHECKING:
    from vaescreen.registry.candidate import Candidate

app = Commands(no_args_is_help=True, help="Candidates: list, show, add your own, check, download, remove.")
app.command()(add)
app.command()(check)

_HEADERS = ("candidate", "geometry", "domain", "licence", "MB", "here")
_GROUPS = ("bundled", "linear")
"""Adapters whose candidates stand first, for they are always here; the others follow in the order of the files."""
_SHOWN_AS_DOUBTFUL = ("geometry", "domain", "licence", "size_mb")
_FILTERS = "Filters"


class Domain(StrEnum):
    """What an autoencoder was trained on."""

    NATURAL = "natural"
    MEDICAL = "medical"
    GENERIC = "generic"
    NONE = "none"


class Listed(TypedDict):
    """A candidate, as `registry list` shows it."""

    candidate: str
    channels: int
    factor: int
    domain: str
    licence: str
    gated: bool
    size_mb: float | None
    available: bool
    unverified: list[str]


@app.command(name="list")
@prints(list[Listed])
def list_candidates(
    domain: Annotated[Domain | None, typer.Option(help=options.DOMAIN_HELP, rich_help_panel=_FILTERS)] = None,
    factor: Annotated[
        int | None, typer.Option(min=1, metavar="F", help="Spatial factor.", rich_help_panel=_FILTERS)
    ] = None,
    channels: Annotated[
        int | None, typer.Option(min=1, metavar="C", help="Latent channels.", rich_help_panel=_FILTERS)
    ] = None,
    geometry: Annotated[
        str | None,
        typer.Option(
            metavar="fFcC", help="Such as f8c4, f8 or c4: all of one geometry.", rich_help_panel=_FILTERS
        ),
    ] = None,
    licence: Annotated[
        str | None,
        typer.Option(
            "--licence",
            "--license",
            metavar="NAME|permissive",
            help=options.LICENCE_HELP,
            rich_help_panel=_FILTERS,
        ),
    ] = None,
    max_mb: Annotated[
        float | None,
        typer.Option(
            min=0, metavar="MB", help="Weights of a known size, at most this.", rich_help_panel=_FILTERS
        ),
    ] = None,
    here: Annotated[
        bool | None,
        typer.Option(
            "--available/--missing",
            help="On this machine, or not.",
            show_default="both",
            rich_help_panel=_FILTERS,
        ),
    ] = None,
    registry: options.RegistryFile = None,
    form: options.OutputFormat = Format.TABLE,
) -> None:
    """List candidates: geometry, what each was trained on, licence, size, and whether it is on this machine.

    Candidates of all registry files that are found are listed, the bundled ones first. Filters are combined.

    Examples
    --------
    vaescreen registry list
    vaescreen registry list --geometry f8c4 --licence permissive
    vaescreen registry list --missing --max-mb 400 --format csv
    """
    from vaescreen.autoencoders.weights import available
    from vaescreen.registry.catalogue import Registry
    from vaescreen.registry.licences import has_licence

    form_of = _geometry(geometry)

    def wanted(candidate: "Candidate") -> bool:
        return (
            domain in (None, candidate.domain)
            and factor in (None, candidate.geometry.factor)
            and channels in (None, candidate.geometry.channels)
            and form_of[0] in (None, candidate.geometry.factor)
            and form_of[1] in (None, candidate.geometry.channels)
            and (licence is None or has_licence(candidate, licence))
            and (max_mb is None or (candidate.size_mb or float("inf")) <= max_mb)
        )

    found = [
        (candidate, available(candidate))
        for candidate in Registry.load(registry).candidates.values()
        if wanted(candidate)
    ]
    found = [(candidate, is_here) for candidate, is_here in found if here in (None, is_here)]
    found.sort(key=lambda each: _group(each[0]))
    records: list[Listed] = [
        {
            "candidate": candidate.name,
            "channels": candidate.geometry.channels,
            "factor": candidate.geometry.factor,
            "domain": candidate.domain,
            "licence": candidate.licence,
            "gated": candidate.gated,
            "size_mb": candidate.size_mb,
            "available": is_here,
            "unverified": list(candidate.unverified),
        }
        for candidate, is_here in found
    ]
    cells = [_cells(candidate, is_here) for candidate, is_here in found]
    if form is Format.TABLE:
        cells = [row for group in _parted(found, cells) for row in group]
    notes = ["`vaescreen registry pull NAME` downloads a candidate that is not on this machine."]
    if any("?" in cell for row in cells for cell in row):
        notes.insert(0, "? could not be confirmed at its source; `vaescreen registry show NAME` says more.")
    show(Sheet(_HEADERS, cells, records, records, notes=notes, text_columns=4), form)


@app.command(name="show")
@prints("vaescreen.registry.candidate:Shown")
def show_candidate(
    name: options.Candidate,
    registry: options.RegistryFile = None,
    form: options.OutputFormat = Format.TABLE,
) -> None:
    """Print one entry, the file it stands in, and whether the candidate is on this machine.

    Fields under `unverified` could not be confirmed at their source.

    Examples
    --------
    vaescreen registry show medical-f4c3
    vaescreen registry show taesd --format json
    """
    from vaescreen.autoencoders.weights import available
    from vaescreen.cli.data_facts import in_words
    from vaescreen.registry.catalogue import Registry

    known = Registry.load(registry)
    candidate = known.candidate(name)
    entry = candidate.model_dump(mode="json") | {"geometry": candidate.geometry._asdict()}
    entry |= {"available": available(candidate), "file": str(known.origins[name].absolute())}
    texts = {key.replace("_", " "): text for key, value in entry.items() if (text := in_words(value))}
    texts["geometry"] = str(candidate.geometry)
    show(Sheet(("field", "value"), list(map(list, texts.items())), [texts], entry, text_columns=2), form)


class Pulled(TypedDict):
    """Where the weights of a candidate are; neither place nor error means that there is nothing to download."""

    candidate: str
    weights: str | None
    error: str | None


@app.command()
@prints(list[Pulled])
def pull(
    names: options.Candidates,
    registry: options.RegistryFile = None,
    form: options.OutputFormat = Format.TABLE,
) -> None:
    """Download candidates from the hub, verify them, and print where they are.

    A download that breaks off goes on where it stopped. One that fails does not stop the others; the exit code
    is 1 then. Whoever is behind a gate on the hub must be let in there first; the error says where.

    Examples
    --------
    vaescreen registry pull taesd
    vaescreen registry pull taesd sd-vae-ft-mse --format json
    """
    from vaescreen.autoencoders.weights import pull as fetch
    from vaescreen.errors import CandidateError
    from vaescreen.registry.catalogue import Registry
    from vaescreen.registry.sources import LinearSource

    known = Registry.load(registry)
    records: list[Pulled] = []
    for candidate in [known.candidate(name) for name in names]:
        record: Pulled = {"candidate": candidate.name, "weights": None, "error": None}
        if not isinstance(candidate.source, LinearSource):
            try:
                record["weights"] = str(fetch(candidate).weights)
            except CandidateError as error:
                record["error"] = str(error)
                complain(f"error: {error}")
        records.append(record)
    lines = [
        f"{each['candidate']}: {each['weights'] or 'nothing to download'}"
        for each in records
        if not each["error"]
    ]
    if lines or form is not Format.TABLE:
        tell(lines, records, form)
    if any(record["error"] for record in records):
        raise typer.Exit(1)


class Trusted(TypedDict):
    """An entry that may do from now on what it asks for."""

    entry: str
    may: str


@app.command()
@prints(list[Trusted])
def trust(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A registry file that you did not write.")],
    form: options.OutputFormat = Format.TABLE,
) -> None:
    """Say that the entries of a registry file may run their code and read outside its folder, as they are now.

    It names them. What was agreed to holds until the entry or its code changes; `--trust FILE` of any command that
    reads a registry agrees for one run.

    Examples
    --------
    vaescreen registry trust registry.yaml
    vaescreen registry trust path/to/registry.yaml --format json
    """
    from vaescreen.registry.candidate import Candidate
    from vaescreen.registry.catalogue import Registry
    from vaescreen.registry.data_entry import DataEntry
    from vaescreen.registry.trust import trust as trust_entry

    known = Registry.read(file)
    entries: list[Candidate | DataEntry] = [*known.candidates.values(), *known.data.values()]
    asked = {each.name: trust_entry(file, each) for each in entries}
    records: list[Trusted] = [
        {"entry": name, "may": what} for name, what in asked.items() if what is not None
    ]
    lines = [f"{each['entry']} may {each['may']}" for each in records]
    tell(lines or [f"{file}: no entry runs code or reads outside its folder"], records, form)


class Removed(TypedDict):
    """The file that an entry was taken out of, and the one whose entry of that name counts now."""

    candidate: str
    file: str
    counts_again: str | None


@app.command()
@prints(list[Removed])
def remove(
    name: options.Candidate,
    registry: options.RegistryFile = None,
    form: options.OutputFormat = Format.TABLE,
) -> None:
    """Take one of your own entries out of its registry file; downloaded weights stay where they are.

    Where another file has an entry of the same name, that one counts again. The package's own entries stay.

    Examples
    --------
    vaescreen registry remove my-vae
    vaescreen registry remove my-vae --registry registry.yaml
    """
    from vaescreen.registry.catalogue import Registry
    from vaescreen.registry.editing import remove_named

    file = remove_named(name, registry)
    known = Registry.load(registry)
    again = str(known.origins[name]) if name in known.candidates else None
    record: Removed = {"candidate": name, "file": str(file), "counts_again": again}
    lines = [
        f"{name}: removed from {file}",
        *([f"{name}: the entry in {again} counts again"] if again else []),
    ]
    tell(lines, [record], form)


def _geometry(text: str | None) -> tuple[int | None, int | None]:
    """Factor and channels that a filter such as `f8c4`, `f8` or `c4` asks for."""
    if text is None:
        return None, None
    found = re.fullmatch(r"(?:f(\d+))?(?:c(\d+))?", text)
    if found is None or not text:
        raise typer.BadParameter(
            f"{text!r} is no geometry; write it such as f8c4, f8 or c4", param_hint="--geometry"
        )
    factor, channels = (int(digits) if digits else None for digits in found.groups())
    return factor, channels


def _group(candidate: "Candidate") -> int:
    return _GROUPS.index(candidate.adapter) if candidate.adapter in _GROUPS else len(_GROUPS)


def _parted(found: "list[tuple[Candidate, bool]]", cells: list[list[str]]) -> "Iterator[list[list[str]]]":
    """Rows of each group, an empty one between two."""
    previous = None
    for (candidate, _), row in zip(found, cells, strict=True):
        group = _group(candidate)
        yield [[""] * len(_HEADERS), row] if previous not in (None, group) else [row]
        previous = group


def _cells(candidate: "Candidate", is_here: bool) -> list[str]:
    texts = {
        "geometry": str(candidate.geometry),
        "domain": candidate.domain,
        "licence": candidate.licence + (", gated" if candidate.gated else ""),
        "size_mb": f"{candidate.size_mb:.{0 if candidate.size_mb >= 10 else 1}f}"
        if candidate.size_mb
        else "-",
    }
    for field in _SHOWN_AS_DOUBTFUL:
        if field in candidate.unverified and texts[field] != "-":
            texts[field] += " ?"
    return [candidate.name, *texts.values(), "yes" if is_here else "no"]
