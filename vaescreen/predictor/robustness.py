"""Whether a predictor's score is earned: learning curve, shuffled targets, useless features, missing families."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from vaescreen.errors import ResultError
from vaescreen.predictor.catalogue import CORRECTIONS, PREDICTOR
from vaescreen.predictor.model import Fits, Model
from vaescreen.predictor.points import Point
from vaescreen.predictor.sample import Sample, Vector
from vaescreen.predictor.scores import Predictions, Scores, explained, score
from vaescreen.predictor.validation import values_held_out

_SMALLEST_SHARE = 3
_REPEATS = 20
_PERMUTATIONS = 19
"""The fewest of which a permutation test can say p = 0.05."""
_RANDOM_FEATURES = 10
_RANDOM_DRAWS = 3


@dataclass(frozen=True)
class Rung:
    """Learning curve at one size: mean scores on the candidates that were not drawn; `mae` and its spread in dB."""

    candidates: int
    points: int
    mae: float
    mae_sd: float
    q2: float
    tau: float


@dataclass(frozen=True)
class Robustness:
    """Leave-one-candidate-out scores under interference; `plain` is without any.

    `permuted_q2` are the Q^2 of repeated permutations of the target among the points; `random_features` the
    scores with ten columns of noise among the features, one for each draw; `without_family`
    the scores on the other families' points when a family has no reference points at all.

    Nothing bounds a single permuted Q^2, or the mean of a few: with few points a permutation may resemble the truth.
    What is exact, whatever the law of the targets, is that the plain Q^2 would be as likely in any place among the
    permuted ones if features told nothing of targets.
    """

    plain: Scores
    permuted_q2: tuple[float, ...]
    random_features: tuple[Scores, ...]
    without_family: dict[str, Scores]

    @property
    def permutation_p(self) -> float:
        """Chance of a plain Q^2 this high among the permuted ones, if features told nothing of targets.

        The permutation as it stands counts as one of them (Phipson, Smyth: Permutation p-values should never be
        zero, Statistical Applications in Genetics and Molecular Biology 9, 2010).
        """
        as_high = sum(self.plain.q2 is None or q2 >= self.plain.q2 for q2 in self.permuted_q2)
        return (1 + as_high) / (1 + len(self.permuted_q2))


def learning_curve(
    points: Sequence[Point], target: str = "sr_psnr", predictor: Fits[Model] = PREDICTOR
) -> list[Rung]:
    """Fit to a few candidates, drawn at random 20 times a size, and predict all others.

    Sizes step by two from a third of the candidates to all but two; draws that do not determine the predictor
    are left out, and sizes without any other. Draws are always the same.
    """
    sample = Sample.of(points, target)
    names = np.unique(sample.candidates)
    random = np.random.default_rng(0)
    rungs = []
    for size in range(max(3, len(names) // _SMALLEST_SHARE), len(names) - 1, 2):
        scores, known = [], []
        for _ in range(_REPEATS):
            drawn = np.isin(sample.candidates, random.choice(names, size, replace=False))
            rest = sample.take(~drawn)
            try:
                value = predictor.fit(sample.take(drawn)).predict(rest.columns)
            except ResultError:
                continue
            scores.append(_score(rest, value))
            known.append(int(drawn.sum()))
        if scores:
            rungs.append(_rung(size, known, scores))
    return rungs


def robustness(points: Sequence[Point], target: str = "sr_psnr") -> Robustness:
    """Disturb our predictor and score it, each candidate left out.

    Raises
    ------
    ResultError
        If the points do not determine it.
    """
    sample = Sample.of(points, target)
    random = np.random.default_rng(0)
    permuted = []
    for _ in range(_PERMUTATIONS):
        shuffled = replace(sample, target=random.permutation(sample.target))
        value = values_held_out(PREDICTOR, shuffled, shuffled.candidates)
        permuted.append(explained(shuffled.target, value))
    families = np.array([point.family for point in points])
    without = {}
    for family in np.unique(families):
        try:
            without[str(family)] = _left_out(PREDICTOR, sample.take(families != family))
        except ResultError:
            continue
    return Robustness(
        _left_out(PREDICTOR, sample),
        tuple(permuted),
        tuple(_with_noise(sample, random) for _ in range(_RANDOM_DRAWS)),
        without,
    )


def _with_noise(sample: Sample, random: np.random.Generator) -> Scores:
    noise = {f"random-{place}": random.standard_normal(len(sample)) for place in range(_RANDOM_FEATURES)}
    noisy = replace(PREDICTOR, corrections=(*CORRECTIONS, *noise))
    return _left_out(noisy, replace(sample, columns=sample.columns | noise))


def _left_out(predictor: Fits[Model], sample: Sample) -> Scores:
    return _score(sample, values_held_out(predictor, sample, sample.candidates))


def _score(sample: Sample, value: Vector) -> Scores:
    unbounded = np.full_like(value, np.inf)
    return score(sample.target, Predictions(value, -unbounded, unbounded), sample.data)


def _rung(size: int, known: Sequence[int], scores: Sequence[Scores]) -> Rung:
    maes = np.array([each.mae for each in scores])
    return Rung(
        candidates=size,
        points=round(float(np.mean(known))),
        mae=float(maes.mean()),
        mae_sd=float(maes.std()),
        q2=float(np.mean([each.q2 for each in scores if each.q2 is not None])),
        tau=float(np.mean([each.tau_mean for each in scores if each.tau_mean is not None])),
    )
