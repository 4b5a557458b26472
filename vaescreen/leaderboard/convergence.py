"""Whether reference points are trained far enough: half the budget against the whole of it."""

from collections.abc import Sequence

import numpy as np

from vaescreen.leaderboard.board import Board
from vaescreen.leaderboard.columns import ABSENT, number
from vaescreen.leaderboard.markdown import table
from vaescreen.predictor.points import TARGETS
from vaescreen.predictor.scores import tau_by_data


def convergence(boards: Sequence[Board]) -> list[str]:
    """Render, for each data set with reference points, how SR PSNR and its order still moved after half the budget."""
    lines = [_line(board) for board in boards if board.references]
    if not lines:
        return []
    return [
        "### Convergence of the reference points",
        "From half the training samples to all of them: mean rise in dB, and Kendall's tau between both orders "
        "of the candidates.",
        table(["data set", "points", "SR PSNR rises", "tau", "posterior mean rises", "tau"], lines),
    ]


def _line(board: Board) -> list[str]:
    summaries = [record["summary"] for record in board.references.values()]
    cells = [board.data, str(len(summaries))]
    for target in TARGETS:
        half, full = (np.array([each[key] for each in summaries]) for key in (f"{target}_half", target))
        tau = tau_by_data(full, half, [board.data] * len(full)).get(board.data)
        cells += [number(float((full - half).mean()), signed=True), ABSENT if tau is None else number(tau)]
    return cells
