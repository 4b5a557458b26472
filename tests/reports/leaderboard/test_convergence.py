"""Convergence: the rise as the budget doubles, and how far the order of the candidates moved."""

from types import SimpleNamespace

from vaescreen.reports.leaderboard.convergence import convergence


def board(quarter: list[float] | None, half: list[float], full: list[float]) -> SimpleNamespace:
    seeds = {}
    for index, (before, after) in enumerate(zip(half, full, strict=True)):
        summary = {
            "sr_psnr_half": before,
            "sr_psnr": after,
            "posterior_mean_psnr_half": before,
            "posterior_mean_psnr": after + 1,
        }
        if quarter is not None:
            summary |= {"sr_psnr_quarter": quarter[index], "posterior_mean_psnr_quarter": quarter[index]}
        seeds[f"sim-{index}"] = [{"summary": summary}]
    return SimpleNamespace(data="simulated", seeds=seeds)


def test_rise_and_order_are_those_of_the_points():
    *_, text = convergence([board([18.0, 17.0, 19.0], [20.0, 21.0, 22.0], [21.0, 22.0, 21.5])])
    # Quarter to half: one pair of three changes its order, so tau is (2 - 1) / 3; so does one from half to all.
    assert text.splitlines()[-2:] == [
        "| simulated | 3 | SR PSNR | +3.00 | 0.33 | +0.50 | 0.33 |",
        "| simulated | 3 | posterior mean | +3.00 | 0.33 | +1.50 | 0.33 |",
    ]


def test_a_budget_that_was_not_evaluated_is_absent():
    *_, text = convergence([board(None, [20.0, 21.0, 22.0], [21.0, 22.0, 21.5])])
    assert text.splitlines()[-2] == "| simulated | 3 | SR PSNR | — | — | +0.50 | 0.33 |"


def test_a_step_takes_the_seeds_that_were_evaluated_at_both_of_its_ends():
    first, second = board([18.0, 17.0], [20.0, 21.0], [21.0, 22.0]), board(None, [30.0, 31.0], [32.0, 33.0])
    both = {name: first.seeds[name] + second.seeds[name] for name in first.seeds}
    *_, text = convergence([SimpleNamespace(data="simulated", seeds=both)])
    assert text.splitlines()[-2] == "| simulated | 2 | SR PSNR | +3.00 | -1.00 | +1.50 | 1.00 |"


def test_nothing_is_said_without_reference_points():
    assert convergence([board([], [], [])]) == []
