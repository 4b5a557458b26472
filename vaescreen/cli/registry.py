"""`vaescreen registry`: which candidates there are, whether a registry file is valid, downloads."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vaescreen.cli import options
from vaescreen.cli.options import Format
from vaescreen.cli.printing import Sheet, print_json, show

if TYPE_CHECKING:
    from vaescreen.candidate import Candidate

app = typer.Typer(no_args_is_help=True, help="Candidates: list, show, check, download.")

_HEADERS = ("candidate", "geometry", "domain", "licence", "MB", "on this machine")


@app.command(name="list")
def list_candidates(registry: options.RegistryFile = None, form: options.OutputFormat = Format.TABLE) -> None:
    """List all candidates."""
    from vaescreen.autoencoders.weights import available
    from vaescreen.registry import Registry

    candidates = list(Registry.load(registry).candidates.values())
    records = [
        {
            "candidate": candidate.name,
            "channels": candidate.geometry.channels,
            "factor": candidate.geometry.factor,
            "domain": candidate.domain,
            "licence": candidate.licence,
            "size_mb": candidate.size_mb,
            "available": available(candidate),
        }
        for candidate in candidates
    ]
    cells = [
        [
            candidate.name,
            str(candidate.geometry),
            candidate.domain,
            candidate.licence,
            f"{candidate.size_mb:.0f}" if candidate.size_mb else "-",
            "yes" if record["available"] else "no",
        ]
        for candidate, record in zip(candidates, records, strict=True)
    ]
    notes = ["`vaescreen registry pull NAME` downloads a candidate that is not on this machine."]
    show(Sheet(_HEADERS, cells, records, records, notes=notes, text_columns=4), form)


@app.command(name="show")
def show_candidate(
    name: Annotated[str, typer.Argument(metavar="CANDIDATE", help="Name in the registry.")],
    registry: options.RegistryFile = None,
) -> None:
    """Print one entry, and whether the candidate is on this machine."""
    from vaescreen.autoencoders.weights import available
    from vaescreen.registry import Registry

    candidate = Registry.load(registry).candidate(name)
    print_json(_entry(candidate) | {"available": available(candidate)})


@app.command()
def check(
    file: Annotated[
        Path | None, typer.Argument(help="Registry file.", show_default="the package's own")
    ] = None,
) -> None:
    """Validate a registry file; a mistake is named with its line."""
    from vaescreen.registry import Registry

    registry = Registry.load(file)
    print(f"{registry.path}: {len(registry.candidates)} candidates, all valid")


@app.command()
def pull(names: options.Candidates, registry: options.RegistryFile = None) -> None:
    """Download candidates from the hub."""
    from vaescreen.autoencoders.weights import pull as fetch
    from vaescreen.candidate import LinearSource
    from vaescreen.registry import Registry

    known = Registry.load(registry)
    for candidate in [known.candidate(name) for name in names]:
        if isinstance(candidate.source, LinearSource):
            print(f"{candidate.name}: nothing to download")
        else:
            print(f"{candidate.name}: {fetch(candidate).weights}")


def _entry(candidate: "Candidate") -> dict[str, object]:
    return candidate.model_dump(mode="json") | {"geometry": candidate.geometry._asdict()}
