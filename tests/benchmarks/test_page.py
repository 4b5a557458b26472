"""The page of benchmarks says what their results say."""

import json
from pathlib import Path

import pytest

from benchmarks import page

ROOT = Path(__file__).parents[2]


def test_the_committed_page_is_of_the_committed_results(monkeypatch):
    monkeypatch.chdir(ROOT)
    assert page.PAGE.read_text(encoding="utf-8") == page.page()


def test_a_figure_that_moves_moves_the_page(monkeypatch, tmp_path):
    monkeypatch.chdir(ROOT)
    result = json.loads((page.RESULTS / "metrics_speed.json").read_text(encoding="utf-8"))
    (tmp_path / "metrics_speed.json").write_text(json.dumps(result | {"ratio": 3.5}))
    monkeypatch.setattr(page, "RESULTS", tmp_path)
    assert "3.5 times as fast" in page.page()


def test_a_result_that_the_page_does_not_know(monkeypatch, tmp_path):
    (tmp_path / "novel.json").write_text("{}")
    monkeypatch.setattr(page, "RESULTS", tmp_path)
    with pytest.raises(SystemExit, match=r"novel\.json has no line in FIGURES"):
        page.page()
