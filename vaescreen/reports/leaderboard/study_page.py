"""The page of a recipe as Markdown: how good its predictions are, left out each way and foreseen."""

from collections.abc import Mapping, Sequence
from typing import Any

from vaescreen.predictor.catalogue import OURS, PUBLISHED
from vaescreen.ranking.columns import ABSENT, number
from vaescreen.ranking.table import TARGET_NAMES, Record
from vaescreen.reports.leaderboard.figures import of_study
from vaescreen.reports.leaderboard.study import Outcome
from vaescreen.reports.leaderboard.track_record import track_record
from vaescreen.reports.markdown import bullets, details, document, table

Evaluation = Mapping[str, Any]
"""What `vaescreen.reports.leaderboard.study.Study.evaluate` gives."""

_SCORES = {
    "Q²": "q2", "MAE": "mae", "tau": "tau", "regret": "regret", "coverage": "coverage", "width": "width",
}  # fmt: skip
_IN_SHORT = {
    "leave-one-candidate-out": "the candidate",
    "leave-one-geometry-out": "all of its geometry",
    "leave-one-data-set-out": "the data set",
    "published-out": "all published autoencoders",
}
"""Schemes of validation that the index shows, by what is left out."""


def study_page(evaluation: Evaluation, foreseen: Sequence[Record]) -> str:
    """Render the page of a recipe."""
    recipe = evaluation["recipe"]
    outcomes = [Outcome.from_json(record) for record in evaluation["outcomes"]]
    candidates, data = (sorted({getattr(each, name) for each in outcomes}) for name in ("candidate", "data"))
    return document(
        [
            f"# Predictions of recipe {recipe}",
            f"{len(outcomes)} reference points, trained and measured: {len(candidates)} candidates on "
            f"{', '.join(data)}. Each is predicted below without what is named in the first column.",
            _no_predictor(evaluation),
            *(figure.markdown() for figure in of_study(recipe, outcomes)),
            *(part for target in evaluation["reports"] for part in _target(evaluation, target)),
            bullets(
                [
                    "**published**: a straight line on the AE ceiling; **constant**: the mean; **probe**: a straight "
                    "line on the one probe that does the same task; **ours**: that probe, corrected by a kernel ridge "
                    "regression whose strength is chosen inside the validation.",
                    "**Q²**: 1 − squared error of the left-out points / their variance; **MAE** in dB.",
                    "**tau**: Kendall's, the smallest of the data sets; **regret**: dB lost by picking the predicted "
                    "best, the largest of the data sets.",
                    "**coverage**: share of points inside their 90 % interval; **width**: its mean width in dB.",
                ]
            ),
            *track_record(recipe, foreseen),
        ]
    )


def study_in_short(evaluation: Evaluation, page: str) -> list[str]:
    """Render the part of the index that says how far its predictions can be trusted; `page` is the address of more."""
    schemes = evaluation["reports"]["sr_psnr"]["schemes"]
    lines = [
        [
            left_out,
            *(
                number(schemes[scheme][name][score]) if name in schemes[scheme] else ABSENT
                for score in ("mae", "tau")
                for name in (PUBLISHED, OURS)
            ),
        ]
        for scheme, left_out in _IN_SHORT.items()
        if schemes.get(scheme)
    ]
    recipe = evaluation["recipe"]
    return [
        f"## How good the predictions are: recipe {recipe}",
        _no_predictor(evaluation),
        table(["left out", "MAE of the published rule", "ours", "tau of the published rule", "ours"], lines)
        if lines
        else "",
        f"SR PSNR, MAE in dB and Kendall's tau, of {len(evaluation['outcomes'])} reference points predicted without "
        f"what is named; the published rule is a straight line on the AE ceiling. [All figures]({page}).",
    ]


def _no_predictor(evaluation: Evaluation) -> str:
    return f"No predictor: {evaluation['reason']}." if evaluation["reason"] else ""


def _target(evaluation: Evaluation, target: str) -> list[str]:
    report = evaluation["reports"][target]
    tables = {
        shown: table(
            ["left out", "predictor", *_SCORES],
            [
                [scheme, name, *(number(scores[name][score]) for score in _SCORES.values())]
                for scheme, scores in report["schemes"].items()
                for name in scores
                if (name in (PUBLISHED, OURS)) is shown
            ],
            2,
        )
        for shown in (True, False)
    }
    in_sample = ", ".join(
        f"{name} {number(report['in_sample'][name])}"
        for name in (PUBLISHED, OURS)
        if name in report["in_sample"]
    )
    return [
        f"## {TARGET_NAMES[target]}",
        tables[True],
        f"In-sample R², which says nothing of a new candidate: {in_sample or ABSENT}.",
        details("The constant and the bare probe", tables[False]),
    ]
