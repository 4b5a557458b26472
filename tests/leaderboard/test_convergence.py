"""Convergence: the rise from half to full budget, and how far the order of the candidates moved."""

from types import SimpleNamespace

from vaescreen.leaderboard.convergence import convergence


def board(half: list[float], full: list[float]) -> SimpleNamespace:
    references = {
        f"sim-{index}": {
            "summary": {
                "sr_psnr_half": before,
                "sr_psnr": after,
                "posterior_mean_psnr_half": before,
                "posterior_mean_psnr": after + 1,
            }
        }
        for index, (before, after) in enumerate(zip(half, full, strict=True))
    }
    return SimpleNamespace(data="simulated", references=references)


def test_rise_and_order_are_those_of_the_points():
    *_, text = convergence([board([20.0, 21.0, 22.0], [21.0, 22.0, 21.5])])
    # Pairs of (half, full): one of three changes its order, so tau is (2 - 1) / 3.
    assert text.splitlines()[-1] == "| simulated | 3 | +0.50 | 0.33 | +1.50 | 0.33 |"


def test_nothing_is_said_without_reference_points():
    assert convergence([board([], [])]) == []
