import itertools
import math

import numpy as np
import pandas as pd
import pytest

from vaescreen.errors import DataError
from vaescreen.statistics.bootstrap import draw_patients, patient_bootstrap
from vaescreen.statistics.ranks import shared_ranks


def measured(means, seed=0, patients=40, noise=0.5):
    """Candidates `a`, `b`, ... on patients with one to four images, and the patient of each image."""
    generator = np.random.default_rng(seed)
    owner = np.repeat(np.arange(patients), generator.integers(1, 5, patients))
    base = generator.normal(30, 3, len(owner))
    columns = {
        chr(ord("a") + i): base + mean + generator.normal(0, noise, patients)[owner]
        for i, mean in enumerate(means)
    }
    return pd.DataFrame(columns), [f"p{i}" for i in owner]


def ranks(standings):
    return {row.candidate: row.rank for row in standings}


def test_candidates_that_cannot_be_told_apart_share_a_rank():
    standings = shared_ranks(*measured([0.0, 5.0, 5.01, -4.0]))
    assert ranks(standings) == {"b": 1, "c": 1, "a": 3, "d": 4}
    assert [row.rank_low for row in standings] == [1, 1, 3, 4]
    assert [row.rank_high for row in standings] == [2, 2, 3, 4]
    assert sum(row.p_best for row in standings) == pytest.approx(1)
    assert {row.candidate for row in standings if row.p_best > 0.01} == {"b", "c"}


def test_means_are_over_images_and_the_best_is_first():
    table, patients = measured([0.0, 1.0, 0.5])
    standings = shared_ranks(table, patients)
    assert [row.candidate for row in standings] == ["b", "c", "a"]
    assert [row.mean for row in standings] == pytest.approx(table[["b", "c", "a"]].mean().tolist())
    lowest_first = shared_ranks(-table, patients, higher_is_better=False)
    assert [(row.candidate, row.rank, row.p_best) for row in lowest_first] == [
        (row.candidate, row.rank, row.p_best) for row in standings
    ]


def test_no_two_of_a_rank_are_told_apart_though_neighbours_are_alike():
    """A chain: each cannot be told from the next, the ends can."""
    standings = shared_ranks(*measured([0.0, -0.25, -0.5, -0.75, -1.0, -1.25, -1.5]))
    shared = ranks(standings)
    assert 1 < len(set(shared.values())) < 7
    assert list(shared.values()) == sorted(shared.values())
    for row in standings:
        assert row.rank_low <= row.rank <= row.rank_high


def test_chance_of_being_best_is_that_of_the_draws():
    table, patients = measured([0.0, 0.1, 0.05], patients=15)
    draws = patient_bootstrap(table.to_numpy(), patients)
    expected = np.bincount(draws.argmax(axis=1), minlength=3) / len(draws)
    found = {row.candidate: row.p_best for row in shared_ranks(table, patients)}
    assert [found[name] for name in "abc"] == pytest.approx(expected)


def brute_force_thresholds(table, patients):
    """How far apart two candidates must be, pair by pair: resample patient by patient, studentise, take the largest."""
    names = sorted(set(patients))
    rows = [np.flatnonzero(np.array(patients) == name) for name in names]
    pairs = list(itertools.combinations(table.columns, 2))
    gaps = {pair: (table[pair[0]] - table[pair[1]]).to_numpy() for pair in pairs}
    n = len(names)

    def error_in(values, drawn):
        images = sum(len(rows[p]) for p in drawn)
        mean = sum(values[rows[p]].sum() for p in drawn) / images
        off = [values[rows[p]].sum() - mean * len(rows[p]) for p in drawn]
        return mean, math.sqrt(n / (n - 1) * sum(part**2 for part in off)) / images

    times = draw_patients(n, 2000, 0).astype(int)
    largest = []
    for weights in times:
        drawn = np.repeat(np.arange(n), weights)
        found = {pair: error_in(values, drawn) for pair, values in gaps.items()}
        largest.append(max(abs(mean - gaps[pair].mean()) / error for pair, (mean, error) in found.items()))
    critical = np.quantile(largest, 0.95)
    left_out = {pair: [np.delete(values, rows[p]).mean() for p in range(n)] for pair, values in gaps.items()}
    return {pair: critical * math.sqrt(n - 1) * np.std(left) for pair, left in left_out.items()}


def test_candidates_are_told_apart_exactly_beyond_the_critical_value():
    table, patients = measured([0.0, 0.0, 0.0], seed=4, patients=12)
    table["c"] += table["a"] * 0.1
    table -= table.mean()
    thresholds = brute_force_thresholds(table, patients)
    assert len({round(threshold, 3) for threshold in thresholds.values()}) == 3
    for factor, apart in ((0.995, False), (1.005, True)):
        for pair, threshold in thresholds.items():
            far = dict.fromkeys(table.columns, -1000.0) | {pair[0]: factor * threshold, pair[1]: 0.0}
            first = shared_ranks(table + pd.Series(far), patients)[:2]
            assert [row.candidate for row in first] == list(pair)
            assert (first[1].rank_low == 2) == (first[0].rank_high == 1) == (first[1].rank == 2) == apart


def test_sharing_a_rank_means_alike_with_all_who_have_it_not_only_with_the_first():
    generator = np.random.default_rng(0)
    base = generator.normal(30, 1, 60)
    table = pd.DataFrame(
        {
            "noisy": base + 1.0 + generator.normal(0, 4, 60),
            "steady": base + 0.5 + generator.normal(0, 0.05, 60),
            "behind": base + 0.3 + generator.normal(0, 0.05, 60),
        }
    )
    table -= table.mean() - [31.0, 30.5, 30.3]
    standings = shared_ranks(table, [f"p{i}" for i in range(60)])
    assert ranks(standings) == {"noisy": 1, "steady": 1, "behind": 3}
    assert [(row.rank_low, row.rank_high) for row in standings] == [(1, 3), (1, 2), (2, 3)]


def test_more_candidates_make_it_harder_to_tell_two_apart():
    table, patients = measured([0.0, 0.3, *[-0.1] * 12], seed=2, patients=30)
    alone = [
        shared_ranks(table[["a", "b"]].add([0, gap]), patients)[1].rank for gap in np.linspace(0, 0.4, 9)
    ]
    among = [
        next(
            row.rank for row in shared_ranks(table.add([0, gap, *[0] * 12]), patients) if row.candidate == "a"
        )
        for gap in np.linspace(0, 0.4, 9)
    ]
    assert alone.count(1) < among.count(1)


def test_images_of_few_patients_tell_less():
    table, patients = measured([0.0, 0.45], patients=8, noise=0.6)
    many = pd.concat([table] * 30)
    assert ranks(shared_ranks(many, patients * 30)) == ranks(shared_ranks(table, patients))
    assert ranks(shared_ranks(many, [str(i) for i in range(len(many))]))["a"] == 2


def test_order_of_images_and_columns_changes_nothing():
    table, patients = measured([0.0, 0.5, 0.45, 2.0])
    order = np.random.default_rng(0).permutation(len(table))
    shuffled = shared_ranks(table.iloc[order, [2, 0, 3, 1]], [patients[i] for i in order])
    for one, other in zip(shared_ranks(table, patients), shuffled, strict=True):
        assert (one.candidate, one.rank, one.rank_low, one.rank_high) == (
            other.candidate,
            other.rank,
            other.rank_low,
            other.rank_high,
        )
        assert one.p_best == pytest.approx(other.p_best)


def test_level_draws_and_seed_do_something():
    table, patients = measured([0.0, 0.25], patients=30, seed=4)
    loose = [shared_ranks(table.add([0, g]), patients, level=0.5)[1].rank for g in np.linspace(0, 0.3, 9)]
    strict = [shared_ranks(table.add([0, g]), patients, level=0.999)[1].rank for g in np.linspace(0, 0.3, 9)]
    assert loose.count(2) > strict.count(2)
    near, owners = measured([0.0, 0.05])
    chances = {
        shared_ranks(near, owners, **options)[0].p_best for options in ({}, {"seed": 1}, {"draws": 333})
    }
    assert len(chances) == 3


def test_one_patient_tells_nothing_apart():
    standings = shared_ranks(*measured([0.0, 9.0], patients=1))
    assert [row.rank for row in standings] == [1, 1]
    assert [(row.rank_low, row.rank_high) for row in standings] == [(1, 2), (1, 2)]
    assert all(math.isnan(row.p_best) for row in standings)


def test_equal_candidates_share_what_there_is_and_constant_gaps_are_gaps():
    table, patients = measured([0.0])
    equal = shared_ranks(pd.DataFrame({"x": table["a"], "y": table["a"]}), patients)
    assert [(row.rank, row.p_best) for row in equal] == [(1, 0.5), (1, 0.5)]
    apart = shared_ranks(pd.DataFrame({"x": table["a"], "y": table["a"] + 0.1}), patients)
    assert ranks(apart) == {"y": 1, "x": 2}
    assert shared_ranks(table, patients)[0].p_best == 1


def test_what_cannot_be_ranked_is_refused_by_place():
    table, patients = measured([0.0, 1.0])
    table.iloc[3, 1] = np.nan
    with pytest.raises(DataError, match="ranks: value nan of image 3, candidate 1"):
        shared_ranks(table, patients)
    with pytest.raises(DataError, match="one patient for each"):
        shared_ranks(table, patients[:-1])
