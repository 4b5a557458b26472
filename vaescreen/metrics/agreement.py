"""Agreement of two measures of the same patients: bias, limits of agreement, bias that grows with the level.

References
----------
Bland, Altman: Measuring agreement in method comparison studies. Statistical Methods in Medical Research 8, 1999
(limits and their standard error in section 2, regression of the difference on the average in section 3.2).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from vaescreen.errors import DataError

Ends = tuple[float, float]


@dataclass(frozen=True)
class Agreement:
    """How far one measure is from another, patient by patient, in the unit of the measures.

    Attributes
    ----------
    bias : float
        Mean difference, second less first, over patients.
    bias_interval : (float, float)
        Of the bias, from t.
    lower, upper : float
        Limits of agreement: bias -+ 1.96 SD of the differences; 95 % of patients are expected between them.
    lower_interval, upper_interval : (float, float)
        Of the limits.
    slope : float
        Change of the difference for each unit of the two measures' average: 0 if the bias is the same at every
        level, NaN if all patients are at one level.
    slope_interval : (float, float)
        Of the slope, from t.
    slope_p : float
        Two-sided, of a slope of 0.
    patients : int
        Number of patients.
    """

    bias: float
    bias_interval: Ends
    lower: float
    upper: float
    lower_interval: Ends
    upper_interval: Ends
    slope: float
    slope_interval: Ends
    slope_p: float
    patients: int


def agreement(first: ArrayLike, second: ArrayLike, level: float = 0.95) -> Agreement:
    """Bland and Altman's bias and limits, and the regression of the difference on the average.

    Parameters
    ----------
    first, second : array_like
        One finite value a patient, `[patients]`: means over the images of each, in the same order.
    level : float
        Of the intervals.

    Raises
    ------
    DataError
        If lengths differ, there are fewer than three patients, or a value is not finite.
    """
    one, other = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if one.ndim != 1 or one.shape != other.shape or len(one) < 3:
        raise DataError(
            f"agreement: values of shapes {one.shape} and {other.shape}; give one value of each measure for at "
            "least 3 patients"
        )
    if not (np.isfinite(one).all() and np.isfinite(other).all()):
        raise DataError("agreement: a value is not finite; leave that patient out")
    differences, averages = other - one, (one + other) / 2
    n = len(differences)
    bias, sd = float(differences.mean()), float(differences.std(ddof=1))
    z, t = float(stats.norm.ppf(0.975)), float(stats.t.ppf((1 + level) / 2, n - 1))
    bias_error = sd / math.sqrt(n)
    limit_error = sd * math.sqrt(1 / n + z**2 / (2 * (n - 1)))
    lower, upper = bias - z * sd, bias + z * sd
    slope, slope_error = _slope(averages, differences)
    reach = float(stats.t.ppf((1 + level) / 2, n - 2)) * slope_error
    ratio = slope / slope_error if slope_error > 0 else math.copysign(math.inf, slope) if slope else 0.0
    return Agreement(
        bias=bias,
        bias_interval=(bias - t * bias_error, bias + t * bias_error),
        lower=lower,
        upper=upper,
        lower_interval=(lower - t * limit_error, lower + t * limit_error),
        upper_interval=(upper - t * limit_error, upper + t * limit_error),
        slope=slope,
        slope_interval=(slope - reach, slope + reach),
        slope_p=float(2 * stats.t.sf(abs(ratio), n - 2)) if math.isfinite(slope) else math.nan,
        patients=n,
    )


def _slope(x: np.ndarray, y: np.ndarray) -> Ends:
    """Least-squares slope and its standard error."""
    centred = x - x.mean()
    spread = float(centred @ centred)
    if spread <= 1e-24 * max(float(x @ x), 1e-300) * len(x):
        return math.nan, math.nan
    slope = float(centred @ y) / spread
    residuals = y - y.mean() - slope * centred
    return slope, math.sqrt(float(residuals @ residuals) / (len(x) - 2) / spread)
