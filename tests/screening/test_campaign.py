"""Many candidates: in parallel, from the cache, and past those that fail."""

import os
import shutil
import time

import pytest

from vaescreen.images import open_data
from vaescreen.screening.campaign import screen


@pytest.fixture(scope="module")
def data():
    return open_data("brain", size=32, train_images=8, test_images=3)


@pytest.fixture(scope="module")
def candidates(entry):
    return [entry("first", basis="haar"), entry("second", basis="pca")]


@pytest.fixture(scope="module")
def here(candidates, data, view, tmp_path_factory):
    """What one process gives, and where its cards are."""
    results = tmp_path_factory.mktemp("here")
    return screen(candidates, data, view, results=results, processes=1), results


def test_two_processes_and_another_order_give_the_same_bytes(here, candidates, data, view, tmp_path):
    apart = screen(candidates[::-1], data, view, results=tmp_path, processes=2)
    assert [card.candidate for card in apart.cards] == ["second", "first"]
    for one, other in zip(here[0].cards, reversed(apart.cards), strict=True):
        assert one.images_sha256 == other.images_sha256
        times = dict.fromkeys(("encode_ms", "decode_ms"), 0.0)
        assert one.summary | times == other.summary | times


def test_a_failing_candidate_does_not_stop_the_others(entry, dataset, view, tmp_path):
    seen = []
    candidates = [entry("bad", channels=17), entry("good")]
    screening = screen(
        candidates, dataset(), view, results=tmp_path, on_progress=lambda *news: seen.append(news)
    )
    assert [card.candidate for card in screening.cards] == ["good"]
    assert screening.failed == {"bad": "bad: patches of 4x4 pixels have 16 coefficients, not 17"}
    assert seen == [("bad", 1, 2), ("good", 2, 2)]


def test_missing_files_are_a_reason(entry, dataset, view, tmp_path):
    fields = entry().model_dump() | {"adapter": "diffusers", "source": {"path": tmp_path / "none"}}
    screening = screen([type(entry()).model_validate(fields)], dataset(), view, results=tmp_path)
    assert "does not exist" in screening.failed["mine"]


def test_current_cards_are_taken(here, candidates, data, view):
    first, results = here
    stamps = {path: path.stat().st_mtime_ns for path in results.rglob("*.json")}
    assert screen(candidates, data, view, results=results, processes=2) == first
    assert len(stamps) == 2
    assert stamps == {path: path.stat().st_mtime_ns for path in results.rglob("*.json")}


@pytest.mark.parametrize("age_s", [-(10**8), 10**8], ids=["future", "past"])
def test_cards_are_current_under_any_path_and_date(here, candidates, data, view, tmp_path, age_s):
    first, results = here
    moved = shutil.copytree(results, tmp_path / "Ergebnisse für Röntgen 日本")
    for path in moved.rglob("*.*"):
        os.utime(path, (time.time() - age_s,) * 2)
    assert screen(candidates, data, view, results=moved, processes=1) == first
