"""The track record on the leaderboard: predictions of new candidates apart from those of known ones."""

from typing import Any

from vaescreen.reports.leaderboard.track_record import track_record


def entry(candidate: str, seen: bool, predicted: float, reached: float) -> dict[str, Any]:
    made = {"value": predicted, "interval": [predicted - 1, predicted + 1], "published": predicted - 2}
    return {
        "candidate": candidate,
        "data": {"name": "chest"},
        "prediction": {
            "candidate_seen": seen,
            "targets": dict.fromkeys(("sr_psnr", "posterior_mean_psnr", "detail"), made),
        },
        "outcome": {"sr_psnr": reached, "posterior_mean_psnr": reached + 1.5, "detail": reached},
    }


def test_hits_errors_and_order_by_whether_the_candidate_was_known():
    entries = [entry("a", False, 25.0, 25.5), entry("b", False, 26.0, 24.0), entry("c", True, 20.0, 20.2)]
    title, _, text = track_record("compact", entries)
    assert "3 predictions" in title
    # New: errors -0.5 and +2.0, the second outside its interval, the order reversed. Known: one, error -0.2.
    assert text.splitlines()[2:] == [
        "| new | sr_psnr | 2 | 1 of 2 | 0.50 | 1.25 | +0.75 | -1.00 | 1.25 | -1.00 |",
        "| new | posterior_mean_psnr | 2 | 1 of 2 | 0.50 | 1.25 | -0.75 | -1.00 | 2.75 | -1.00 |",
        "| new | detail | 2 | 1 of 2 | 0.50 | 1.25 | +0.75 | -1.00 | 1.25 | -1.00 |",
        "| known from other data | sr_psnr | 1 | 1 of 1 | 1.00 | 0.20 | -0.20 | — | 2.20 | — |",
        "| known from other data | posterior_mean_psnr | 1 | 0 of 1 | 0.00 | 1.70 | -1.70 | — | 3.70 | — |",
        "| known from other data | detail | 1 | 1 of 1 | 1.00 | 0.20 | -0.20 | — | 2.20 | — |",
    ]


def test_nothing_is_said_before_the_first_prediction():
    assert track_record("compact", []) == []
