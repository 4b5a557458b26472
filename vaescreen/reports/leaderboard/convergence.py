"""Whether reference points are trained far enough: a quarter, half and the whole of the budget."""

from collections.abc import Sequence
from statistics import fmean

import numpy as np

from vaescreen.predictor.points import TARGETS
from vaescreen.predictor.scores import tau_by_data
from vaescreen.ranking.columns import ABSENT, number
from vaescreen.ranking.table import Record
from vaescreen.reports.leaderboard.board import Board
from vaescreen.reports.markdown import table

_TITLES = dict(zip(TARGETS, ("SR PSNR", "posterior mean"), strict=True))
_STEPS = {"a quarter to half": ("_quarter", "_half"), "half to all": ("_half", "")}


def convergence(boards: Sequence[Board]) -> list[str]:
    """Render, for each data set with reference points, how SR PSNR and its order moved as the budget doubled."""
    lines = [
        [board.data, str(len(board.seeds)), _TITLES[target], *_moves(board, target)]
        for board in boards
        if board.seeds
        for target in TARGETS
    ]
    if not lines:
        return []
    moves = [f"{what}, {name}" for name in _STEPS for what in ("rise", "tau")]
    return [
        "### Convergence of the reference points",
        "From a quarter of the training samples to half, and from half to all of them: mean rise in dB, and "
        "Kendall's tau between both orders of the candidates, means of the seeds that were evaluated at both.",
        table(["data set", "candidates", "output", *moves], lines, 3),
    ]


def _moves(board: Board, target: str) -> list[str]:
    """Rise and tau of each step, from the seeds that were evaluated at both ends; absent if a candidate has none."""
    cells = []
    for ends in _STEPS.values():
        keys = [target + end for end in ends]
        means = [_mean(seeds, keys) for seeds in board.seeds.values()]
        if any(mean is None for mean in means):
            cells += [ABSENT, ABSENT]
            continue
        before, after = np.array(means).T
        tau = tau_by_data(after, before, [board.data] * len(after)).get(board.data)
        cells += [number(float((after - before).mean()), signed=True), ABSENT if tau is None else number(tau)]
    return cells


def _mean(seeds: Sequence[Record], keys: Sequence[str]) -> list[float] | None:
    whole = [seed["summary"] for seed in seeds if all(key in seed["summary"] for key in keys)]
    return [fmean(summary[key] for summary in whole) for key in keys] if whole else None
