"""Cells of an ablation, and the gap between candidates in each, from made-up tables whose answer is known."""

import numpy as np
import pandas as pd
import pytest

from vaescreen.errors import RecipeError, ResultError
from vaescreen.storage import TABLE_SEAL, write_json, write_table
from vaescreen.superres.ablation import cells, read_gaps
from vaescreen.superres.paths import point_path
from vaescreen.superres.recipes import COMPACT

IMAGES = 40


def test_one_choice_changes_at_a_time_and_the_base_comes_first():
    grid = cells(
        COMPACT, {"objective": ["x0", "v"], "sampler_steps": ["10", "20"], "network": ["unet-small"]}
    )
    assert [(cell.axis, cell.value) for cell in grid] == [
        ("", ""),
        ("objective", "v"),
        ("sampler_steps", "10"),
        ("network", "unet-small"),
    ]
    assert grid[0].recipe is COMPACT
    assert [cell.recipe.name for cell in grid[1:]] == [
        "compact+objective=v",
        "compact+sampler_steps=10",
        "compact+network=unet-small",
    ]


def test_nothing_to_vary():
    with pytest.raises(RecipeError, match="nothing differs from recipe compact"):
        cells(COMPACT, {"objective": ["x0"]})


def write(results, cell, candidate, seed, values, ids=None):
    path = point_path(results, cell.recipe.name, "few", candidate, seed)
    names = ids or [f"image-{number}" for number in range(IMAGES)]
    patients = [f"patient-{int(name.partition('-')[2]) // 2}" for name in names]
    table = pd.DataFrame({"image_id": names, "patient_id": patients, "sr_psnr": values})
    table = table.sample(frac=1, random_state=seed)
    write_json(path, {TABLE_SEAL: write_table(path.with_suffix(".parquet"), table)})


@pytest.fixture
def grid():
    return cells(COMPACT, {"objective": ["v", "epsilon"]})


@pytest.fixture
def results(tmp_path, grid):
    """Two seeds; the gap is 1 dB, 1 dB with v, 1.5 dB with epsilon; images differ by far more than the gap."""
    random = np.random.default_rng(0)
    level = random.normal(30, 3, IMAGES)
    for cell, gap in zip(grid, (1.0, 1.0, 1.5), strict=True):
        for seed in (0, 1):
            write(tmp_path, cell, "b", seed, level + random.normal(0, 0.05, IMAGES))
            write(tmp_path, cell, "a", seed, level + gap + random.normal(0, 0.05, IMAGES))
    return tmp_path


def test_the_gap_and_whether_it_is_stable(results, grid):
    base, same, other = read_gaps(results, "few", ["a", "b"], grid, [0, 1])
    assert [gap.gap for gap in (base, same, other)] == [pytest.approx(gap, abs=0.05) for gap in (1, 1, 1.5)]
    assert base.stability is None
    assert base.psnr[0] - base.psnr[1] == pytest.approx(base.gap)
    assert same.stability.equivalent
    assert same.stability.patients == IMAGES // 2
    assert not other.stability.equivalent
    assert other.stability.difference == pytest.approx(other.gap - base.gap)


def test_a_margin_as_wide_as_the_change_makes_it_stable(results, grid):
    *_, other = read_gaps(results, "few", ["a", "b"], grid, [0, 1], margin=0.7)
    assert other.stability.equivalent


def test_every_pair_of_candidates_is_compared(results, grid):
    for cell in grid:
        for seed in (0, 1):
            write(results, cell, "c", seed, np.full(IMAGES, 20.0))
    gaps = read_gaps(results, "few", ["a", "b", "c"], grid, [0, 1])
    assert [(gap.better, gap.other) for gap in gaps[::3]] == [("a", "b"), ("a", "c"), ("b", "c")]


def test_a_missing_point_or_image_is_an_error(results, grid):
    with pytest.raises(ResultError, match=r"the ablation lacks .*a-seed2\.json"):
        read_gaps(results, "few", ["a", "b"], grid, [0, 2])
    write(results, grid[1], "a", 1, [30.0] * IMAGES, [f"image-{number}" for number in range(1, IMAGES + 1)])
    with pytest.raises(ResultError, match="image image-0 is in only one of two points"):
        read_gaps(results, "few", ["a", "b"], grid, [0, 1])
