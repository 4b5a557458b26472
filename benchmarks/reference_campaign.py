"""Make whatever reference points are missing: the one command for a machine with a GPU, stopped at any moment.

On Linux with an NVIDIA GPU, in a clone of the repository, with the folders of images under ../shared/data:

    python3 -m venv .venv
    .venv/bin/pip install torch -c constraints.txt --index-url https://download.pytorch.org/whl/cu130
    .venv/bin/pip install -e . -c constraints.txt
    .venv/bin/python -m benchmarks.reference_campaign --recipe standard --at-once 6 --minutes 240 \
        --data ../shared/data/chest ../shared/data/brain ../shared/data/natural --seeds 0 1 2

First, where a predictor is shipped for a recipe, come the score cards that it needs; then the points, recipe by recipe
and seed by seed, each with what the predictor foresees of it kept beside it; then, with --axis, an ablation: one choice
of the first recipe changed at a time, for the candidates under --ablated on the first data set. Results go to
leaderboards/results; what is there is not made again. When the minutes are over, or at Ctrl-C, trainings stop; the same
command goes on from their checkpoints (in the cache: $VAESCREEN_CACHE, which is to be kept between calls).
--at-once trainings share the GPU: small networks leave most of it idle. Many machines: `vaescreen reference train
--engine ray`. Without a GPU: --recipe compact.
"""

import argparse
import math
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vaescreen.errors import VaescreenError
from vaescreen.execution import Machine
from vaescreen.images import open_data
from vaescreen.ranking import campaign
from vaescreen.ranking.campaign import Task, make_point, make_points, recall, screen_first
from vaescreen.registry.catalogue import Registry
from vaescreen.storage import ensure_writable
from vaescreen.superres.recipe import Recipe
from vaescreen.superres.recipes import recipe_named
from vaescreen.superres.team import Team
from vaescreen.superres.variants import vary

_STOPPED = "out of time"


@dataclass(frozen=True)
class Setting(campaign.Setting):
    """What all trainings have in common; `deadline` in seconds since the epoch."""

    deadline: float = math.inf


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    deadline = time.time() + 60 * options.minutes
    recipes, registry = [recipe_named(name) for name in options.recipe], Registry.load(options.registry)
    bundled = [name for name, candidate in registry.candidates.items() if candidate.adapter == "bundled"]
    candidates = [registry.candidate(name) for name in options.candidates or bundled]
    ablated = [registry.candidate(name) for name in options.ablated]
    tasks = [
        Task(candidate, _at(data, recipe), recipe, seed)
        for recipe in recipes
        for seed in options.seeds
        for data in options.data
        for candidate in candidates
    ]
    for variant in _variants(recipes[0], options.axis):
        tasks += [Task(candidate, _at(options.data[0], variant), variant, 0) for candidate in ablated]
    machine = Machine(options.at_once, device=options.device)
    ensure_writable(options.results)
    data = {
        _at(folder, each): open_data(folder, size=each.size)
        for folder in options.data
        for each in dict.fromkeys(task.recipe for task in tasks)
        if any(task.data == _at(folder, each) for task in tasks)
    }
    setting = Setting(data, options.results, Team(machine.place), deadline=deadline)
    named = {
        f"{task.candidate.name} on {data[task.data].name}, {task.recipe.name}, seed {task.seed}": task
        for task in tasks
    }
    there = recall(setting, named)
    missing = [task for name, task in named.items() if name not in there]
    _say(f"{len(there)} of {len(tasks)} points are there; {options.minutes:g} minutes for the others")
    if time.time() < deadline:
        for reason in screen_first(setting, missing, machine).values():
            _say(f"failed: score card: {reason}")
    return _make(setting, named, machine, there)


def _at(folder: str, recipe: Recipe) -> str:
    """What tasks call the images of a folder at the size of a recipe."""
    return f"{folder}, {recipe.size} pixels"


def _make(setting: Setting, tasks: dict[str, Task], machine: Machine, there: dict[str, float]) -> int:
    """Make points until all are there or the time is over; give the exit code: 1 if any failed."""
    began, made, left, failed = time.time(), 0, 0, 0
    for outcome in make_points(setting, tasks, _point, machine, there):
        if outcome.name in there:
            continue
        if outcome.result is not None:
            made += 1
            rate = made / (time.time() - began) * 3600
            _say(
                f"{outcome.name}: SR PSNR {outcome.result:.2f} dB "
                f"({made} of {len(tasks) - len(there)}, {rate:.1f} an hour)"
            )
        elif outcome.error == _STOPPED:
            left += 1
        else:
            failed += 1
            _say(f"failed: {outcome.name}: {outcome.error}")
    _say(f"{made} points made, {failed} failed, {left} left for the same command another time")
    return 1 if failed else 0


def _point(setting: Setting, task: Task) -> float:
    """Make one point unless the time is over; an evaluation that has begun is finished."""

    def watch(phase: str, done: int, total: int) -> None:
        if phase != "evaluate" and time.time() > setting.deadline:
            raise VaescreenError(_STOPPED)

    watch("begin", 0, 1)
    return make_point(setting, task, watch)


def _variants(recipe: Recipe, axes: Sequence[str]) -> Iterator[Recipe]:
    """The recipe itself if there is an ablation, then every value of each axis."""
    if axes:
        yield recipe
    for axis in axes:
        choice, _, values = axis.partition("=")
        for value in values.split(","):
            yield vary(recipe, **{choice: value})


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", nargs="+", required=True, help="folders of images, or phantoms")
    parser.add_argument("--candidates", nargs="+", default=[], help="names (default: the bundled ones)")
    parser.add_argument("--recipe", nargs="+", default=["standard"], help="names (default: standard)")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--minutes", type=float, default=60, help="time budget (default: 60)")
    parser.add_argument(
        "--at-once", type=int, default=1, help="trainings that share the machine (default: 1)"
    )
    parser.add_argument("--axis", nargs="+", default=[], metavar="CHOICE=VALUE,VALUE", help="an ablation")
    parser.add_argument("--ablated", nargs="+", default=[], metavar="CANDIDATE", help="whom it is made with")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--registry", type=Path)
    parser.add_argument("--results", type=Path, default=Path("leaderboards") / "results")
    options = parser.parse_args(arguments)
    if bool(options.axis) != bool(options.ablated):
        parser.error("--axis and --ablated go together")
    return options


def _say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except VaescreenError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("interrupted; run the same command again to go on")
