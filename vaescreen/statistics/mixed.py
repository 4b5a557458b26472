"""Mixed model of paired differences: a mean, a random intercept for each patient, and images within patients.

References
----------
Laird, Ware: Random-effects models for longitudinal data. Biometrics 38(4), 1982.
"""

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.regression.mixed_linear_model import MixedLM, MixedLMParams

from vaescreen.statistics.clusters import Pairs, at_least
from vaescreen.statistics.paired import mean_and_error, t_test

NO_PATIENT_VARIANCE = "no variance between patients was found: t test of patient means"


@dataclass(frozen=True)
class MixedModel:
    """Mean difference when patients are a random effect, fitted by restricted maximum likelihood.

    Attributes
    ----------
    difference : float
        Mean difference, each patient weighing as much as its images tell of it.
    low, high : float
        Interval from t with `patients - 1` degrees of freedom.
    p : float
        Two-sided, of no difference.
    patient_sd, image_sd : float
        SD between patients, and between images of one patient.
    patients : int
        Number of patients.
    note : str
        Empty, or why the model was not fitted as it stands, and what the figures are then.
    """

    difference: float
    low: float
    high: float
    p: float
    patient_sd: float
    image_sd: float
    patients: int
    note: str = ""


def mixed_model(pairs: Pairs, level: float = 0.95) -> MixedModel:
    """Fit `difference = mean + patient + image` to paired differences.

    statsmodels gives normal quantiles; here t with `patients - 1` degrees of freedom takes their place, which
    is exact for equal cluster sizes. Where every patient has one image there is no within-patient variance to
    tell apart, and where the patient variance is estimated as zero the model counts images as independent: the
    figures are then those of patient means, and `note` says so.

    Raises
    ------
    DataError
        If there are fewer than two patients.
    """
    at_least(pairs.patients, 2, "mixed model")
    if pairs.patients.sizes.max() == 1:
        return _of_patient_means(pairs, level, "one image a patient: t test of patients")
    between, within = _components(pairs)
    if within <= 1e-9 * between or mean_and_error(pairs.differences)[1] == 0:
        return _of_patient_means(pairs, level, "images of a patient do not vary: t test of patient means")
    if between <= 0:
        return _of_patient_means(pairs, level, NO_PATIENT_VARIANCE)
    scale = math.sqrt(within)
    fit = _fit(pairs, scale, between / within)
    if fit is None:
        return _of_patient_means(pairs, level, "the fit did not converge: t test of patient means")
    between, error = float(fit.cov_re.iloc[0, 0]), float(fit.bse_fe.iloc[0])
    if between < 1e-6 * fit.scale:
        return _of_patient_means(pairs, level, NO_PATIENT_VARIANCE)
    mean, freedom = float(fit.fe_params.iloc[0]), len(pairs.patients) - 1
    reach = float(stats.t.ppf((1 + level) / 2, freedom)) * error
    return MixedModel(
        difference=mean * scale,
        low=(mean - reach) * scale,
        high=(mean + reach) * scale,
        p=float(2 * stats.t.sf(abs(mean) / error, freedom)),
        patient_sd=math.sqrt(between) * scale,
        image_sd=math.sqrt(fit.scale) * scale,
        patients=len(pairs.patients),
    )


def _fit(pairs: Pairs, scale: float, ratio: float) -> Any:
    """Fit to differences by `scale`, from a mean and a ratio of variances at hand; None if it does not converge."""
    values = pairs.differences / scale
    model = MixedLM(values, pd.DataFrame({"mean": np.ones(len(values))}), groups=pairs.patients.owner)
    start = MixedLMParams.from_components(np.array([values.mean()]), np.array([[ratio]]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            fit = model.fit(reml=True, start_params=start)
            return fit if fit.converged and math.isfinite(fit.bse_fe.iloc[0]) else None
        except np.linalg.LinAlgError:
            return None


def _components(pairs: Pairs) -> tuple[float, float]:
    """Variance between and within patients by analysis of variance; the first may be negative.

    Searle, Casella, McCulloch: Variance Components. Wiley, 1992, section 3.6 (unequal numbers).
    """
    values, sizes = pairs.differences, pairs.patients.sizes
    count, patients = len(values), len(sizes)
    means = pairs.patient_differences
    within = float(((values - means[pairs.patients.owner]) ** 2).sum()) / (count - patients)
    among = float((sizes * (means - values.mean()) ** 2).sum()) / (patients - 1)
    return (among - within) / ((count - (sizes**2).sum() / count) / (patients - 1)), within


def _of_patient_means(pairs: Pairs, level: float, note: str) -> MixedModel:
    differences, n = pairs.patient_differences, len(pairs.patients)
    mean, error = mean_and_error(differences)
    within = pairs.differences - differences[pairs.patients.owner]
    spare = len(within) - n
    reach = float(stats.t.ppf((1 + level) / 2, n - 1)) * error
    return MixedModel(
        difference=mean,
        low=mean - reach,
        high=mean + reach,
        p=t_test(pairs).p,
        patient_sd=0.0 if spare else float(differences.std(ddof=1)),
        image_sd=math.sqrt(float((within**2).sum()) / spare) if spare else 0.0,
        patients=n,
        note=note,
    )
