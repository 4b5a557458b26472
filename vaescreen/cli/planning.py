"""`vaescreen reference plan`: which points are missing, and what they will cost."""

from typing import Annotated

import typer
from typing_extensions import TypedDict

from vaescreen.cli import options
from vaescreen.cli.grouping import prints
from vaescreen.cli.options import DeviceName, Format
from vaescreen.cli.printing import Sheet, cells_of, parted, show
from vaescreen.cli.progress import progress
from vaescreen.cli.suggestion_sheet import suggestion_sheet

_HEADERS = ("data", "candidate", "seed", "samples", "samples/s", "minutes", "speed from")
_TIMES = ("samples_per_second", "minutes", "speed_from")


class Planned(TypedDict):
    """A point that is missing."""

    data: str
    candidate: str
    seed: int
    samples: int


class Suggested(TypedDict):
    """A training, and the standard error in dB of predicted differences before and after it."""

    candidate: str
    data: str
    before: float
    after: float
    narrowing: float


@prints(list[Planned], list[Suggested])
def plan(
    *,
    images: options.ManyImageOptions,
    candidates: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="CANDIDATE", help="Names in the registry.", show_default="all on this machine"
        ),
    ] = None,
    recipe: options.Recipe = "compact",
    registry: options.RegistryFile = None,
    results: options.Results = None,
    device: options.Device = DeviceName.AUTO,
    seeds: options.Seeds = options.FIRST_SEED,
    suggest: Annotated[
        bool,
        typer.Option(
            "--suggest",
            help="Say instead which scored candidate's training would narrow the predicted ranking most.",
        ),
    ] = False,
    form: options.OutputFormat = Format.TABLE,
) -> None:
    """List the reference points that are missing, and estimate their training time.

    The speed is that of finished points on the same kind of device; where there are none, a few steps are timed.

    With --suggest it says instead which training would narrow most what `rank` predicts of your candidates: training
    one reference model of your own on your images tells more than any number of published ones.

    Examples
    --------
    vaescreen reference plan --data path/to/folder
    vaescreen reference plan medical-f4c3 generic-f4c3 --data path/to/folder --seed 0 --seed 1
    vaescreen reference plan --suggest --data path/to/folder
    """
    from vaescreen.autoencoders.weights import available
    from vaescreen.execution import choose_device
    from vaescreen.images import DataOptions
    from vaescreen.registry.catalogue import Registry
    from vaescreen.superres.planning import Speeds, missing_points
    from vaescreen.superres.recipes import recipe_named

    chosen = recipe_named(recipe)
    known = Registry.load(registry)
    names = candidates or [name for name, candidate in known.candidates.items() if available(candidate)]
    wanted = [known.candidate(name) for name in names]
    folder = options.results_folder(results)
    with progress() as tell:
        opened = [
            DataOptions(**{**images, "data": spec}).open(chosen.size, registry, tell.images)
            for spec in images["data"]
        ]
    if suggest:
        show(suggestion_sheet(chosen.name, folder, [data.name for data in opened], names), form)
        return
    speeds = Speeds(chosen, folder, choose_device(device.value))
    records = []
    for data in opened:
        for point in missing_points(wanted, data, chosen, seeds, folder):
            speed = speeds.of(point.candidate.geometry)
            records.append(
                {
                    "data": point.data,
                    "candidate": point.candidate.name,
                    "seed": point.seed,
                    "samples": point.samples,
                    "samples_per_second": round(speed.samples_per_second, 1),
                    "minutes": round(point.samples / speed.samples_per_second / 60, 1),
                    "speed_from": speed.source,
                }
            )
    total = sum(float(str(record["minutes"])) for record in records)
    title = (
        f"{len(records)} of {len(wanted) * len(opened) * len(seeds)} points of recipe {chosen.name} are missing under "
        f"{folder}: about {total:.0f} minutes, one after another, without encoding and evaluation"
    )
    payload, timings = parted(records, ("data", "candidate", "seed"), _TIMES)
    show(
        Sheet(_HEADERS, cells_of(records), records, payload, title, text_columns=2, timings=timings),
        form,
    )
