"""Coverage of intervals and size of tests on simulated clustered data whose truth is known.

Each data set has patients with one to twenty images (unequal: 1 + geometric, mean 5), values that vary between
patients and between images of a patient, and paired differences of which half the variance lies between patients.
Three worlds: `normal`; `skewed`, in which every component is a shifted gamma (skewness 1.4), differences
included; `exchangeable`, two candidates with skewed errors of the same law, so that differences are symmetric.
The functions called are those of the product. Effect sizes are those published for this field: d about 1.5,
shares of pixels about 13 %.

python benchmarks/statistics_simulation.py --output benchmarks/results/statistics_simulation.json
"""

import argparse
import platform
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scipy
import statsmodels
from scipy import stats
from statsmodels.stats.proportion import proportion_effectsize

from vaescreen.statistics.clusters import Pairs, Patients, Vector
from vaescreen.statistics.effects import (
    cliffs_delta,
    cohens_d,
    cohens_h_of_shares,
    mean_difference,
)
from vaescreen.statistics.equivalence import equivalence
from vaescreen.statistics.mixed import mixed_model
from vaescreen.statistics.paired import t_test, wilcoxon_images, wilcoxon_patients
from vaescreen.statistics.ranks import shared_ranks
from vaescreen.storage import write_json

WORLDS = ("normal", "skewed", "exchangeable")
PATIENTS = (10, 20, 40)
MOST_IMAGES = 20
GAP = 2.0
MARGIN = 0.5
DRAWS = 499
READING = """Made by `python benchmarks/statistics_simulation.py --output
benchmarks/results/statistics_simulation.json`, whose head describes the data sets. Wilcoxon's null is symmetry about
zero, which the `skewed` differences do not have: its figures there are no errors of size. The two naive lines take
images to be independent. At the margin, equivalence is a true null whose tail points either way."""
Noise = Callable[[int], Vector]


@dataclass(frozen=True)
class Cell:
    """One world with one number of patients, and how many data sets of it to draw."""

    world: str
    patients: int
    interval_sets: int
    test_sets: int
    seed: int


def cluster(generator: np.random.Generator, patients: int, single: bool = False) -> Patients:
    """Draw patients with 1 + geometric images each, at most twenty, or with a single image."""
    more = generator.geometric(0.2, patients) - 1
    sizes = np.ones(patients, dtype=int) if single else np.minimum(1 + more, MOST_IMAGES)
    owner = np.repeat(np.arange(patients), sizes)
    return Patients(tuple(f"{p:07d}" for p in range(patients)), owner, sizes.astype(float))


def noise(generator: np.random.Generator, world: str) -> Noise:
    """Components with mean 0 and SD 1."""
    if world == "normal":
        return generator.standard_normal
    return lambda n: (generator.gamma(2.0, 1.0, n) - 2) / np.sqrt(2)


def component(draw: Noise, patients: Patients, between: float, within: float) -> Vector:
    """Values of images that vary between patients and within."""
    spread: Vector = between * draw(len(patients))[patients.owner] + within * draw(len(patients.owner))
    return spread


def differences(draw: Noise, patients: Patients, world: str) -> Vector:
    """Differences with mean 0 and SD 1, half the variance between patients."""
    half = np.sqrt(0.5)
    if world != "exchangeable":
        return component(draw, patients, half, half)
    own = [component(draw, patients, half, half) for _ in range(2)]
    difference: Vector = (own[0] - own[1]) / np.sqrt(2)
    return difference


def candidates(draw: Noise, patients: Patients, world: str, gap: float) -> Pairs:
    """PSNR of two candidates on the same images, in dB."""
    base = 30 + component(draw, patients, 0.9, 0.7)
    return Pairs(base + gap + differences(draw, patients, world), base, patients)


def shares(draw: Noise, patients: Patients, world: str) -> Pairs:
    """Shares of pixels, about 13 % each."""
    base = -2 + component(draw, patients, 0.3, 0.3)
    moved = base + 0.1 + 0.3 * differences(draw, patients, world)
    return Pairs(1 / (1 + np.exp(-moved)), 1 / (1 + np.exp(-base)), patients)


def truths(world: str, seed: int) -> dict[str, float]:
    """Values in the population, from two million patients where no closed form is at hand."""
    generator = np.random.default_rng(seed)
    draw = noise(generator, world)
    many = cluster(generator, 2_000_000, single=True)
    pairs, pixels = candidates(draw, many, world, GAP), shares(draw, many, world)
    others = np.sort(pairs.second)
    below = np.searchsorted(others, pairs.first, "left") / len(others)
    return {
        "mean difference": GAP,
        "Cohen's d": GAP / np.sqrt((2 * (0.9**2 + 0.7**2) + 1) / 2),
        "Cliff's delta": float(2 * below.mean() - 1),
        "Cohen's h": float(proportion_effectsize(pixels.first.mean(), pixels.second.mean())),
    }


def coverage(cell: Cell, truth: dict[str, float]) -> dict[str, float]:
    """Share of data sets whose interval holds the truth."""
    generator = np.random.default_rng(cell.seed)
    draw = noise(generator, cell.world)
    inside: dict[str, list[bool]] = defaultdict(list)
    for index in range(cell.interval_sets):
        patients = cluster(generator, cell.patients)
        pairs = candidates(draw, patients, cell.world, GAP)
        pixels = shares(draw, patients, cell.world)
        estimates = {
            "mean difference": mean_difference(pairs, draws=DRAWS, seed=index),
            "Cohen's d": cohens_d(pairs, draws=DRAWS, seed=index),
            "Cliff's delta": cliffs_delta(pairs, draws=DRAWS, seed=index),
            "Cohen's h": cohens_h_of_shares(pixels, draws=DRAWS, seed=index),
        }
        for name, estimate in estimates.items():
            inside[name].append(estimate.low <= truth[name] <= estimate.high)
        mean = truth["mean difference"]
        for method in ("bca", "percentile"):
            low, high = plain_bootstrap(pairs, method, index)
            inside[f"mean difference, {method} bootstrap of patients"].append(low <= mean <= high)
        by_patient = equivalence(pairs.differences, _named(patients), 1.0, 0.025)
        inside["mean of patient means, t"].append(by_patient.low <= mean <= by_patient.high)
        model = mixed_model(pairs)
        inside["mixed model"].append(model.low <= mean <= model.high)
        naive = stats.t.interval(
            0.95, len(pairs.first) - 1, pairs.differences.mean(), stats.sem(pairs.differences)
        )
        inside["naive t of images"].append(naive[0] <= mean <= naive[1])
    return {name: float(np.mean(held)) for name, held in inside.items()}


def plain_bootstrap(pairs: Pairs, method: str, seed: int) -> tuple[float, float]:
    """Interval of the mean difference by scipy, patients being drawn with their sums and numbers of images."""
    drawn = stats.bootstrap(
        (pairs.patients.totals(pairs.differences), pairs.patients.sizes),
        lambda totals, sizes, axis: totals.sum(axis) / sizes.sum(axis),
        paired=True,
        method=method,
        n_resamples=DRAWS,
        rng=np.random.default_rng(seed),
    )
    low, high = drawn.confidence_interval
    return float(low), float(high)


def size(cell: Cell) -> dict[str, float]:
    """Share of data sets in which a test at 5 % rejects its null although it is true."""
    generator = np.random.default_rng(cell.seed + 1)
    draw = noise(generator, cell.world)
    rejected: dict[str, list[bool]] = defaultdict(list)
    for index in range(cell.test_sets):
        patients = cluster(generator, cell.patients)
        null = candidates(draw, patients, cell.world, 0.0)
        rejected["paired t of patients"].append(t_test(null).p <= 0.05)
        rejected["Wilcoxon of patients"].append(wilcoxon_patients(null).p <= 0.05)
        rejected["naive Wilcoxon of images"].append(wilcoxon_images(null).p <= 0.05)
        rejected["naive t of images"].append(stats.ttest_1samp(null.differences, 0).pvalue <= 0.05)
        if index < cell.interval_sets:
            for sign in (1, -1):
                shifted = sign * null.differences + MARGIN
                claim = equivalence(shifted, _named(patients), MARGIN, draws=DRAWS, seed=index)
                rejected[f"equivalence at the margin, sign {sign:+d}"].append(claim.equivalent)
    return {name: float(np.mean(found)) for name, found in rejected.items()}


def ranking(cell: Cell) -> dict[str, float]:
    """Errors of shared ranks: eight equal candidates, and eight that are 0.1 apart, all intervals together."""
    generator = np.random.default_rng(cell.seed + 2)
    draw = noise(generator, cell.world)
    split, held = [], []
    steps = 0.1 * np.arange(8)
    for index in range(cell.interval_sets):
        patients = cluster(generator, cell.patients)
        base = component(draw, patients, 0.9, 0.7)
        equal = np.column_stack([base + 0.4 * differences(draw, patients, cell.world) for _ in steps])
        table = pd.DataFrame(equal, columns=[f"c{i}" for i in range(8)])
        split.append(any(row.rank > 1 for row in _ranked(table, patients, index)))
        places = {row.candidate: row for row in _ranked(table - steps, patients, index)}
        held.append(all(places[f"c{i}"].rank_low <= i + 1 <= places[f"c{i}"].rank_high for i in range(8)))
    return {
        "equal candidates told apart": float(np.mean(split)),
        "all rank intervals hold": float(np.mean(held)),
    }


def run(cell: Cell) -> dict[str, Any]:
    """All figures of one cell."""
    return {
        "world": cell.world,
        "patients": cell.patients,
        "data_sets": {"intervals": cell.interval_sets, "tests": cell.test_sets},
        "coverage": coverage(cell, truths(cell.world, cell.seed)),
        "rejection": size(cell),
        "ranks": ranking(cell),
    }


def markdown(cells: Sequence[dict[str, Any]]) -> str:
    """Tables of coverage and rejection, a row a statistic, a column a cell, in per cent."""
    head = "| | " + " | ".join(f"{cell['world']} {cell['patients']}" for cell in cells) + " |"
    lines = ["# Coverage and size of the statistics, by simulation", "", READING, ""]
    for part, caption in (
        ("coverage", "95 % intervals that hold the truth"),
        ("rejection", "true nulls rejected at 5 %"),
        ("ranks", "shared ranks, jointly at 95 %"),
    ):
        lines += [
            f"**{caption}, per cent; world and number of patients**",
            "",
            head,
            "|---" * (len(cells) + 1) + "|",
        ]
        for name in cells[0][part]:
            lines.append(
                f"| {name} | " + " | ".join(f"{100 * cell[part][name]:.1f}" for cell in cells) + " |"
            )
        lines.append("")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--output", type=Path, required=True, help="JSON file; a Markdown table goes beside it"
    )
    parser.add_argument("--interval-sets", type=int, default=1000, help="data sets for each interval")
    parser.add_argument("--test-sets", type=int, default=3000, help="data sets for each fast test")
    parser.add_argument("--patients", type=int, nargs="+", default=PATIENTS)
    parser.add_argument("--worlds", nargs="+", choices=WORLDS, default=WORLDS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args()
    cells = [
        Cell(world, patients, options.interval_sets, options.test_sets, options.seed + 10 * patients)
        for world in options.worlds
        for patients in options.patients
    ]
    with ProcessPoolExecutor(options.processes) as pool:
        results = list(pool.map(run, cells))
    versions = {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__}
    versions["statsmodels"] = statsmodels.__version__
    write_json(options.output, {"seed": options.seed, "draws": DRAWS, "versions": versions, "cells": results})
    options.output.with_suffix(".md").write_text(markdown(results) + "\n", encoding="utf-8")
    print(markdown(results))


def _named(patients: Patients) -> list[str]:
    return [patients.names[owner] for owner in patients.owner]


def _ranked(table: pd.DataFrame, patients: Patients, seed: int) -> Any:
    return shared_ranks(table, _named(patients), draws=DRAWS, seed=seed)


if __name__ == "__main__":
    main()
