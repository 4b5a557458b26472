from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from vaescreen.reports.comparison.report import p_text, verdict
from vaescreen.statistics.comparison import compare_all
from vaescreen.statistics.ranks import shared_ranks


def report_of(*shifts: float, spread: float = 0.02, margin: float = 0.15):
    """What a verdict is read from: PSNR of candidates that differ by known shifts, of 20 patients."""
    random = np.random.default_rng(0)
    patients = [f"p{number // 2}" for number in range(40)]
    level = random.normal(30, 2, 40)
    names = "abcd"[: len(shifts)]
    table = pd.DataFrame(
        {n: level + shift + random.normal(0, spread, 40) for n, shift in zip(names, shifts, strict=True)}
    )
    result = SimpleNamespace(
        pairs=compare_all(table, patients, margin=margin, draws=300),
        standings=shared_ranks(table, patients, draws=300),
    )
    return SimpleNamespace(
        candidates=tuple(names), analysis=SimpleNamespace(metrics={"psnr": result}, margin=margin)
    )


@pytest.mark.parametrize(
    ("shifts", "spread", "expected"),
    [
        ((1.05, 0.0), 0.02, "a beats b by 1.0"),
        ((0.0, 1.05), 0.02, "b beats a by 1.0"),
        ((0.1, 0.0), 0.02, "but by less than the margin of 0.15 dB"),
        ((0.0, 0.0), 0.05, "a and b are equivalent in PSNR within 0.15 dB (20 patients)."),
        ((0.0, 0.0), 3.0, "a and b cannot be told apart in PSNR by 20 patients"),
        ((0.0, 0.0), 3.0, "nor are they shown to be equivalent within 0.15 dB"),
    ],
)
def test_verdict_of_two_says_who_is_ahead_or_that_nobody_is(shifts, spread, expected):
    assert expected in verdict(report_of(*shifts, spread=spread))


def test_interval_of_the_verdict_is_of_the_size_of_the_lead_whoever_has_it():
    ahead, behind = verdict(report_of(1.0, 0.0)), verdict(report_of(0.0, 1.0))
    for sentence in (ahead, behind):
        low, high = sentence.split("interval ")[1].split(",")[0].split(" to ")
        assert 0.9 < float(low) < float(high) < 1.1


def test_verdict_of_many_names_the_best_or_those_that_share_the_first_rank():
    assert verdict(report_of(0, 1, 2)).startswith("c has the best PSNR")
    assert "told apart from all 2 others" in verdict(report_of(0, 1, 2))
    shared = verdict(report_of(1, 1, 0))
    assert "share the first rank" in shared
    assert shared.endswith("told apart from the other 1.")


def test_p_is_written_with_two_digits_and_never_as_zero():
    assert p_text(0.04912) == "p = 0.049"
    assert p_text(3e-12) == "p = 3e-12"
    assert p_text(0.0) == "p < 1e-300"
