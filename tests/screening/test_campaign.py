"""Many candidates: in parallel, from the cache, and past those that fail."""

from vaescreen.images import open_data
from vaescreen.screening.campaign import screen


def test_two_processes_and_another_order_give_the_same_bytes(entry, view, tmp_path):
    candidates = [entry("first", basis="haar"), entry("second", basis="pca")]
    data = open_data("brain", size=32, train_images=8, test_images=3)
    here = screen(candidates, data, view, results=tmp_path / "a", processes=1)
    apart = screen(candidates[::-1], data, view, results=tmp_path / "b", processes=2)
    for one, other in zip(here.cards, reversed(apart.cards), strict=True):
        times = {"encode_ms", "decode_ms"}
        assert one.images_sha256 == other.images_sha256
        assert [(name, value) for name, value in one.summary.items() if name not in times] == [
            (name, value) for name, value in other.summary.items() if name not in times
        ]
    assert [card.candidate for card in apart.cards] == ["second", "first"]


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


def test_current_cards_are_taken(entry, dataset, view, tmp_path):
    candidates = [entry("one"), entry("two", channels=2)]
    first = screen(candidates, dataset(), view, results=tmp_path, processes=1)
    stamps = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json")}
    assert screen(candidates, dataset(), view, results=tmp_path, processes=2) == first
    assert stamps == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json")}
