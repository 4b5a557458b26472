"""Reference points of many candidates: which are there, and the others screened, foretold, trained and recorded."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, TypeVar

from vaescreen.execution import Machine, Outcome, run, run_on
from vaescreen.images import DataSet
from vaescreen.predictor.files import shipped_path
from vaescreen.predictor.track_record import foresee, record_prediction
from vaescreen.registry.candidate import Candidate
from vaescreen.screening.campaign import OnProgress, ignore, screen
from vaescreen.storage import read_json
from vaescreen.superres.finished import Wanted, finished_point
from vaescreen.superres.paths import point_path
from vaescreen.superres.recipe import Recipe
from vaescreen.superres.reference import OnLoss, OnStep, make_reference
from vaescreen.superres.team import Team


class Task(NamedTuple):
    """One point; `data` is a key of `Setting.data`."""

    candidate: Candidate
    data: str
    recipe: Recipe
    seed: int


@dataclass(frozen=True)
class Setting:
    """What all points of a campaign have in common.

    Attributes
    ----------
    data
        Data sets by what tasks call them, each of the size of their recipe.
    results
        Folder of points, score cards and predictions.
    team
        Processes that train together, nearly always this one alone, and their device.
    wanted
        What is asked of a point beyond its summary.
    """

    data: Mapping[str, DataSet]
    results: Path
    team: Team
    wanted: Wanted = field(default_factory=Wanted)


Given = TypeVar("Given", bound=Setting)


def recall(setting: Setting, tasks: Mapping[str, Task]) -> dict[str, float]:
    """SR PSNR of the points that are there, by the names of their tasks; one that cannot be read is not there."""
    found = run(_recall, setting, tasks, processes=1)
    return {outcome.name: outcome.result for outcome in found if outcome.result is not None}


def screen_first(
    setting: Setting, tasks: Iterable[Task], machine: Machine, on_progress: OnProgress = ignore
) -> dict[str, str]:
    """Make the score cards of points whose recipe has a shipped predictor; give the reasons of failures.

    Without its card nothing is foretold of a point, and no predictor can learn from it.
    """
    groups: dict[tuple[str, str], dict[str, Task]] = {}
    for task in tasks:
        if shipped_path(task.recipe.name).is_file():
            groups.setdefault((task.data, task.recipe.name), {})[task.candidate.name] = task
    failed: dict[str, str] = {}
    for (data, _), members in groups.items():
        first = next(iter(members.values()))
        failed |= screen(
            tuple(task.candidate for task in members.values()),
            setting.data[data],
            first.recipe.view,
            results=setting.results,
            processes=machine.processes,
            engine=machine.engine,
            time_limit=machine.time_limit,
            device=setting.team.device,
            on_progress=on_progress,
        ).failed
    return failed


def make_point(setting: Setting, task: Task, on_step: OnStep, on_loss: OnLoss = lambda loss: None) -> float:
    """Make one point, or read it where it is there already; give its SR PSNR in dB.

    Parameters
    ----------
    setting, task
        Which point.
    on_step, on_loss
        See `vaescreen.superres.reference.make_reference`.
    """
    point = make_reference(
        task.candidate,
        setting.data[task.data],
        task.recipe,
        setting.results,
        seed=task.seed,
        team=setting.team,
        wanted=setting.wanted,
        on_step=on_step,
        on_loss=on_loss,
    )
    sr_psnr: float = point["summary"]["sr_psnr"]
    return sr_psnr


def make_points(
    setting: Given,
    tasks: Mapping[str, Task],
    make: Callable[[Given, Task], float],
    machine: Machine | None,
    there: Mapping[str, float],
) -> Iterator[Outcome[float]]:
    """Make points, and keep what was said of each before its training beside what it reached.

    Parameters
    ----------
    setting
        What all have in common.
    tasks
        Points by name.
    make
        A module-level function that makes one point and gives its SR PSNR.
    machine
        Where points are made; None for one after another in this process.
    there
        What `recall` gave: these are not made again, and come first.

    Yields
    ------
    Outcome
        Of each task, with its SR PSNR in dB or with the reason why it has none.
    """
    foreseen = {
        name: foresee(
            setting.results, task.recipe.name, setting.data[task.data], task.candidate.name, task.seed
        )
        for name, task in tasks.items()
    }
    missing = {name: task for name, task in tasks.items() if name not in there}
    for outcome in _outcomes(setting, missing, make, machine, there):
        said = foreseen[outcome.name]
        if outcome.result is not None and said is not None and setting.team.leads:
            record_prediction(setting.results, said, read_json(_path(setting, tasks[outcome.name])))
        yield outcome


def _outcomes(
    setting: Given,
    missing: Mapping[str, Task],
    make: Callable[[Given, Task], float],
    machine: Machine | None,
    there: Mapping[str, float],
) -> Iterator[Outcome[float]]:
    yield from (Outcome(name, value) for name, value in there.items())
    if machine is None:
        yield from (Outcome(name, make(setting, task)) for name, task in missing.items())
    else:
        yield from run_on(machine, make, setting, missing)


def _path(setting: Setting, task: Task) -> Path:
    data = setting.data[task.data].name
    return point_path(setting.results, task.recipe.name, data, task.candidate.name, task.seed)


def _recall(setting: Setting, task: Task) -> float | None:
    point = finished_point(
        task.candidate, setting.data[task.data], task.recipe, setting.results, task.seed, setting.wanted
    )
    return point["summary"]["sr_psnr"] if point else None
