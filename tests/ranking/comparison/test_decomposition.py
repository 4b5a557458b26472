from itertools import product

import numpy as np
import pandas as pd
import pytest

from vaescreen.ranking.comparison.decomposition import decompose, matched_paths

EFFECTS = {"f4": 2.0, "f8": 0.0, "c3": -0.3, "c4": 0.0, "medical": 0.5, "generic": 0.0}


@pytest.fixture
def pool(entry):
    return [entry(f"{d}-{f}{c}") for d, f, c in product(("generic", "medical"), ("f4", "f8"), ("c3", "c4"))]


def simulated(names: list[str], interaction: float = 0.0) -> tuple[pd.DataFrame, list[str]]:
    """Sixty images of twenty patients whose values are sums of known effects."""
    random = np.random.default_rng(0)
    patients = [f"p{number // 3}" for number in range(60)]
    level = random.normal(30, 3, 60)
    table = {}
    for name in names:
        domain, geometry = name.split("-")
        effects = [EFFECTS[domain], EFFECTS[geometry[:2]], EFFECTS[geometry[2:]]]
        both = interaction if domain == "medical" and geometry.startswith("f4") else 0.0
        table[name] = level + sum(effects) + both + random.normal(0, 0.05, 60)
    return pd.DataFrame(table), patients


def test_with_every_matched_candidate_there_are_six_orders_and_parts_are_the_true_effects(entry, pool):
    first, second = entry("medical-f4c3"), entry("generic-f8c4")
    paths = matched_paths(first, second, pool)
    assert len(paths) == 6
    values, patients = simulated([candidate.name for candidate in pool])
    found = decompose(values, patients, first, second, paths)
    parts = {part: estimate.value for part, estimate in found.parts.items()}
    assert parts == pytest.approx({"resolution": 2.0, "capacity": -0.3, "domain": 0.5}, abs=0.05)
    assert sum(parts.values()) == pytest.approx(found.gap.value, abs=1e-12)
    for estimate in found.parts.values():
        assert estimate.low < estimate.value < estimate.high
        assert estimate.high - estimate.low < 0.1
    assert len(found.matched) == 6
    assert "mean of 6 paths through the matched candidates" in found.note


def test_an_interaction_is_shared_between_its_parts(entry, pool):
    first, second = entry("medical-f4c3"), entry("generic-f8c4")
    values, patients = simulated([candidate.name for candidate in pool], interaction=1.0)
    found = decompose(values, patients, first, second, matched_paths(first, second, pool))
    assert found.parts["resolution"].value == pytest.approx(2.5, abs=0.05)
    assert found.parts["domain"].value == pytest.approx(1.0, abs=0.05)


def test_paths_that_lack_a_candidate_are_left_out_and_every_path_adds_up(entry, pool):
    first, second = entry("medical-f4c3"), entry("generic-f8c4")
    there = [candidate for candidate in pool if not candidate.name.endswith("f8c3")]
    paths = matched_paths(first, second, there)
    orders = [tuple(part for part, _, _ in path) for path in paths]
    assert sorted(orders) == [
        ("domain", "resolution", "capacity"),
        ("resolution", "capacity", "domain"),
        ("resolution", "domain", "capacity"),
    ]
    values, patients = simulated([candidate.name for candidate in pool])
    found = decompose(values, patients, first, second, paths)
    for path in found.paths:
        assert sum(step.gain.value for step in path) == pytest.approx(found.gap.value, abs=1e-12)
        assert path[0].start == "generic-f8c4"
        assert path[-1].end == "medical-f4c3"


def test_without_any_path_the_gap_is_not_split_and_the_note_says_what_is_lacking(entry):
    first, second = entry("medical-f4c3"), entry("generic-f8c4")
    values, patients = simulated([first.name, second.name])
    paths = matched_paths(first, second, [first, second])
    found = decompose(values, patients, first, second, paths)
    assert found.parts == {}
    assert found.gap.value == pytest.approx(2.2, abs=0.05)
    assert "no matched candidates lead from generic-f8c4 to medical-f4c3" in found.note


def test_candidates_of_another_family_do_not_match(entry, pool):
    first, second = entry("medical-f4c3"), entry("medical-f8c3")
    others = [entry("medical-f4c3", "other"), entry("medical-f8c3", "other")]
    assert matched_paths(first, second, others) == ((("resolution", "medical-f8c3", "medical-f4c3"),),)
    far = entry("generic-f8c3", "other")
    only = (("domain", "other-f8c3", "medical-f8c3"), ("resolution", "medical-f8c3", "medical-f4c3"))
    assert matched_paths(first, far, pool) == (only,)  # generic-f4c3 is of a third family


def test_one_difference_needs_no_matched_candidate(entry):
    first, second = entry("medical-f4c3"), entry("generic-f4c3")
    values, patients = simulated([first.name, second.name])
    found = decompose(values, patients, first, second, matched_paths(first, second, ()))
    assert list(found.parts) == ["domain"]
    assert found.parts["domain"].value == pytest.approx(found.gap.value)
    assert "differ in domain alone" in found.note


def test_same_domain_and_other_family_is_called_family(entry):
    first, second = entry("medical-f4c3", "one"), entry("medical-f4c3", "two")
    assert matched_paths(first, second, ())[0][0][0] == "family"
    twins = entry("medical-f4c4"), entry("medical-f4c4").model_copy(update={"name": "twin"})
    values, patients = simulated(["medical-f4c4", "medical-f4c3"])
    values["twin"] = values["medical-f4c3"]
    found = decompose(values, patients, *twins, matched_paths(*twins, ()))
    assert "nothing to split" in found.note


def test_intervals_come_from_one_bootstrap_that_depends_on_the_seed_alone(entry, pool):
    first, second = entry("medical-f4c3"), entry("generic-f8c4")
    values, patients = simulated([candidate.name for candidate in pool])
    paths = matched_paths(first, second, pool)
    once = decompose(values, patients, first, second, paths, seed=3)
    assert once == decompose(values, patients, first, second, paths, seed=3)
    assert once != decompose(values, patients, first, second, paths, seed=4)
