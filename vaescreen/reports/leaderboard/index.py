"""The index of the leaderboards: a line a data set, the worth of the predictions, and what others published."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from vaescreen.ranking.columns import ABSENT, number
from vaescreen.ranking.table import FLOOR
from vaescreen.reports.leaderboard.as_published import as_published
from vaescreen.reports.leaderboard.board import Board
from vaescreen.reports.leaderboard.page import Registered, unscored
from vaescreen.reports.leaderboard.study_page import Evaluation, study_in_short
from vaescreen.reports.markdown import bullets, document, escaped, table

_HEADERS = ("data set", "test images", "candidates", "ranked first", "predicted", "best measured", "bicubic")


def summary(board: Board) -> dict[str, Any]:
    """What the index says of a data set, JSON-able: its line, its candidates, and whether its images are real."""
    card = next(iter(board.cards.values()))
    first = next((row for row in board.rows if row.rank == 1), None)
    floor = next((row for row in board.rows if row.candidate == FLOOR), None)
    trained = [row for row in board.rows if row.sr_psnr is not None and not row.floor]
    best = max(trained, key=lambda row: row.sr_psnr or 0.0, default=None)
    line = [
        f"[{escaped(board.data)}]({quote(board.data)}.md)",
        f"{card['counts']['test_images']} {'REAL' if board.is_real else 'GENERATED PHANTOMS'}",
        str(sum(not row.floor for row in board.rows)),
        escaped(first.candidate) if first else ABSENT,
        number(first.predicted_sr_psnr if first else None),
        f"{escaped(best.candidate)} {number(best.sr_psnr)}" if best else ABSENT,
        number(floor.sr_psnr if floor else None),
    ]
    return {"line": line, "candidates": list(board.cards), "real": board.is_real}


def index_page(
    boards: Sequence[dict[str, Any]],
    evaluations: Sequence[tuple[str, Evaluation]],
    registered: Registered,
    doubts: Sequence[str],
) -> str:
    """Render `README.md` of the leaderboards.

    Parameters
    ----------
    boards
        What `summary` gave of each data set, in the order that they are shown in.
    evaluations
        Of each recipe, the address of its page and what is known of its predictions.
    registered
        Entries of the package's own registry by name.
    doubts
        Which results are left out, and why.
    """
    return document(
        [
            "# Leaderboards",
            unscored({name for board in boards for name in board["candidates"]}, registered),
            "Which autoencoder should a latent-diffusion super-resolution model be built on? Every candidate is "
            "screened on the test images of each data set. A predictor turns its score card into the SR PSNR that "
            "training would reach; it is fitted to reference points, which were trained and measured. PSNRs are in dB "
            "against the true HR image.",
            table(_HEADERS, [board["line"] for board in boards], 4),
            bullets(["Left out as doubtful:", *map(escaped, doubts)]) if doubts else "",
            *(part for page, evaluation in evaluations for part in study_in_short(evaluation, page)),
            *as_published(),
        ]
    )
