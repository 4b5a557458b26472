"""A smaller run of `benchmarks/statistics_simulation.py`, and the results that are committed beside it."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
RESULTS = BENCHMARKS / "results" / "statistics_simulation.json"


@pytest.fixture(scope="module")
def simulation() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "statistics_simulation", BENCHMARKS / "statistics_simulation.py"
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_intervals_cover_and_tests_keep_their_level(simulation):
    cell = simulation.Cell("normal", 20, interval_sets=200, test_sets=400, seed=1)
    found = simulation.run(cell)
    # Four standard errors of 200 (0.95) and of 400 (0.05) data sets.
    for name in ("mean difference", "Cohen's d", "Cliff's delta", "Cohen's h", "mixed model"):
        assert found["coverage"][name] >= 0.89, name
    for name in ("paired t of patients", "Wilcoxon of patients"):
        assert found["rejection"][name] <= 0.05 + 0.044, name
    assert found["coverage"]["naive t of images"] < 0.8
    assert found["rejection"]["naive Wilcoxon of images"] > 0.2
    assert found["ranks"]["equal candidates told apart"] <= 0.05 + 0.062
    assert found["ranks"]["all rank intervals hold"] >= 0.95 - 0.062


def cells(world: str, least: int) -> list[dict]:
    chosen = [
        cell
        for cell in json.loads(RESULTS.read_text())["cells"]
        if cell["world"] == world and cell["patients"] >= least
    ]
    assert chosen
    return chosen


@pytest.mark.parametrize(("world", "least"), [("normal", 10), ("exchangeable", 10), ("skewed", 10)])
def test_committed_intervals_hold_from_so_many_patients_on(world, least):
    for cell in cells(world, least):
        assert cell["data_sets"]["intervals"] >= 1000
        for name, share in cell["coverage"].items():
            if "bootstrap of patients" not in name and "naive" not in name:
                assert 0.93 <= share <= 0.97, (name, cell["patients"])


@pytest.mark.parametrize(("world", "least"), [("normal", 10), ("exchangeable", 10), ("skewed", 40)])
def test_committed_tests_keep_their_level_and_the_naive_ones_do_not(world, least):
    for cell in cells(world, least):
        for name, share in cell["rejection"].items():
            if "naive" in name:
                assert share > 0.3, (name, cell["patients"])
            # Skewed differences are not symmetric about zero, which is what Wilcoxon's test asks.
            elif (world, name) != ("skewed", "Wilcoxon of patients"):
                assert share <= 0.06, (name, cell["patients"])
        assert cell["ranks"]["equal candidates told apart"] <= 0.05
        assert cell["ranks"]["all rank intervals hold"] >= 0.95
