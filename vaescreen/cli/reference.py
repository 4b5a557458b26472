"""`vaescreen reference`: train SR models on candidates, evaluate them, and see which have been and what they are."""

from typing import TYPE_CHECKING, Annotated, Any

import typer
from typing_extensions import TypedDict

from vaescreen.cli import options
from vaescreen.cli.ablation import ablate
from vaescreen.cli.application import complain
from vaescreen.cli.grouping import Commands, prints
from vaescreen.cli.options import DeviceName, Format
from vaescreen.cli.planning import plan
from vaescreen.cli.printing import Sheet, cells_of, parted, show
from vaescreen.cli.progress import progress

if TYPE_CHECKING:
    from vaescreen.cli.points import Setting
    from vaescreen.execution import Machine
    from vaescreen.ranking.campaign import Task
    from vaescreen.superres.paths import PointFile

app = Commands(
    no_args_is_help=True,
    help="Reference points: plan, train, evaluate, status, ablate; and their recipes.",
)
app.command()(plan)

_HEADERS = ("data", "candidate", "seed", "SR PSNR", "posterior mean", "samples", "minutes")

KeepWeights = Annotated[
    bool,
    typer.Option(
        "--keep-weights",
        help="Keep the trained weights in the cache, for `reference evaluate`.",
        show_default=False,
    ),
]
SaveOutputs = Annotated[
    bool,
    typer.Option(
        "--save-outputs",
        help="Keep the SR images and the autoencoder's decodes beside the result, as NAME.outputs.npz.",
        show_default=False,
    ),
]
Samples = Annotated[int, typer.Option(min=1, metavar="N", help="Draws of the sampler for each image.")]


class Made(TypedDict):
    """A point, and the SR PSNR in dB that it reached or why it is not there."""

    data: str
    candidate: str
    recipe: str
    seed: int
    sr_psnr: float | None
    error: str | None


class Point(TypedDict):
    """A finished point."""

    data: str
    candidate: str
    seed: int
    sr_psnr: float
    posterior_mean_psnr: float
    samples: int


@app.command()
@prints(list[Made])
def train(
    *,
    candidates: options.Candidates,
    images: options.ImageOptions,
    recipe: options.Recipe = "compact",
    registry: options.RegistryFile = None,
    results: options.Results = None,
    machine: options.MachineOptions,
    seeds: options.Seeds = options.FIRST_SEED,
    samples: Samples = 1,
    keep_weights: KeepWeights = False,
    save_outputs: SaveOutputs = False,
    form: options.OutputFormat = Format.TABLE,
) -> None:
    """Train a super-resolution model on each candidate and score it.

    What is finished is skipped, and what was interrupted goes on from its last checkpoint. Where a predictor is
    shipped for the recipe, score cards come first, and what it says of each training is kept for the track record
    (`vaescreen predictor show --record`). A candidate that fails does not stop the others; the exit code is 1 if
    any did. Several GPUs share each training under `accelerate launch -m vaescreen reference train ...`.

    Examples
    --------
    vaescreen reference train medical-f4c4 --data path/to/folder
    vaescreen reference train medical-f4c4 generic-f4c4 --data path/to/folder --seed 0 --seed 1 --processes 2
    vaescreen reference train medical-f4c4 --data path/to/folder --recipe standard --engine ray
    """
    from vaescreen.cli.points import open_setting, tasks_of
    from vaescreen.images import DataOptions
    from vaescreen.superres.finished import Wanted
    from vaescreen.superres.recipes import recipe_named

    chosen = recipe_named(recipe)
    tasks = tasks_of(candidates, [chosen], seeds, registry)
    folder = options.results_folder(results)
    here = options.machine(**machine)
    setting = open_setting(
        DataOptions(**images),
        size=chosen.size,
        folder=folder,
        wanted=Wanted(samples, save_outputs, keep_weights),
        machine=here,
        registry=registry,
    )
    _make_all(setting, tasks, here, form)


@app.command()
@prints(list[Made])
def evaluate(
    *,
    candidates: options.Candidates,
    images: options.ImageOptions,
    recipe: options.Recipe = "compact",
    sampler: Annotated[
        str | None, typer.Option(help="Sampler in place of the recipe's.", show_default=False)
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(
            "--sampler-steps",
            min=1,
            metavar="N",
            help="Sampler steps in place of the recipe's.",
            show_default=False,
        ),
    ] = None,
    registry: options.RegistryFile = None,
    results: options.Results = None,
    processes: options.Processes = None,
    device: options.Device = DeviceName.AUTO,
    seeds: options.Seeds = options.FIRST_SEED,
    samples: Samples = 1,
    save_outputs: SaveOutputs = False,
    form: options.OutputFormat = Format.TABLE,
) -> None:
    """Score trained models again: another sampler, more samples an image, or the images themselves.

    The weights must have been kept (`reference train --keep-weights`). Results of another sampler are those of
    a recipe of its own, such as compact+sampler_steps=50.

    Examples
    --------
    vaescreen reference evaluate medical-f4c4 --data path/to/folder --sampler-steps 50
    vaescreen reference evaluate medical-f4c4 --data path/to/folder --samples 8 --save-outputs
    """
    from vaescreen.cli.points import open_setting, tasks_of
    from vaescreen.execution import Machine
    from vaescreen.images import DataOptions
    from vaescreen.superres.finished import Wanted
    from vaescreen.superres.recipes import recipe_named
    from vaescreen.superres.variants import vary

    base = recipe_named(recipe)
    changes = {"sampler": sampler, "sampler_steps": steps}
    changed = {field: value for field, value in changes.items() if value not in (None, getattr(base, field))}
    chosen = vary(base, **changed) if changed else base
    tasks = tasks_of(candidates, [chosen], seeds, registry)
    here = Machine(processes, device=device.value)
    setting = open_setting(
        DataOptions(**images),
        size=chosen.size,
        folder=options.results_folder(results),
        wanted=Wanted(samples, save_outputs, training=False),
        machine=here,
        registry=registry,
    )
    _make_all(setting, tasks, here, form)


app.command()(ablate)


@app.command()
@prints(list[Point])
def status(
    results: options.Results = None,
    recipe: options.Recipe = "compact",
    form: options.OutputFormat = Format.TABLE,
) -> None:
    """List the reference points of a recipe that are finished, with what they reached.

    Examples
    --------
    vaescreen reference status
    vaescreen reference status --recipe standard --results path/to/results --format csv
    """
    from vaescreen.ranking.columns import number
    from vaescreen.superres.paths import point_files
    from vaescreen.superres.recipes import recipe_named

    name = recipe_named(recipe).name
    folder = options.results_folder(results)
    records = [_record(file) for file in point_files(folder, name)]
    cells = [
        [
            record["data"],
            record["candidate"],
            str(record["seed"]),
            number(record["sr_psnr"]),
            number(record["posterior_mean_psnr"]),
            str(record["samples"]),
            number(record["seconds"] / 60, 1),
        ]
        for record in records
    ]
    title = f"{len(records)} reference points of recipe {recipe} under {folder}"
    payload, timings = parted(records, ("data", "candidate", "seed"), ("seconds",))
    show(Sheet(_HEADERS, cells, records, payload, title, text_columns=2, timings=timings), form)


@app.command()
@prints(list[dict[str, Any]])
def recipes(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="RECIPE", help="By name, variants too.", show_default="all"),
    ] = None,
    form: options.OutputFormat = Format.TABLE,
) -> None:
    """Print every choice that recipes make, side by side.

    A variant is named by the recipe and what it changes, joined by +.

    Examples
    --------
    vaescreen reference recipes
    vaescreen reference recipes compact compact+objective=flow --format json
    """
    from vaescreen.superres.recipes import RECIPES, recipe_named

    described = [recipe_named(name).description() for name in names or RECIPES]
    flat = [_flat(each) for each in described]
    choices = list(dict.fromkeys(choice for each in flat for choice in each if choice != "name"))
    cells = [[choice, *(each.get(choice, "") for each in flat)] for choice in choices]
    show(Sheet(["choice", *(each["name"] for each in flat)], cells, flat, described), form)


def _flat(description: dict[str, Any]) -> dict[str, str]:
    """Choices as text, those of a part under its name and a dot."""
    flat: dict[str, str] = {}
    for choice, value in description.items():
        if isinstance(value, dict):
            flat |= {f"{choice}.{part}": text for part, text in _flat(value).items()}
        elif isinstance(value, list):
            flat[choice] = " ".join(map(str, value))
        else:
            flat[choice] = str(value)
    return flat


def _make_all(setting: "Setting", tasks: "dict[str, Task]", machine: "Machine", form: Format) -> None:
    """Make all points and say how each went, in a table at once, else at the end; exit with 1 if any failed."""
    from vaescreen.cli.points import make
    from vaescreen.ranking.campaign import make_points, recall, screen_first

    alone = setting.team.size == 1
    there = recall(setting, tasks) if alone else {}
    if alone and setting.wanted.training:
        with progress() as tell:
            failed = screen_first(
                setting, [task for name, task in tasks.items() if name not in there], machine, tell
            )
        for reason in failed.values():
            complain(f"nothing is foretold, for there is no score card: {reason}")
    records: list[Made] = []
    for outcome in make_points(setting, tasks, make, machine if alone else None, there):
        task = tasks[outcome.name]
        if outcome.result is None:
            complain(f"error: {outcome.name} on {setting.name}: {outcome.error}")
        elif setting.team.leads and form is Format.TABLE:
            print(f"{outcome.name} on {setting.name}: SR PSNR {outcome.result:.2f} dB")
        records.append(
            {
                "data": setting.name,
                "candidate": task.candidate.name,
                "recipe": task.recipe.name,
                "seed": task.seed,
                "sr_psnr": outcome.result,
                "error": outcome.error,
            }
        )
    if form is not Format.TABLE and setting.team.leads:
        show(Sheet(list(Made.__annotations__), cells_of(records), records, records, text_columns=3), form)
    if any(record["error"] for record in records):
        raise typer.Exit(1)


def _record(file: "PointFile") -> dict[str, Any]:
    from vaescreen.storage import read_json

    point = read_json(file.path)
    return {
        "data": file.data,
        "candidate": file.candidate,
        "seed": file.seed,
        "sr_psnr": point["summary"]["sr_psnr"],
        "posterior_mean_psnr": point["summary"]["posterior_mean_psnr"],
        "samples": point["training"]["samples"],
        "seconds": point["training"]["seconds"],
    }
