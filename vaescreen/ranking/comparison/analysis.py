"""From per-image values to statistics: every metric, every pair of candidates, clustered by patient."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
import torch

from vaescreen.metrics.agreement import Agreement, agreement
from vaescreen.metrics.fidelity import psnr_of_mean_mse
from vaescreen.metrics.optional import Missing
from vaescreen.ranking.comparison.measurement import THRESHOLDS, Measured
from vaescreen.statistics.clusters import Patients, pair
from vaescreen.statistics.comparison import Comparison, compare_all
from vaescreen.statistics.effects import cohens_h_of_shares
from vaescreen.statistics.intervals import Estimate
from vaescreen.statistics.power import (
    detectable_difference,
    patients_for_difference,
    patients_for_equivalence,
)
from vaescreen.statistics.ranks import Standing, shared_ranks

BANDS = tuple(["LL3"] + [f"{kind}{level}" for level in (3, 2, 1) for kind in ("LH", "HL", "HH")])
PRIMARY = "psnr"


@dataclass(frozen=True)
class Quantity:
    """A column of the per-image table, and how it is read.

    Attributes
    ----------
    label : str
        What tables call it.
    digits : int
        Decimals shown.
    higher_is_better : bool
        Which way is good.
    margin : bool
        Whether the margin of equivalence, which is in dB of PSNR, applies.
    """

    label: str
    digits: int
    higher_is_better: bool = True
    margin: bool = False


QUANTITIES: dict[str, Quantity] = {
    "psnr": Quantity("PSNR (dB)", 2, margin=True),
    "psnr_foreground": Quantity("foreground PSNR (dB)", 2, margin=True),
    "ssim": Quantity("SSIM", 4),
    "ms_ssim": Quantity("MS-SSIM", 4),
    "nrmse": Quantity("NRMSE", 4, higher_is_better=False),
    "half_power_frequency": Quantity("half power kept up to (cycles/px)", 3),
    "half_error_frequency": Quantity("error under half up to (cycles/px)", 3),
    **{
        f"{kind}_{threshold}": Quantity(
            f"{kind} pixels, {threshold} threshold (%)", 2, higher_is_better=False
        )
        for threshold in THRESHOLDS
        for kind in ("hallucinated", "lost")
    },
    **{
        f"{kind}_by_{threshold}": Quantity(f"{kind} by, {threshold} threshold", 4, higher_is_better=False)
        for threshold in THRESHOLDS
        for kind in ("hallucinated", "lost")
    },
    **{f"haar_psnr_{band}": Quantity(f"Haar {band} (dB)", 2) for band in BANDS},
    **{f"smooth_psnr_{band}": Quantity(f"sym4 {band} (dB)", 2) for band in BANDS},
    **{f"published_{band}": Quantity(f"Haar {band}, own peak (dB)", 2) for band in BANDS},
}
_SHARES = tuple(f"{kind}_{threshold}" for threshold in THRESHOLDS for kind in ("hallucinated", "lost"))


def quantity(metric: str) -> Quantity:
    """How a column is read; optional metrics are LPIPS, which is a distance, and similarities."""
    return QUANTITIES.get(metric) or Quantity(metric, 4, higher_is_better=not metric.startswith("lpips"))


@dataclass(frozen=True)
class MetricResult:
    """Statistics of one metric.

    Attributes
    ----------
    metric : str
        Column of the per-image table.
    means : dict of str to float
        By candidate, over images.
    standings : tuple of Standing
        Ranks with ties, best first; empty where there is one patient.
    pairs : tuple of Comparison
        Every pair, the earlier candidate less the later; p values corrected for all pairs of this metric. Empty where
        there is one patient, of which nothing can be concluded about others.
    cohens_h : tuple of Estimate
        For shares of pixels, of each pair; else empty.
    """

    metric: str
    means: dict[str, float]
    standings: tuple[Standing, ...]
    pairs: tuple[Comparison, ...]
    cohens_h: tuple[Estimate, ...]


@dataclass(frozen=True)
class Power:
    """What this many patients can show of a pair, in dB of PSNR, at 80 % power and a level of 5 %.

    Attributes
    ----------
    detectable : float
        Smallest true difference that the patients at hand show.
    for_difference, for_equivalence : int
        Patients needed to tell apart candidates that differ by the margin, and to show equal ones equivalent.
    """

    detectable: float
    for_difference: int
    for_equivalence: int


@dataclass(frozen=True)
class Analysis:
    """All statistics of a comparison.

    Attributes
    ----------
    metrics : dict of str to MetricResult
        By column, in the order of the table.
    power : tuple of Power or None
        Of each pair, of PSNR; None where all patients differ by the same.
    pooled_psnr : dict of str to float
        By candidate, PSNR of the mean MSE.
    agreement : dict of str to Agreement or Missing
        By candidate, mean intensity of its images against that of the true ones, by patient.
    missing : tuple of Missing
        Metrics that could not be computed or tested.
    margin : float
        Of equivalence, dB.
    level : float
        Of intervals.
    """

    metrics: dict[str, MetricResult]
    power: tuple[Power | None, ...]
    pooled_psnr: dict[str, float]
    agreement: dict[str, Agreement | Missing]
    missing: tuple[Missing, ...]
    margin: float
    level: float


def analyse(
    measured: Measured, *, margin: float = 0.15, level: float = 0.95, draws: int = 2000, seed: int = 0
) -> Analysis:
    """Compare all candidates on every metric.

    Parameters
    ----------
    measured : Measured
        At least two candidates on the same images. Those of one patient are measured and not tested.
    margin : float
        Difference in PSNR that does not matter, dB.
    level : float
        Of intervals, in (0, 1).
    draws, seed : int
        Of the bootstrap.

    Raises
    ------
    DataError
        If there are fewer than two candidates.
    """
    patients = measured.images["patient_id"].tolist()
    columns = next(iter(measured.tables.values())).columns
    optional = [name for name in columns if str(name).startswith(("lpips_", "embedding_"))]
    results, missing = {}, list(measured.missing)
    for metric in [*QUANTITIES, *optional]:
        table = measured.column(metric)
        problem = _not_finite(metric, table, measured.images)
        if problem:
            missing.append(problem)
            continue
        results[metric] = _result(metric, table, patients, margin, level, draws, seed)
    return Analysis(
        metrics=results,
        power=tuple(_power(found, margin) for found in results[PRIMARY].pairs),
        pooled_psnr={
            name: psnr_of_mean_mse(torch.tensor(table["mse"].to_numpy()))
            for name, table in measured.tables.items()
        },
        agreement={name: _agreement(table, level) for name, table in measured.tables.items()},
        missing=tuple(missing),
        margin=margin,
        level=level,
    )


def _result(
    metric: str,
    table: pd.DataFrame,
    patients: Sequence[str],
    margin: float,
    level: float,
    draws: int,
    seed: int,
) -> MetricResult:
    means = {str(name): float(table[name].mean()) for name in table}
    if len(set(patients)) == 1:
        return MetricResult(metric, means, (), (), ())
    read = quantity(metric)
    within = margin if read.margin else None
    shares = combinations(table.columns, 2) if metric in _SHARES else ()
    return MetricResult(
        metric=metric,
        means=means,
        standings=shared_ranks(
            table,
            patients,
            higher_is_better=read.higher_is_better,
            level=level,
            draws=draws,
            seed=seed,
        ),
        pairs=compare_all(table, patients, margin=within, level=level, draws=draws, seed=seed),
        cohens_h=tuple(
            cohens_h_of_shares(pair(table[a], table[b], patients), level, draws, seed) for a, b in shares
        ),
    )


def _not_finite(metric: str, table: pd.DataFrame, images: pd.DataFrame) -> Missing | None:
    bad = ~np.isfinite(table.to_numpy()).all(axis=1)
    if not bad.any():
        return None
    first = images["image_id"][int(bad.argmax())]
    return Missing(metric, f"{int(bad.sum())} of {len(table)} images have no finite value, {first} for one")


def _power(found: Comparison, margin: float) -> Power | None:
    sd = found.patient_sd
    if not sd > 1e-9:
        return None
    return Power(
        detectable=detectable_difference(sd, found.patients),
        for_difference=patients_for_difference(sd, margin),
        for_equivalence=patients_for_equivalence(sd, margin),
    )


def _agreement(table: pd.DataFrame, level: float) -> Agreement | Missing:
    groups = Patients.of(table["patient_id"].tolist())
    if len(groups) < 3:
        return Missing("agreement", f"it needs at least 3 patients and has {len(groups)}")
    first, second = (groups.means(table[f"{of}_mean"].to_numpy()) for of in ("reference", "estimate"))
    return agreement(first, second, level)
