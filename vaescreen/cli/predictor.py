"""`vaescreen predictor`: fit it to reference points, put its errors beside the published rule's, look inside."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typing_extensions import TypedDict

from vaescreen.cli import options
from vaescreen.cli.grouping import Commands, prints
from vaescreen.cli.options import Format
from vaescreen.cli.printing import show, tell
from vaescreen.errors import ResultError

if TYPE_CHECKING:
    from vaescreen.predictor.fitted import FittedPredictor
    from vaescreen.predictor.points import Point

app = Commands(no_args_is_help=True, help="Predictor of SR PSNR: fit, validate, show, card.")


class Origin(StrEnum):
    """Which reference points a predictor is fitted to."""

    OWN = "own"
    SHIPPED = "shipped"
    BOTH = "both"


PointsFrom = Annotated[
    Path | None,
    typer.Option(
        "--from",
        metavar="DIR",
        help="Folder with reference points and score cards.",
        show_default="the points inside the shipped predictor",
    ),
]
PredictorFile = Annotated[
    Path | None,
    typer.Option("--file", metavar="FILE", help="A fitted predictor.", show_default="the shipped one"),
]


class Fitted(TypedDict):
    """The file of a predictor, and how many reference points it was fitted to."""

    file: str
    recipe: str
    points: int


@app.command()
@prints(list[Fitted])
def fit(
    results: options.Results = None,
    recipe: options.Recipe = "compact",
    origin: Annotated[
        Origin,
        typer.Option(
            "--points",
            help="Fit to the points under --results (own), to those inside the shipped predictor, or to both.",
        ),
    ] = Origin.OWN,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help=options.OUT_HELP, show_default="the shipped file, in a source tree"
        ),
    ] = None,
    form: options.OutputFormat = Format.TABLE,
) -> None:
    """Fit the predictor to all reference points of a recipe.

    Where a candidate on a data set is among your own points and the shipped ones, yours count. `rank --predictor`
    ranks by the file that is written.

    Examples
    --------
    vaescreen predictor fit --points both --out mine.json
    vaescreen predictor fit --results path/to/results --recipe compact --out mine.json --format json
    """
    from vaescreen.predictor import files, fitted, points

    target = out or _shipped_in_source_tree(recipe)
    own = [] if origin is Origin.SHIPPED else points.load_points(options.results_folder(results), recipe)
    shipped = [] if origin is Origin.OWN else _shipped_points(recipe)
    predictor = fitted.fit(points.merge_points(shipped, own), recipe)
    files.save(predictor, target)
    record: Fitted = {"file": str(target), "recipe": recipe, "points": len(predictor.points)}
    tell([f"{target}: fitted to {len(predictor.points)} reference points"], [record], form)


@app.command()
@prints("vaescreen.cli.validation_sheet:ValidateJson")
def validate(
    folder: PointsFrom = None,
    recipe: options.Recipe = "compact",
    quick: Annotated[
        bool,
        typer.Option("--quick", help="Only the table: no noise floor, learning curve, interference."),
    ] = False,
    form: options.OutputFormat = Format.TABLE,
) -> None:
    """Score predictors on what was left out: candidates, families, geometries, domains, data sets, others' models.

    MAE, RMSE, regret and the mean width of the 90 % interval are in dB; tau is the smallest and regret the
    largest of the data sets. Below: the noise of training seeds, which no predictor can pass; the learning curve;
    permuted targets, random features, families left out; the published points.

    Examples
    --------
    vaescreen predictor validate --quick
    vaescreen predictor validate --from path/to/results --format json
    """
    from vaescreen.cli import validation_sheet
    from vaescreen.predictor import points, validation
    from vaescreen.predictor.examination import examine
    from vaescreen.predictor.external import external_check

    known = points.load_points(folder, recipe) if folder else _shipped_points(recipe)
    if quick:
        reports = {target: validation.validate(known, target) for target in points.TARGETS}
        show(validation_sheet.quick_sheet(reports), form)
    else:
        examinations = {target: examine(known, target) for target in points.TARGETS}
        show(validation_sheet.full_sheet(examinations, external_check(known)), form)


@app.command(name="show")
@prints("vaescreen.cli.predictor_sheet:ShowJson", "vaescreen.cli.predictor_sheet:RecordJson")
def show_predictor(
    recipe: options.Recipe = "compact",
    file: PredictorFile = None,
    figure: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also draw partial plots into this SVG file.", show_default=False),
    ] = None,
    record: Annotated[
        bool,
        typer.Option("--record", help="Show instead how predictions made before a training fared."),
    ] = False,
    results: options.Results = None,
    form: options.OutputFormat = Format.TABLE,
) -> None:
    """Print the coefficients with intervals and the errors by candidate, or the track record.

    The track record holds what was predicted before a training beside what the training reached, for every reference
    point that was made since there was a predictor.

    Examples
    --------
    vaescreen predictor show
    vaescreen predictor show --record
    vaescreen predictor show --file mine.json --figure slopes.svg
    """
    from vaescreen.cli import predictor_sheet

    if record:
        show(predictor_sheet.record_sheet(options.results_folder(results), recipe), form)
        return
    fitted = _fitted(recipe, file)
    if figure is not None:
        _draw(fitted, figure)
    show(predictor_sheet.predictor_sheet(fitted), form)


@app.command()
@prints("vaescreen.cli.predictor_sheet:ShowJson")
def card(
    recipe: options.Recipe = "compact",
    file: PredictorFile = None,
    form: options.OutputFormat = Format.MARKDOWN,
) -> None:
    """Print the model card, by default as Markdown: what it rests on, coefficients, scores, limits.

    Examples
    --------
    vaescreen predictor card
    vaescreen predictor card --file mine.json
    """
    from vaescreen.cli import predictor_sheet
    from vaescreen.reports.leaderboard.model_card import model_card

    if form is Format.MARKDOWN:
        print(model_card(_fitted(recipe, file)))
    else:
        show(predictor_sheet.predictor_sheet(_fitted(recipe, file)), form)


def _draw(fitted: "FittedPredictor", path: Path) -> None:
    from vaescreen.cli.application import complain
    from vaescreen.reports.leaderboard.partial_plots import partial_plots
    from vaescreen.storage import write_bytes

    if path.suffix != ".svg":
        raise ResultError(f"{path} does not end in .svg; give --figure a file that does")
    write_bytes(path, partial_plots(fitted))
    complain(f"wrote {path}")


def _fitted(recipe: str, file: Path | None) -> "FittedPredictor":
    from vaescreen.predictor import files

    path = file or files.shipped_path(recipe)
    if file is None and not path.is_file():
        raise ResultError(f"no predictor is shipped for recipe {recipe!r}; fit one with `predictor fit`")
    return files.load(path)


def _shipped_points(recipe: str) -> "list[Point]":
    return list(_fitted(recipe, None).points)


def _shipped_in_source_tree(recipe: str) -> Path:
    from vaescreen.predictor import files

    path = files.shipped_path(recipe)
    if not (Path(__file__).parents[2] / "pyproject.toml").is_file():
        raise ResultError("this is an installed package, whose predictor stays as it is; give --out FILE")
    return path
