"""`vaescreen predictor`: fit it to reference points, put its errors beside the published rule's, look inside."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vaescreen.cli import options
from vaescreen.cli.options import Format
from vaescreen.cli.printing import Sheet, show
from vaescreen.errors import ResultError

if TYPE_CHECKING:
    from vaescreen.predictor.model import LinearModel
    from vaescreen.predictor.points import Point
    from vaescreen.predictor.validation import ValidationReport

app = typer.Typer(no_args_is_help=True, help="Predictor of SR PSNR: fit, validate, show.")

_SCORES = ("q2", "mae", "rmse", "tau", "regret", "coverage", "width")
_HEADERS = (
    "target",
    "left out",
    "predictor",
    "Q2",
    "MAE",
    "RMSE",
    "tau",
    "regret",
    "coverage",
    "width",
)

PointsFrom = Annotated[
    Path | None,
    typer.Option(
        "--results",
        metavar="DIR",
        help="Folder with reference points and score cards.",
        show_default="the points inside the shipped predictor",
    ),
]


@app.command()
def fit(
    results: options.PublishedResults = None,
    recipe: options.Recipe = "nano",
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Where to write it.", show_default="the shipped file, in a source tree"
        ),
    ] = None,
) -> None:
    """Fit the predictor to all reference points of a recipe."""
    from vaescreen.predictor import points, shipped

    target = out or _shipped_in_source_tree(recipe)
    fitted = shipped.fit(points.load_points(options.published_results(results), recipe), recipe)
    shipped.save(fitted, target)
    print(f"{target}: fitted to {len(fitted.points)} reference points")


@app.command()
def validate(
    results: PointsFrom = None, recipe: options.Recipe = "nano", form: options.OutputFormat = Format.TABLE
) -> None:
    """Score predictors on candidates, families and data sets left out: ours beside the published rule.

    MAE, RMSE, regret and the mean width of the 90 % interval are in dB; tau is the smallest and regret the
    largest of the data sets.
    """
    from vaescreen.predictor.points import TARGETS
    from vaescreen.predictor.validation import validate as validated

    points = _points(results, recipe)
    reports = {target: validated(points, target) for target in TARGETS}
    show(_validation_sheet(reports), form)


@app.command(name="show")
def show_predictor(
    recipe: options.Recipe = "nano",
    file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A fitted predictor.", show_default="the shipped one"),
    ] = None,
    form: options.OutputFormat = Format.TABLE,
) -> None:
    """Print the chosen features, the coefficients and the reference points."""
    from vaescreen.predictor import shipped
    from vaescreen.predictor.points import TARGETS

    fitted = shipped.load(file or shipped.shipped_path(recipe))
    records: list[dict[str, Any]] = [
        {
            "candidate": point.candidate,
            "data": point.data,
            "domain": point.domain,
            "geometry": str(point.geometry),
            **{target: point.targets[target] for target in TARGETS},
            **point.features,
        }
        for point in fitted.points
    ]
    models = {target: jackknife.model for target, jackknife in fitted.targets.items()}
    equations = {target: _equation(model) for target, model in models.items()}
    payload = {
        "recipe": fitted.recipe,
        "definition": fitted.definition._asdict(),
        "models": equations,
        "points": records,
    }
    headers = list(records[0])
    cells = [[_text(record[key]) for key in headers] for record in records]
    notes = [f"{target} = {equation}" for target, equation in equations.items()]
    title = f"Predictor of recipe {fitted.recipe}: {len(records)} reference points at {fitted.definition}"
    show(Sheet(headers, cells, records, payload, title, notes, text_columns=4), form)


def _points(results: Path | None, recipe: str) -> "list[Point]":
    from vaescreen.predictor import points, shipped

    if results is not None:
        return points.load_points(results, recipe)
    path = shipped.shipped_path(recipe)
    if not path.is_file():
        raise ResultError(
            f"no predictor is shipped for recipe {recipe!r}; give --results with reference points"
        )
    return list(shipped.load(path).points)


def _shipped_in_source_tree(recipe: str) -> Path:
    from vaescreen.predictor import shipped

    path = shipped.shipped_path(recipe)
    if not (Path(__file__).parents[2] / "pyproject.toml").is_file():
        raise ResultError("this is an installed package, whose predictor stays as it is; give --out FILE")
    return path


def _validation_sheet(reports: "dict[str, ValidationReport]") -> Sheet:
    records = [
        {"target": target, "scheme": scheme, "predictor": predictor}
        | {score: getattr(scores, score) for score in _SCORES}
        for target, report in reports.items()
        for scheme, predictors in report.schemes.items()
        for predictor, scores in predictors.items()
    ]
    cells = [
        [
            record["target"],
            record["scheme"],
            record["predictor"],
            *(_text(record[score]) for score in _SCORES),
        ]
        for record in records
    ]
    main, *others = reports.values()
    payload: dict[str, Any] = main.as_json() | {
        "other_targets": {report.target: report.as_json() for report in others}
    }
    title = (
        f"Recipe {main.recipe}: {main.points} reference points of {main.candidates} candidates "
        f"on {', '.join(main.data_sets)}"
    )
    notes = [
        "MAE, RMSE, regret and width of the 90 % interval in dB; smallest tau and largest regret of the data sets.",
        *(
            f"In-sample R2 of {target}: "
            + ", ".join(f"{name} {_text(value)}" for name, value in report.in_sample.items())
            for target, report in reports.items()
        ),
        *(f"Absent: {what}: {reason}" for what, reason in main.absent.items()),
    ]
    return Sheet(_HEADERS, cells, records, payload, title, notes, text_columns=3)


def _equation(model: "LinearModel") -> str:
    slopes = zip(model.coefficients, model.form.features, strict=True)
    offset = f"{model.form.offset} + " if model.form.offset else ""
    return offset + " ".join([f"{model.intercept:.3f}", *(f"{slope:+.3f} {name}" for slope, name in slopes)])


def _text(value: float | str | None) -> str:
    from vaescreen.leaderboard.columns import number

    return value if isinstance(value, str) else number(value)
