"""What the commands that make reference points have in common: opening their images, naming points, telling of one."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vaescreen.cli.application import TALK
from vaescreen.cli.progress import progress
from vaescreen.cli.training_progress import telling
from vaescreen.ranking import campaign
from vaescreen.ranking.campaign import Task, make_point
from vaescreen.superres.finished import Wanted
from vaescreen.superres.team import join_team

if TYPE_CHECKING:
    from vaescreen.execution import Machine
    from vaescreen.images import DataOptions
    from vaescreen.superres.recipe import Recipe

_DATA = "the data"
"""What tasks call the one data set of a command."""


@dataclass(frozen=True)
class Setting(campaign.Setting):
    """The same of a command, whose process may have been told to be silent."""

    silent: bool = False

    @property
    def name(self) -> str:
        """What the one data set is called."""
        return self.data[_DATA].name


def open_setting(
    images: "DataOptions",
    *,
    size: int,
    folder: Path,
    wanted: Wanted,
    machine: "Machine",
    registry: Path | None,
) -> Setting:
    """Check what a command needs, and open the data."""
    team = join_team(machine.place)
    silent = not (team.leads and TALK.progress)
    with progress(silent=silent) as tell:
        data = images.open(size, registry, tell.images)
    return Setting({_DATA: data}, folder, team, wanted, silent)


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
        + (f", seed {seed}" if len(set(seeds)) > 1 else ""): Task(candidate, _DATA, recipe, seed)
        for seed in seeds
        for recipe in recipes
        for name, candidate in found.items()
    }


def make(setting: Setting, task: Task) -> float:
    """Make or recall one point, telling on stderr how far it is; give its SR PSNR."""
    title = f"{task.candidate.name} on {setting.name}, {task.recipe.name}, seed {task.seed}"
    with telling(title, task.recipe.batch, silent=setting.silent) as teller:
        return make_point(setting, task, teller.on_step, teller.on_loss)
