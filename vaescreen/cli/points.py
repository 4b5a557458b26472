"""What the commands that make reference points have in common: the setting, the tasks, and how one is made."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from vaescreen.cli.application import TALK
from vaescreen.cli.progress import progress
from vaescreen.cli.training_progress import telling

if TYPE_CHECKING:
    from vaescreen.execution import Machine
    from vaescreen.images import DataOptions, DataSet
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
    machine: "Machine"
    device: str
    wanted: "Wanted"
    team: "Team"
    silent: bool

    @classmethod
    def open(
        cls,
        images: "DataOptions",
        *,
        size: int,
        folder: Path,
        wanted: "Wanted",
        machine: "Machine",
        registry: Path | None,
    ) -> "Setting":
        """Check what the command needs, and open the data."""
        from vaescreen.superres.team import join_team

        place = machine.place
        team = join_team(place)
        silent = not (team.leads and TALK.progress)
        with progress(silent=silent) as tell:
            data = images.open(size, registry, tell.images)
        return cls(data, folder, machine, place, wanted, team, silent)


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
    with telling(title, task.recipe.batch, silent=setting.silent) as teller:
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


def screen_first(setting: Setting, tasks: Sequence[Task]) -> dict[str, str]:
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
            processes=setting.machine.processes,
            engine=setting.machine.engine,
            time_limit=setting.machine.time_limit,
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
