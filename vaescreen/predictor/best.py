"""How likely each of several candidates is the best of them, and which two predictions cannot be told apart."""

import numpy as np

from vaescreen.predictor.sample import Vector


def probability_of_best(predicted: Vector, errors: Vector) -> Vector:
    """Probability that each candidate's true value is the largest.

    Every candidate's value is its prediction plus an error drawn from `errors`, independently of the others:
    what the errors on one data set have in common cancels between candidates and must have been taken out.
    With F the distribution of the errors, candidate i is best with probability
    `mean over e of prod over j != i of F(predicted_i + e - predicted_j)`; computed exactly, equal values
    counting half.

    Parameters
    ----------
    predicted : ndarray
        Predictions in dB, `[m]`.
    errors : ndarray
        Errors in dB, `[n]`, such as those of `Jackknife.errors_within_data`.

    Returns
    -------
    ndarray
        Probabilities that sum to 1, `[m]`.
    """
    ordered = np.sort(errors)
    values = predicted[:, None] + errors
    differences = values[:, :, None] - predicted
    below = np.searchsorted(ordered, differences, side="left")
    not_above = np.searchsorted(ordered, differences, side="right")
    surpassed = (below + not_above) / (2 * len(ordered))
    own = np.arange(len(predicted))
    surpassed[own, :, own] = 1.0
    best = surpassed.prod(axis=2).mean(axis=1)
    probability: Vector = best / best.sum()
    return probability


def indistinguishable(errors: Vector, level: float) -> float:
    """Difference of two predictions in dB that errors alone exceed in only `1 - level` of pairs of candidates.

    Parameters
    ----------
    errors : ndarray
        Errors in dB, at least two, `[n]`, such as those of `Jackknife.errors_within_data`.
    level : float
        In (0, 1).
    """
    first, second = np.triu_indices(len(errors), 1)
    return float(np.quantile(np.abs(errors[first] - errors[second]), level))
