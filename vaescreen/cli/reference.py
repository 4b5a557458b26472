"""`vaescreen reference`: train SR models on candidates, and see which have been."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from vaescreen.cli import options
from vaescreen.cli.application import complain
from vaescreen.cli.options import DeviceName, Format
from vaescreen.cli.printing import Sheet, show

if TYPE_CHECKING:
    from vaescreen.candidate import Candidate
    from vaescreen.images import DataSet
    from vaescreen.superres.paths import PointFile
    from vaescreen.superres.recipes import Recipe

app = typer.Typer(no_args_is_help=True, help="Reference points: train, status.")

_LINES = 10
_HEADERS = ("data", "candidate", "seed", "SR PSNR", "posterior mean", "samples", "minutes")


@dataclass(frozen=True)
class _Setting:
    """What all trainings have in common."""

    data: "DataSet"
    recipe: "Recipe"
    results: Path
    seed: int
    device: str


@app.command()
def train(
    candidates: options.Candidates,
    data: options.Data,
    recipe: options.Recipe = "nano",
    registry: options.RegistryFile = None,
    patients: options.Patients = None,
    name: options.Name = None,
    train_images: options.TrainImages = None,
    test_images: options.TestImages = None,
    results: options.PublishedResults = None,
    processes: options.Processes = None,
    engine: options.Engine = "local",
    gpu_share: options.GpuShare = 1.0,
    device: options.Device = DeviceName.AUTO,
    seed: options.Seed = 0,
) -> None:
    """Train a super-resolution model on each candidate and score it.

    What is finished is skipped, and what was interrupted goes on from its last checkpoint. A candidate that
    fails does not stop the others; the exit code is 1 if any did.
    """
    from vaescreen.execution import Outcome, choose_device, engine_named, run
    from vaescreen.images import open_data
    from vaescreen.registry import Registry
    from vaescreen.storage import ensure_writable
    from vaescreen.superres.recipes import recipe_named

    chosen = recipe_named(recipe)
    known = Registry.load(registry)
    tasks = {candidate: known.candidate(candidate) for candidate in candidates}
    folder = options.published_results(results)
    ensure_writable(folder)
    where = engine_named(engine, gpu_share)
    place = choose_device(device.value, where)
    images = open_data(
        data,
        size=chosen.size,
        patient_pattern=patients,
        seed=seed,
        train_images=train_images,
        test_images=test_images,
        name=name,
    )
    setting = _Setting(images, chosen, folder, seed, place)
    failures = 0
    recalled = [each for each in run(_recall, setting, tasks, processes=1) if each.result is not None]
    missing = {name: tasks[name] for name in tasks if name not in {each.name for each in recalled}}
    trained = run(_train, setting, missing, processes=processes, engine=where, device=place)
    outcomes: Iterator[Outcome[Any]] = itertools.chain(recalled, trained)
    for outcome in outcomes:
        if outcome.result is None:
            failures += 1
            complain(f"error: {outcome.name} on {images.name}: {outcome.error}")
        else:
            print(f"{outcome.name} on {images.name}: SR PSNR {outcome.result:.2f} dB")
    if failures:
        raise typer.Exit(1)


def _recall(setting: _Setting, candidate: "Candidate") -> float | None:
    """Give the SR PSNR of a point that is there already."""
    from vaescreen.superres.finished import finished_point

    point = finished_point(candidate, setting.data, setting.recipe, setting.results, setting.seed)
    return point["summary"]["sr_psnr"] if point else None


def _train(setting: _Setting, candidate: "Candidate") -> float:
    """Train or recall one reference point, telling on stderr how far it is; give its SR PSNR."""
    from vaescreen.superres.reference import make_reference

    told: set[tuple[str, int]] = set()

    def tell(phase: str, done: int, total: int) -> None:
        part = (phase, done * _LINES // total)
        if part not in told:
            told.add(part)
            complain(f"{candidate.name} on {setting.data.name}: {phase} {done}/{total}")

    point = make_reference(
        candidate,
        setting.data,
        setting.recipe,
        setting.results,
        seed=setting.seed,
        device=setting.device,
        on_step=tell,
    )
    sr_psnr: float = point["summary"]["sr_psnr"]
    return sr_psnr


@app.command()
def status(
    results: options.PublishedResults = None,
    recipe: options.Recipe = "nano",
    form: options.OutputFormat = Format.TABLE,
) -> None:
    """List the reference points of a recipe."""
    from vaescreen.leaderboard.columns import number
    from vaescreen.superres.paths import point_files
    from vaescreen.superres.recipes import recipe_named

    folder = options.published_results(results)
    files = point_files(folder, recipe_named(recipe).name)
    records = [
        {"data": file.data, "candidate": file.candidate, "seed": file.seed, **_record(file)} for file in files
    ]
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
    show(Sheet(_HEADERS, cells, records, records, title, text_columns=2), form)


def _record(file: "PointFile") -> dict[str, Any]:
    from vaescreen.storage import read_json

    point = read_json(file.path)
    return {
        "sr_psnr": point["summary"]["sr_psnr"],
        "posterior_mean_psnr": point["summary"]["posterior_mean_psnr"],
        "samples": point["training"]["samples"],
        "seconds": point["training"]["seconds"],
    }
