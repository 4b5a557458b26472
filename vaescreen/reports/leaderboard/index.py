"""The index of the leaderboards: best candidates, worth of the predictors, gains over patch PCA."""

from collections.abc import Sequence
from urllib.parse import quote

from vaescreen.autoencoders.contract import Geometry
from vaescreen.predictor.catalogue import OURS, PUBLISHED
from vaescreen.predictor.scores import Scores
from vaescreen.ranking.columns import ABSENT, number
from vaescreen.ranking.table import FLOOR, TARGET_NAMES
from vaescreen.reports.leaderboard.board import Board, Leaderboard, Study
from vaescreen.reports.leaderboard.figures import of_study
from vaescreen.reports.leaderboard.page import Registered, unscored
from vaescreen.reports.leaderboard.track_record import track_record
from vaescreen.reports.markdown import bullets, document, escaped, table

_BASELINE = "linear-pca"
_BUNDLED = "bundled-"


def index_page(leaderboard: Leaderboard, registered: Registered) -> str:
    """Render `README.md` of the leaderboards."""
    points = sum(len(study.outcomes) for study in leaderboard.studies)
    cards = sum(len(board.cards) for board in leaderboard.boards)
    return document(
        [
            "# Leaderboards",
            unscored({name for board in leaderboard.boards for name in board.cards}, registered),
            "Which autoencoder should a latent-diffusion super-resolution model be built on? Every candidate "
            "is screened on the test images of each data set: reconstruction, probes, time. A predictor "
            "turns a score card into the SR PSNR that training would reach; it is fitted to reference "
            "points, which were trained and measured. "
            f"These pages show {cards} score cards and {points} reference points. "
            "All PSNRs are in dB against the true HR image.",
            "## Summary",
            table(
                [
                    "data set",
                    "images",
                    "candidates",
                    "ranked first",
                    "predicted",
                    "measured",
                    "best measured",
                    "bicubic",
                ],
                map(_summary, leaderboard.boards),
                4,
            ),
            *(
                [bullets(["Left out as doubtful:", *map(escaped, leaderboard.doubts)])]
                if leaderboard.doubts
                else []
            ),
            *(part for study in leaderboard.studies for part in _study(study)),
            *_gains(leaderboard.boards),
            "## Pages and figures",
            bullets(_contents(leaderboard)),
        ]
    )


def _contents(leaderboard: Leaderboard) -> list[str]:
    figures = [
        f"[{figure.title}](figures/{figure.file})"
        for study in leaderboard.studies
        for figure in of_study(study)
    ]
    pages = [f"[{escaped(board.title)}]({quote(board.data)}.md)" for board in leaderboard.boards]
    return [*pages, *figures]


def _summary(board: Board) -> list[str]:
    card = next(iter(board.cards.values()))
    first = next((row for row in board.rows if row.rank == 1), None)
    floor = next((row for row in board.rows if row.candidate == FLOOR), None)
    trained = [row for row in board.rows if row.sr_psnr is not None and not row.floor]
    best = max(trained, key=lambda row: row.sr_psnr or 0.0, default=None)
    kind = "GENERATED PHANTOMS" if card["data"]["kind"] == "phantom" else "REAL"
    return [
        f"[{escaped(board.data)}]({quote(board.data)}.md)",
        f"{card['counts']['test_images']} {kind}",
        str(len(board.cards)),
        escaped(first.candidate) if first else ABSENT,
        number(first.predicted_sr_psnr if first else None),
        number(first.sr_psnr if first else None),
        f"{escaped(best.candidate)} {number(best.sr_psnr)}" if best else ABSENT,
        number(floor.sr_psnr if floor else None),
    ]


def _study(study: Study) -> list[str]:
    """How good the predictions of a recipe are, its figures, and why there are none, if so."""
    parts = [f"## How good the predictions are: recipe {study.recipe}"]
    if study.reason:
        parts.append(f"No predictor: {study.reason}.")
    for target, report in study.reports.items():
        lines = [
            [scheme, name, *_scores(scores[name])]
            for scheme, scores in report.schemes.items()
            for name in scores
        ]
        in_sample = ", ".join(
            f"{name} {number(report.in_sample[name])}"
            for name in (PUBLISHED, OURS)
            if name in report.in_sample
        )
        sets = ", ".join(report.data_sets)
        parts += [
            f"### {TARGET_NAMES[target]}",
            f"{report.points} points: {report.candidates} candidates on {sets}. "
            f"In-sample R²: {in_sample or ABSENT}.",
            table(
                ["left out", "predictor", "Q²", "MAE", "RMSE", "tau", "regret", "coverage", "width"], lines, 2
            ),
        ]
    return [
        *parts,
        bullets(
            [
                "**published**: a straight line on the AE ceiling; **constant**: the mean; **probe**: a straight line "
                "on the one probe that does the same task; **ours**: that probe, corrected by a kernel ridge "
                "regression whose strength is chosen inside the validation.",
                "**Q²**: 1 − squared error of the left-out points / their variance; **MAE**, **RMSE** in dB.",
                "**tau**: Kendall's, the smallest of the data sets; **regret**: dB lost by picking the "
                "predicted best, the largest of the data sets.",
                "**coverage**: share of points inside their 90 % interval; **width**: its mean width in dB.",
            ]
        ),
        *(figure.markdown() for figure in of_study(study)),
        *track_record(study.recipe, study.foreseen),
    ]


def _scores(scores: Scores) -> list[str]:
    values = (scores.q2, scores.mae, scores.rmse, scores.tau, scores.regret, scores.coverage, scores.width)
    return [number(value) for value in values]


def _gains(boards: Sequence[Board]) -> list[str]:
    """AE ceiling of bundled autoencoders over that of patch PCA, by geometry and data set."""
    gains: dict[tuple[Geometry, str, str], float] = {}
    for board in boards:
        cards = board.cards.values()
        floors = {
            Geometry(**card["geometry"]): card["summary"]["psnr"]
            for card in cards
            if card["family"] == _BASELINE
        }
        for card in cards:
            geometry = Geometry(**card["geometry"])
            if card["family"].startswith(_BUNDLED) and geometry in floors:
                gain = card["summary"]["psnr"] - floors[geometry]
                gains[geometry, board.data, card["domain"]] = gain
    if not gains:
        return []
    domains = sorted({domain for _, _, domain in gains})
    geometries = sorted({geometry for geometry, _, _ in gains}, key=lambda g: (g.factor, g.channels))
    lines = [
        [
            str(geometry),
            *(
                " / ".join(
                    number(gains.get((geometry, board.data, domain)), signed=True) for domain in domains
                )
                for board in boards
            ),
        ]
        for geometry in geometries
    ]
    return [
        "## What training is worth: bundled autoencoders over patch PCA",
        f"Gain in AE ceiling over patch PCA of the same geometry, dB: {' / '.join(domains)} autoencoder. "
        "Patch PCA is fitted on the train split of each data set; the autoencoders are as shipped.",
        table(["geometry", *(board.data for board in boards)], lines),
    ]
