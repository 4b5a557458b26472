"""The model card of a fitted predictor, as Markdown."""

from collections.abc import Iterator

from vaescreen.predictor.catalogue import OURS, PREDICTORS, PUBLISHED
from vaescreen.predictor.description import average_slopes, equation, residuals, sources
from vaescreen.predictor.fitted import FittedPredictor
from vaescreen.predictor.points import TARGETS
from vaescreen.predictor.validation import ValidationReport, validate
from vaescreen.ranking.columns import number
from vaescreen.ranking.table import TARGET_NAMES
from vaescreen.reports.markdown import bullets, table

_SHOWN = 5


def model_card(fitted: FittedPredictor) -> str:
    """Render what the predictor is, what it rests on, how good it is and where it is not.

    It is validated anew from its own points, so that the card holds for this file and no other.
    """
    of = sources(fitted)
    return "\n\n".join(
        [
            f"# Predictor of recipe {fitted.recipe}",
            "Foresees what a latent diffusion model trained by the recipe would reach against the true HR image, in "
            "dB: SR PSNR of one sample and of the posterior mean, and the detail that a sample keeps; from a score "
            f"card of {fitted.definition}. Each is what a probe of the same task reaches, "
            "corrected by a mostly smooth kernel ridge regression, whose strength is chosen by its "
            "error on candidates and data sets left out; 90 % intervals by jackknife+ that leave out what is new: "
            "the candidate, its geometry, or the data set.",
            "## What it rests on",
            bullets(
                [
                    f"{len(fitted.points)} reference points, {_seeds(fitted)} trainings",
                    *(
                        f"{len(names)} {what.replace('_', ' ')}: {', '.join(names)}"
                        for what, names in of.items()
                    ),
                ]
            ),
            *(part for target in TARGETS for part in _target(fitted, target)),
            "## Limits",
            bullets(
                [
                    "Only what the reference points span: a prediction outside is marked as extrapolation.",
                    f"One recipe: nothing is said of other recipes than {fitted.recipe}, nor of other image sizes "
                    "or degradations; a card of another definition is refused.",
                    "PSNR alone: neither perceptual quality nor diagnostic use is predicted.",
                    "On a data set without reference points the level is less sure than the order; the interval "
                    "widens accordingly.",
                ]
            ),
        ]
    )


def _seeds(fitted: FittedPredictor) -> int:
    return sum(point.seeds for point in fitted.points)


def _target(fitted: FittedPredictor, target: str) -> Iterator[str]:
    yield f"## {TARGET_NAMES[target]}"
    yield f"    {target} = {equation(fitted, target)}"
    yield table(
        ["feature", "average slope, dB per unit", "90 % interval"],
        [
            [each.name, number(each.value, 3), f"{number(each.low, 3)} to {number(each.high, 3)}"]
            for each in average_slopes(fitted, target)
        ],
    )
    shown = {name: PREDICTORS[name] for name in (PUBLISHED, OURS)}
    yield _scores(validate(fitted.points, target, predictors=shown))
    yield "Candidates with the largest errors when left out (measured less predicted, dB):"
    yield table(
        ["candidate", "mean", "by data set"],
        [
            [
                each.candidate,
                number(each.mean, signed=True),
                ", ".join(f"{data} {number(error, signed=True)}" for data, error in each.by_data.items()),
            ]
            for each in residuals(fitted, target)[:_SHOWN]
        ],
    )


def _scores(report: ValidationReport) -> str:
    return table(
        ["left out", "predictor", "Q²", "MAE", "tau", "regret", "coverage", "width"],
        [
            [
                scheme,
                name,
                *(
                    number(value)
                    for value in (
                        *(scores[name].q2, scores[name].mae, scores[name].tau),
                        *(scores[name].regret, scores[name].coverage, scores[name].width),
                    )
                ),
            ]
            for scheme, scores in report.schemes.items()
            for name in scores
        ],
        2,
    )
