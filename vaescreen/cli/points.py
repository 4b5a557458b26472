"""What the commands that make reference points have in common: the setting, the tasks, and how one is made."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from vaescreen.cli.options import DeviceName
from vaescreen.cli.progress import progress
from vaescreen.cli.training_progress import telling

if TYPE_CHECKING:
    from vaescreen.execution import Engine
    from vaescreen.images import DataSet
    from vaescreen.registry.candidate import Candidate
    from vaescreen.superres.finished import Wanted
    from vaescreen.superres.recipe import Recipe
    from vaescreen.superres.team import Team


class Task(NamedTuple):
    """One point to make."""

    candidate: "Candidate"
    recipe: "Recipe"
    seed: int


@dataclass(frozen=True)
class Setting:
    """What all tasks of a command have in common."""

    data: "DataSet"
    results: Path
    device: str
    wanted: "Wanted"
    team: "Team"

    @classmethod
    def open(
        cls,
        data: str,
        *,
        size: int,
        folder: Path,
        wanted: "Wanted",
        device: DeviceName,
        engine: str = "local",
        gpu_share: float = 1.0,
        patients: str | None,
        name: str | None,
        private: bool,
        window: str | None,
        keep_labels: bool,
        train_images: int | None,
        test_images: int | None,
        split_seed: int,
        registry: Path | None,
    ) -> "tuple[Setting, Engine]":
        """Check what the command needs, and open the data."""
        from vaescreen.datasets import declared
        from vaescreen.execution import choose_device, engine_named
        from vaescreen.images import open_data
        from vaescreen.storage import ensure_writable
        from vaescreen.superres.team import join_team

        ensure_writable(folder)
        where = engine_named(engine, gpu_share)
        place = choose_device(device.value, where)
        team = join_team(place)
        with progress(silent=not team.leads) as tell:
            images = open_data(
                declared(data, registry),
                size=size,
                patient_pattern=patients,
                seed=split_seed,
                private=private,
                window=window,
                keep_labels=keep_labels,
                train_images=train_images,
                test_images=test_images,
                name=name,
                on_progress=tell.images,
            )
        return cls(images, folder, place, wanted, team), where


def tasks_of(
    candidates: Sequence[str], recipes: "Sequence[Recipe]", seeds: Sequence[int], registry: Path | None
) -> dict[str, Task]:
    """Name every point of candidates, recipes and seeds; names say no more than tells them apart."""
    from vaescreen.registry.catalogue import Registry

    known = Registry.load(registry)
    found = {name: known.candidate(name) for name in candidates}
    return {
        name
        + (f", {recipe.name}" if len(recipes) > 1 else "")
        + (f", seed {seed}" if len(set(seeds)) > 1 else ""): Task(candidate, recipe, seed)
        for seed in seeds
        for recipe in recipes
        for name, candidate in found.items()
    }


def make(setting: Setting, task: Task) -> float:
    """Make or recall one point, telling on stderr how far it is; give its SR PSNR."""
    from vaescreen.superres.reference import make_reference

    title = f"{task.candidate.name} on {setting.data.name}, {task.recipe.name}, seed {task.seed}"
    with telling(title, task.recipe.batch, silent=not setting.team.leads) as teller:
        point = make_reference(
            task.candidate,
            setting.data,
            task.recipe,
            setting.results,
            seed=task.seed,
            device=setting.device,
            team=setting.team if setting.team.size > 1 else None,
            wanted=setting.wanted,
            on_step=teller.on_step,
            on_loss=teller.on_loss,
        )
    sr_psnr: float = point["summary"]["sr_psnr"]
    return sr_psnr


def screen_first(
    setting: Setting, tasks: Sequence[Task], processes: int | None, engine: "Engine"
) -> dict[str, str]:
    """Make the score cards of points of one recipe, if a predictor is shipped for it; give the reasons of failures.

    Without its card nothing is foretold of a point, and no predictor can learn from it.
    """
    from vaescreen.predictor.files import shipped_path
    from vaescreen.screening.campaign import screen

    if not tasks or not shipped_path(tasks[0].recipe.name).is_file():
        return {}
    recipe = tasks[0].recipe
    with progress() as tell:
        screening = screen(
            tuple({task.candidate.name: task.candidate for task in tasks}.values()),
            setting.data,
            recipe.view,
            results=setting.results,
            processes=processes,
            engine=engine,
            device=setting.device,
            on_progress=tell,
        )
    return screening.failed


def foreseen_of(setting: Setting, task: Task) -> dict[str, Any] | None:
    """What the shipped predictor says of a point that is not there yet, for the track record."""
    from vaescreen.predictor.track_record import foresee

    return foresee(setting.results, task.recipe.name, setting.data, task.candidate.name, task.seed)


def keep_foreseen(setting: Setting, task: Task, foreseen: dict[str, Any] | None) -> None:
    """Store what was said of a point, if anything, beside what it reached."""
    from vaescreen.predictor.track_record import record_prediction
    from vaescreen.storage import read_json
    from vaescreen.superres.paths import point_path

    if foreseen is not None:
        path = point_path(
            setting.results, task.recipe.name, setting.data.name, task.candidate.name, task.seed
        )
        record_prediction(setting.results, foreseen, read_json(path))
