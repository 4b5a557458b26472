"""What `vaescreen predictor validate` prints."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NotRequired

from typing_extensions import TypedDict

from vaescreen.cli.printing import Sheet
from vaescreen.predictor.scores import Scores

if TYPE_CHECKING:
    from vaescreen.predictor.examination import Examination
    from vaescreen.predictor.external import ExternalCheck
    from vaescreen.predictor.validation import ValidationReport

SCORES = ("q2", "mae", "rmse", "tau", "tau_mean", "regret", "coverage", "width")
_HEADERS = (
    *("target", "left out", "predictor", "Q2", "MAE", "RMSE", "tau", "mean tau"),
    *("regret", "coverage", "width"),
)


class ValidateJson(TypedDict):
    """Scores of predictors on what was left out: by scheme, then by predictor."""

    recipe: str
    target: str
    points: int
    candidates: int
    data_sets: list[str]
    schemes: dict[str, dict[str, Scores]]
    in_sample: dict[str, float | None]
    absent: dict[str, str]
    other_targets: dict[str, Any]
    noise_floor: NotRequired[dict[str, Any] | None]
    learning_curve: NotRequired[list[dict[str, Any]]]
    robustness: NotRequired[dict[str, Any]]
    external: NotRequired[dict[str, Any]]


def quick_sheet(reports: "Mapping[str, ValidationReport]") -> Sheet:
    """Scores of all schemes and predictors, and nothing else."""
    main, *others = reports.values()
    payload = main.as_json() | {"other_targets": {report.target: report.as_json() for report in others}}
    return _sheet(list(reports.values()), payload, [])


def full_sheet(examinations: "Mapping[str, Examination]", external: "ExternalCheck") -> Sheet:
    """Scores, and below them what puts them into perspective."""
    main, *others = examinations.values()
    payload = main.as_json() | {
        "other_targets": {other.report.target: other.as_json() for other in others},
        "external": asdict(external),
    }
    notes = [
        note for target, examination in examinations.items() for note in _perspective(target, examination)
    ]
    notes += [
        f"External check ({external.source}), of predictors that need no probe, fitted to these points: "
        + ", ".join(
            f"{name} MAE {_text(scores.mae)}, bias {_text(external.bias[name], signed=True)}, tau {_text(scores.tau)}"
            for name, scores in external.scores.items()
        )
        + "."
    ]
    return _sheet([each.report for each in examinations.values()], payload, notes)


def _sheet(reports: "list[ValidationReport]", payload: Any, notes: list[str]) -> Sheet:
    records = [
        {"target": report.target, "scheme": scheme, "predictor": predictor}
        | {score: getattr(scores, score) for score in SCORES}
        for report in reports
        for scheme, predictors in report.schemes.items()
        for predictor, scores in predictors.items()
    ]
    cells = [
        [record["target"], record["scheme"], record["predictor"], *(_text(record[name]) for name in SCORES)]
        for record in records
    ]
    main = reports[0]
    title = (
        f"Recipe {main.recipe}: {main.points} reference points of {main.candidates} candidates "
        f"on {', '.join(main.data_sets)}"
    )
    fixed = [
        "MAE, RMSE, regret and width of the 90 % interval in dB; smallest tau and largest regret of the data sets.",
        *(
            f"In-sample R2 of {report.target}: "
            + ", ".join(f"{name} {_text(value)}" for name, value in report.in_sample.items())
            for report in reports
        ),
        *(f"Absent: {what}: {reason}" for what, reason in main.absent.items()),
    ]
    return Sheet(_HEADERS, cells, records, payload, title, [*fixed, *notes], text_columns=3)


def _perspective(target: str, examination: "Examination") -> Iterator[str]:
    floor = examination.floor
    if floor is None:
        yield f"{target}: noise floor unknown: no reference point has two seeds."
    else:
        yield (
            f"{target}: noise floor: seed SD {_text(floor.seed_sd)} dB over {floor.points} points; whoever knew "
            f"the true values would have MAE {_text(floor.mae)}, tau {_text(floor.tau)}, "
            f"regret {_text(floor.regret)}."
        )
    yield f"{target}: learning curve, ours: " + "; ".join(
        f"{rung.candidates} candidates MAE {_text(rung.mae)} (SD {_text(rung.mae_sd)}), Q2 {_text(rung.q2)}"
        for rung in examination.learning_curve
    )
    tried = examination.robustness
    yield (
        f"{target}: ours, each candidate left out: Q2 {_text(tried.plain.q2, 3)}; "
        f"with the targets permuted {len(tried.permuted_q2)} times {_text(max(tried.permuted_q2))} at most, "
        f"p {_text(tried.permutation_p)}; "
        f"with ten random features {', '.join(_text(each.q2, 3) for each in tried.random_features)}; "
        + ", ".join(
            f"without family {family} {_text(each.q2, 3)}" for family, each in tried.without_family.items()
        )
    )


def _text(value: float | None, digits: int = 2, signed: bool = False) -> str:
    from vaescreen.ranking.columns import number

    return number(value, digits, signed)
