from xml.etree import ElementTree

import pytest

from benchmarks.convergence import curves, draw, tables
from vaescreen.reports.page.drawing import svg_file


def points(**reached: float):
    return {"chest": {name: [{"posterior_mean_psnr": value}] for name, value in reached.items()}}


OURS = points(a=30.0, b=31.0, c=32.0, d=33.0, e=20.0)
VARIANTS = {
    "compact+samples=48000": points(a=30.5, b=31.5, c=34.0, d=33.5),
    "compact+samples=12000": points(a=29.0, b=30.0, c=31.0, d=32.0),
    "compact+samples=48000+scale=2": points(a=0.0, b=0.0, c=0.0, d=0.0),
    "standard+samples=48000": points(a=0.0, b=0.0, c=0.0, d=0.0),
}


@pytest.fixture
def found():
    return curves("compact", 24_000, OURS, VARIANTS)


def test_budgets_go_up_and_have_the_same_candidates(found):
    assert list(found["chest"]) == [12_000, 24_000, 48_000]
    assert all(list(values) == ["a", "b", "c", "d"] for values in found["chest"].values())


def test_one_budget_or_three_candidates_make_no_curves():
    assert curves("compact", 24_000, OURS, {}) == {}
    few = {"compact+samples=12000": points(a=1.0, b=2.0, c=3.0)}
    assert curves("compact", 24_000, OURS, few) == {}


def test_rise_and_tau_are_those_between_neighbours(found):
    words, text = tables(found)
    assert "chest" in words
    rows = {
        cells[0]: cells[1:]
        for line in text.splitlines()
        if (cells := [c.strip() for c in line.split("|")[1:-1]])
    }
    assert rows["a"] == ["29.00", "30.00", "30.50"]
    assert rows["mean rise from the budget before"][1:] == ["+1.00", "+0.88"]
    assert rows["tau with the budget before"][1:] == ["1.00", "0.67"]


def test_the_figure_names_every_candidate_once(found):
    text = svg_file(lambda canvas: draw(found, canvas), "of a test").decode()
    names = [each.text for each in ElementTree.fromstring(text).iter() if each.text in set("abcd")]
    assert sorted(names) == ["a", "b", "c", "d"]
