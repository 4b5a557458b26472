"""Make whatever reference points are missing: the one command for a machine with a GPU, stopped at any moment.

On Linux with an NVIDIA GPU, in a clone of the repository, with the folders of images under ../shared/data:

    python3 -m venv .venv
    .venv/bin/pip install torch -c constraints.txt --index-url https://download.pytorch.org/whl/cu130
    .venv/bin/pip install -e . -c constraints.txt
    .venv/bin/python -m benchmarks.reference_campaign --recipe standard --at-once 6 --minutes 240 \
        --data ../shared/data/chest ../shared/data/brain ../shared/data/natural --seeds 0 1 2

First, where a predictor is shipped for the recipe, come the score cards that it needs; then the points, seed by seed,
each with what the predictor foresees of it kept beside it; then, with --axis, an ablation: one choice of the recipe
changed at a time, for the candidates under --ablated on the first data set. Results go to leaderboards/results; what is
there is not made again. When the minutes are over, or at Ctrl-C, trainings stop; the same command goes on from their
checkpoints (in the cache: $VAESCREEN_CACHE, which is to be kept between calls).
--at-once trainings share the GPU: small networks leave most of it idle. Many machines: `vaescreen reference train
--engine ray`. Without a GPU: --recipe compact.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from vaescreen.errors import VaescreenError
from vaescreen.execution import choose_device, run
from vaescreen.images import DataSet, open_data
from vaescreen.predictor.files import shipped_path
from vaescreen.predictor.track_record import foresee, record_prediction
from vaescreen.registry.candidate import Candidate
from vaescreen.registry.catalogue import Registry
from vaescreen.screening.campaign import screen
from vaescreen.storage import ensure_writable
from vaescreen.superres.finished import finished_point
from vaescreen.superres.recipe import Recipe
from vaescreen.superres.recipes import recipe_named
from vaescreen.superres.reference import make_reference
from vaescreen.superres.variants import vary

_STOPPED = "out of time"


class Task(NamedTuple):
    """One point; `data` is a key of `Setting.data`."""

    candidate: Candidate
    data: tuple[str, int]
    recipe: Recipe
    seed: int

    def __str__(self) -> str:
        """How lines of progress call it."""
        return f"{self.candidate.name} on {Path(self.data[0]).name}, {self.recipe.name}, seed {self.seed}"


@dataclass(frozen=True)
class Setting:
    """What all trainings have in common; data by folder and size, `deadline` in seconds since the epoch."""

    data: dict[tuple[str, int], DataSet]
    results: Path
    device: str
    deadline: float


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    deadline = time.time() + 60 * options.minutes
    recipe, registry = recipe_named(options.recipe), Registry.load(options.registry)
    bundled = [name for name, candidate in registry.candidates.items() if candidate.adapter == "bundled"]
    candidates = [registry.candidate(name) for name in options.candidates or bundled]
    ablated = [registry.candidate(name) for name in options.ablated]
    tasks = [
        Task(candidate, (data, recipe.size), recipe, seed)
        for seed in options.seeds
        for data in options.data
        for candidate in candidates
    ]
    for variant in _variants(recipe, options.axis):
        tasks += [Task(candidate, (options.data[0], variant.size), variant, 0) for candidate in ablated]
    device = choose_device(options.device)
    ensure_writable(options.results)
    data = {key: open_data(key[0], size=key[1]) for key in dict.fromkeys(task.data for task in tasks)}
    setting = Setting(data, options.results, device, deadline)
    for folder in options.data if shipped_path(recipe.name).is_file() else []:
        if time.time() < deadline:
            _screen(setting, folder, recipe, candidates, options.at_once)
    missing = {str(task): task for task in tasks if not _is_finished(setting, task)}
    _say(
        f"{len(tasks) - len(missing)} of {len(tasks)} points are there; {options.minutes:g} minutes for the others"
    )
    return _make(setting, missing, options.at_once)


def _make(setting: Setting, missing: dict[str, Task], at_once: int) -> int:
    """Make points until all are there or the time is over; give the exit code: 1 if any failed."""
    began, made, left, failed = time.time(), 0, 0, 0
    for outcome in run(_point, setting, missing, processes=at_once):
        if outcome.result is not None:
            made += 1
            rate = made / (time.time() - began) * 3600
            _say(
                f"{outcome.name}: SR PSNR {outcome.result:.2f} dB ({made} of {len(missing)}, {rate:.1f} an hour)"
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
    data = setting.data[task.data]
    foreseen = foresee(setting.results, task.recipe.name, data, task.candidate.name, task.seed)
    point = make_reference(
        task.candidate,
        data,
        task.recipe,
        setting.results,
        seed=task.seed,
        device=setting.device,
        on_step=watch,
    )
    if foreseen is not None:
        record_prediction(setting.results, foreseen, point)
    return float(point["summary"]["sr_psnr"])


def _screen(
    setting: Setting, folder: str, recipe: Recipe, candidates: Sequence[Candidate], at_once: int
) -> None:
    data = setting.data[folder, recipe.size]
    screening = screen(
        candidates,
        data,
        recipe.view,
        results=setting.results,
        processes=at_once,
        device=setting.device,
    )
    for reason in screening.failed.values():
        _say(f"failed: score card on {data.name}: {reason}")


def _is_finished(setting: Setting, task: Task) -> bool:
    data = setting.data[task.data]
    try:
        point = finished_point(task.candidate, data, task.recipe, setting.results, task.seed)
    except VaescreenError:
        return False
    if point is not None:
        foreseen = foresee(setting.results, task.recipe.name, data, task.candidate.name, task.seed)
        if foreseen is not None:  # whoever made the point was stopped before it wrote this down
            record_prediction(setting.results, foreseen, point)
    return point is not None


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
    parser.add_argument("--recipe", default="standard")
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
