"""`vaescreen submit`: a row for the leaderboard as a folder to send in."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typing_extensions import TypedDict

from vaescreen.cli import options
from vaescreen.cli.grouping import prints
from vaescreen.cli.options import Format
from vaescreen.cli.printing import tell
from vaescreen.cli.progress import progress

if TYPE_CHECKING:
    from vaescreen.screening.cards import ScoreCard


class Sent(TypedDict):
    """A file of the folder to send in."""

    candidate: str
    folder: str
    file: str


@prints(list[Sent])
def submit(
    *,
    candidate: options.Candidate,
    images: options.ManyImageOptions,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help=options.OUT_HELP, show_default="submission-CANDIDATE"),
    ] = None,
    recipe: options.Recipe = "compact",
    registry: options.RegistryFile = None,
    results: options.Results = None,
    machine: options.MachineOptions,
    form: options.OutputFormat = Format.TABLE,
) -> None:
    """Score a candidate on data sets and write what the leaderboard takes.

    That is a folder with its entry, its cards and the text of a pull request.

    Refused are weights on this machine only, a branch in place of a commit, and a licence that nobody confirmed.

    Examples
    --------
    vaescreen submit NAME --data path/to/chest --data path/to/brain
    vaescreen submit NAME --data path/to/folder --out to-send --registry registry.yaml
    """
    from vaescreen.images import DataOptions
    from vaescreen.ranking.scoring import Workplace, score
    from vaescreen.ranking.submission import check_public, write_submission
    from vaescreen.registry.catalogue import Registry

    known = Registry.load(registry)
    entry = known.candidate(candidate)
    check_public(entry)
    wanted = images.pop("data")
    folder = options.results_folder(results)
    cards: list[ScoreCard] = []
    with progress() as told:
        for data in wanted:
            scored = score(
                [candidate],
                DataOptions(data, **images),
                recipe=recipe,
                at=Workplace(registry, folder, options.machine(**machine), told, told.images),
            )
            cards += scored.cards
    made = write_submission(entry, tuple(cards), folder, out or Path(f"submission-{candidate}"))
    files = [str(path.relative_to(made.folder)) for path in sorted(made.folder.rglob("*")) if path.is_file()]
    lines = [made.text, f"{made.folder}: {', '.join(files)}", "CONTRIBUTING.md says where it goes."]
    tell(lines, [{"candidate": candidate, "folder": str(made.folder), "file": file} for file in files], form)
