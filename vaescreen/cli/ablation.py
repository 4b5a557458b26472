"""`vaescreen reference ablate`: is the gap between candidates stable when one choice of the recipe changes?"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typing_extensions import TypedDict

from vaescreen.cli import options
from vaescreen.cli.application import complain
from vaescreen.cli.grouping import prints
from vaescreen.cli.options import Format
from vaescreen.cli.printing import Sheet, show

if TYPE_CHECKING:
    from vaescreen.superres.ablation import Gap

_HEADERS = ("choice", "value", "candidates", "SR PSNR", "gap", "change", "90 % interval", "p", "stable")


class Cell(TypedDict):
    """The gap of two candidates under one choice, in dB, and how it differs from that of the recipe itself."""

    choice: str
    value: str
    candidates: list[str]
    sr_psnr: list[float]
    gap: float
    change: float | None
    interval: list[float] | None
    p: float | None
    stable: bool | None
    patients: int | None


class Ablated(TypedDict):
    """All cells of an ablation."""

    title: str
    data: str
    recipe: str
    margin: float
    rows: list[Cell]


@prints(Ablated)
def ablate(
    *,
    candidates: options.Candidates,
    images: options.ImageOptions,
    axis: Annotated[
        list[str],
        typer.Option(
            "--vary",
            metavar="CHOICE=VALUE,...",
            help="Values of one choice of the recipe; may be given several times. `reference recipes` lists choices.",
            show_default=False,
        ),
    ],
    recipe: options.Recipe = "compact",
    margin: Annotated[float, typer.Option(min=0, metavar="DB", help=options.MARGIN_HELP)] = 0.15,
    registry: options.RegistryFile = None,
    results: options.Results = None,
    machine: options.MachineOptions,
    seeds: options.Seeds = options.FIRST_SEED,
    form: options.OutputFormat = Format.TABLE,
) -> None:
    """Change one choice of the recipe at a time, train, and test whether the gap between candidates stays.

    The test is of equivalence: two one-sided t tests of the patients' mean change of the gap, in SR PSNR, against
    the margin. "no" means not shown to be stable, not shown to differ. Variants that differ in sampling alone share
    one training.

    Examples
    --------
    vaescreen reference ablate medical-f4c4 generic-f8c4 --data path/to/folder --vary objective=x0,v,flow
    vaescreen reference ablate medical-f4c4 generic-f8c4 --data chest --vary sampler_steps=10,50 --margin 0.1
    """
    from vaescreen.cli.points import make, open_setting, tasks_of
    from vaescreen.errors import VaescreenError
    from vaescreen.execution import run_on
    from vaescreen.images import DataOptions
    from vaescreen.superres.ablation import cells, read_gaps
    from vaescreen.superres.finished import Wanted
    from vaescreen.superres.recipes import recipe_named

    if len(set(candidates)) < 2:
        raise VaescreenError("ablate compares candidates: name two at least")
    base = recipe_named(recipe)
    grid = cells(base, _axes(axis))
    sizes = {cell.recipe.size for cell in grid}
    if len(sizes) > 1:
        raise VaescreenError("ablate compares on the same images: size cannot be an axis")
    here = options.machine(**machine)
    setting = open_setting(
        DataOptions(**images),
        size=base.size,
        folder=options.results_folder(results),
        wanted=Wanted(weights=True),
        machine=here,
        registry=registry,
    )
    first, sharing = _by_training([cell.recipe for cell in grid])
    for recipes in (first, sharing):
        tasks = tasks_of(candidates, recipes, seeds, registry)
        for outcome in run_on(here, make, setting, tasks):
            if outcome.error:
                raise VaescreenError(f"{outcome.name} on {setting.name}: {outcome.error}")
            complain(f"{outcome.name} on {setting.name}: SR PSNR {outcome.result:.2f} dB")
    gaps = read_gaps(setting.results, setting.name, candidates, grid, seeds, margin)
    _show(gaps, setting.name, base.name, margin, form)


def _axes(texts: Sequence[str]) -> dict[str, list[str]]:
    from vaescreen.errors import RecipeError

    axes: dict[str, list[str]] = {}
    for text in texts:
        choice, equals, values = text.partition("=")
        if not equals or not all(values.split(",")):
            raise RecipeError(f"--vary {text} is not CHOICE=VALUE,VALUE")
        axes.setdefault(choice, []).extend(values.split(","))
    return axes


def _by_training(recipes: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """Part recipes into one of each training, and those that can use its weights."""
    first: list[Any] = []
    sharing: list[Any] = []
    for recipe in recipes:
        known = [other.training_description() for other in first]
        (sharing if recipe.training_description() in known else first).append(recipe)
    return first, sharing


def _show(gaps: "Sequence[Gap]", data: str, recipe: str, margin: float, form: Format) -> None:
    from vaescreen.ranking.columns import ABSENT, interval_text, number

    records: list[Cell] = []
    lines = []
    for gap in gaps:
        test = gap.stability
        records.append(
            {
                "choice": gap.cell.axis or "base",
                "value": gap.cell.value or recipe,
                "candidates": [gap.better, gap.other],
                "sr_psnr": list(gap.psnr),
                "gap": gap.gap,
                "change": test.difference if test else None,
                "interval": [test.low, test.high] if test else None,
                "p": test.p if test else None,
                "stable": test.equivalent if test else None,
                "patients": test.patients if test else None,
            }
        )
        lines.append(
            [
                gap.cell.axis or "base",
                gap.cell.value or recipe,
                f"{gap.better} - {gap.other}",
                " / ".join(map(number, gap.psnr)),
                number(gap.gap, signed=True),
                number(test.difference, signed=True) if test else ABSENT,
                interval_text((test.low, test.high) if test else None),
                number(test.p, 4) if test else ABSENT,
                ("yes" if test.equivalent else "no") if test else ABSENT,
            ]
        )
    tested = [gap.stability for gap in gaps if gap.stability]
    stable = sum(test.equivalent for test in tested)
    title = (
        f"{data}, recipe {recipe}: the gap stays within {margin:g} dB in {stable} of {len(tested)} changed cells "
        f"(equivalence test over {tested[0].patients} patients, level 0.05)"
    )
    payload: Ablated = {"title": title, "data": data, "recipe": recipe, "margin": margin, "rows": records}
    show(Sheet(_HEADERS, lines, records, payload, title, text_columns=3), form)
