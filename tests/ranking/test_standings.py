import numpy as np
import pandas as pd
import pytest

from vaescreen.ranking.standings import standings_of, with_measured_ranks, with_shared_ranks
from vaescreen.ranking.table import Row
from vaescreen.reports.leaderboard.board import board_of
from vaescreen.reports.leaderboard.source import sources
from vaescreen.statistics.ranks import shared_ranks

PATIENTS = 20
IDS = pd.DataFrame(
    {
        "image_id": [f"image-{i}" for i in range(2 * PATIENTS)],
        "patient_id": [f"patient-{i // 2}" for i in range(2 * PATIENTS)],
    }
)
BASE = np.random.default_rng(0).normal(25, 2, 2 * PATIENTS)


def measured(gain, seed=0):
    noise = np.random.default_rng(seed).normal(0, 0.3, PATIENTS).repeat(2)
    return IDS.assign(sr_psnr=BASE + gain + noise)


def test_candidates_of_a_data_set_share_ranks_by_their_images():
    tables = {"low": [measured(0.0, 1)], "high": [measured(2.0, 2)], "alike": [measured(2.01, 3)]}
    standings = standings_of(tables, "sr_psnr")
    assert {name: standing.rank for name, standing in standings.items()} == {"high": 1, "alike": 1, "low": 3}
    table = pd.DataFrame({name: frames[0]["sr_psnr"] for name, frames in tables.items()})
    for found, expected in zip(standings.values(), shared_ranks(table, list(IDS["patient_id"])), strict=True):
        assert (found.candidate, found.p_best) == (expected.candidate, pytest.approx(expected.p_best))
        assert found.mean == pytest.approx(expected.mean)


def test_images_are_joined_by_id_and_seeds_averaged():
    one, other = measured(0.0, 1), measured(1.0, 2)
    both = one.assign(sr_psnr=(one["sr_psnr"] + other["sr_psnr"]) / 2)
    third = measured(0.4, 3)
    expected = standings_of({"a": [both], "b": [third]}, "sr_psnr")
    found = standings_of({"a": [one.sample(frac=1, random_state=0), other], "b": [third[::-1]]}, "sr_psnr")
    assert found.keys() == expected.keys()
    for name in expected:
        assert found[name].mean == pytest.approx(expected[name].mean)
        assert found[name].p_best == pytest.approx(expected[name].p_best)
        assert found[name].rank == expected[name].rank


def test_images_that_one_candidate_lacks_count_for_none():
    partial = measured(0.0, 1)
    partial.loc[5:, "sr_psnr"] = np.nan
    standings = standings_of({"a": [partial], "b": [measured(1.0, 2)]}, "sr_psnr")
    assert standings["b"].mean == pytest.approx(measured(1.0, 2)["sr_psnr"][:5].mean())


def test_candidates_without_the_value_are_left_out():
    assert list(standings_of({"a": [measured(0.0)], "b": [IDS]}, "sr_psnr")) == ["a"]
    assert standings_of({"b": [IDS]}, "sr_psnr") == {}
    empty = measured(0.0).assign(sr_psnr=np.nan)
    assert standings_of({"a": [measured(0.0)], "b": [empty]}, "sr_psnr") == {}


def test_rows_take_ranks_from_standings_and_the_floor_takes_none():
    standings = standings_of({"a": [measured(0.0, 1)], "b": [measured(0.01, 2)]}, "sr_psnr")
    rows = [Row("b", rank=1), Row("a", rank=2), Row("bicubic", floor=True), Row("unmeasured")]
    ranked = with_shared_ranks(rows, standings)
    assert [row.rank for row in ranked] == [1, 1, None, None]
    marked = with_measured_ranks(rows, standings)
    assert [(row.rank, row.sr_rank, row.sr_rank_interval) for row in marked] == [
        (1, 1, (1, 2)),
        (2, 1, (1, 2)),
        (None, None, None),
        (None, None, None),
    ]
    assert sum(row.sr_p_best for row in marked[:2]) == pytest.approx(1)


def test_one_patient_has_no_chance_of_being_best():
    alone = {name: [measured(gain).assign(patient_id="p")] for name, gain in (("a", 0.0), ("b", 3.0))}
    rows = with_measured_ranks([Row("a"), Row("b")], standings_of(alone, "sr_psnr"))
    assert [(row.sr_rank, row.sr_p_best) for row in rows] == [(1, None), (1, None)]


def test_boards_show_both_kinds_of_ranks(simulated):
    chest = [row for row in simulated.board("chest").rows if not row.floor]
    frames = {
        row.candidate: pd.read_parquet(
            simulated.reference_path("chest", row.candidate).with_suffix(".parquet")
        )
        for row in chest
    }
    expected = standings_of({name: [frame] for name, frame in frames.items()}, "sr_psnr")
    assert {row.candidate: row.sr_rank for row in chest} == {
        name: standing.rank for name, standing in expected.items()
    }
    assert all(row.sr_rank is None for row in simulated.board("chest-phantom").rows)


def test_a_board_ranked_by_probe_shares_ranks(simulated):
    for data in ("chest", "brain", "natural"):
        for path in (simulated.folder / "reference" / "compact" / data).iterdir():
            path.unlink()
    cards = {
        name: pd.read_parquet(simulated.card_path("chest", name).with_suffix(".parquet"))
        for name in ("medical-sim-f4c4", "generic-sim-f4c4")
    }
    best = max(cards, key=lambda name: cards[name]["conv_probe_psnr"].mean())
    board = board_of(sources(simulated.folder)["chest"], [])
    ranks = {row.candidate: row.rank for row in board.rows if not row.floor}
    assert not board.is_predicted
    # Three patients whose images hardly vary but in opposite ways: not enough to tell all three apart.
    assert sorted(ranks.values()) != [1, 2, 3]
    assert ranks[best] <= min(ranks[name] for name in cards)
