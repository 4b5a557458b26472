from xml.etree import ElementTree

import pytest

from benchmarks.convergence import budgets, curves, draw, headroom, tables
from vaescreen.reports.page.drawing import svg_file

CEILING = {"a": 30.6, "b": 31.7, "c": 38.0, "d": 34.5, "e": 20.0}


def points(**reached: float):
    return {
        "chest": {
            name: [
                {
                    "sr_psnr": value - 1,
                    "posterior_mean_psnr": value,
                    "detail": value / 10,
                    "ae_ceiling": CEILING[name],
                }
            ]
            for name, value in reached.items()
        }
    }


OURS = points(a=30.0, b=31.0, c=32.0, d=33.0, e=20.0)
VARIANTS = {
    "compact+samples=48000": points(a=30.5, b=31.5, c=34.0, d=33.5),
    "compact+samples=12000": points(a=29.0, b=30.0, c=31.0, d=32.0),
    "compact+samples=48000+scale=2": points(a=0.0, b=0.0, c=0.0, d=0.0),
    "standard+samples=48000": points(a=0.0, b=0.0, c=0.0, d=0.0),
}


@pytest.fixture
def by_budget():
    return budgets("compact", 24_000, OURS, VARIANTS)


@pytest.fixture
def found(by_budget):
    return curves(by_budget)


def cells(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()]


def test_budgets_go_up_and_have_the_candidates_that_were_trained_with_several(found):
    assert list(found["chest"]) == [12_000, 24_000, 48_000]
    assert all(list(values) == ["a", "b", "c", "d"] for values in found["chest"].values())


def test_one_budget_or_three_candidates_make_no_curves():
    assert curves(budgets("compact", 24_000, OURS, {})) == {}
    few = {"compact+samples=12000": points(a=1.0, b=2.0, c=3.0)}
    assert curves(budgets("compact", 24_000, OURS, few)) == {}


def test_a_candidate_with_two_of_three_budgets_is_shown_with_a_gap():
    variants = VARIANTS | {"compact+samples=12000": points(a=29.0, b=30.0, c=31.0, d=32.0, e=19.0)}
    by_budget = budgets("compact", 24_000, OURS, variants)
    _, values, _ = tables(curves(by_budget), by_budget, 24_000)
    assert ["e", "19.00", "20.00", "—"] in cells(values)


def test_rise_and_tau_are_those_between_neighbours_over_what_both_trained(found, by_budget):
    words, values, moves = tables(found, by_budget, 24_000)
    assert "chest" in words
    assert ["a", "29.00", "30.00", "30.50"] in cells(values)
    rows = {(row[1], row[3]): row[4:6] for row in cells(moves)}
    assert rows["12,000 to 24,000", "posterior mean"] == ["+1.00", "1.00"]
    assert rows["24,000 to 48,000", "posterior mean"] == ["+0.88", "0.67"]
    assert rows["24,000 to 48,000", "SR PSNR of a sample"] == ["+0.88", "0.67"]
    assert rows["24,000 to 48,000", "detail kept"] == ["+0.09", "0.67"]


def test_the_gain_is_set_beside_what_was_left_below_the_ceiling(found, by_budget):
    words, rows = headroom(found, by_budget, 24_000)
    assert "48,000" in words
    # Room 0.6, 0.7, 1.5, 6.0 with gain 0.5, 0.5, 0.5, 2.0: tau-b is 3 / sqrt(6 * 3).
    assert "tau 0.71" in words
    assert cells(rows)[2] == ["a", "0.60", "+0.50"]


def test_the_figure_names_every_candidate_once(found):
    text = svg_file(lambda canvas: draw(found, canvas), "of a test").decode()
    names = [each.text for each in ElementTree.fromstring(text).iter() if each.text in set("abcd")]
    assert sorted(names) == ["a", "b", "c", "d"]
