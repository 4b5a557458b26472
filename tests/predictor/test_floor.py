from dataclasses import replace

import numpy as np
import pytest

from vaescreen.predictor.floor import noise_floor


def test_seed_sd_is_pooled_by_degrees_of_freedom(simulate):
    points = simulate(3, ("brain", "chest"))
    spreads = [(2, 0.3), (3, 0.1), (3, 0.2), (1, None), (2, 0.4), (3, 0.0)]
    points = [
        replace(p, seeds=seeds, seed_sd={} if sd is None else {"sr_psnr": sd})
        for p, (seeds, sd) in zip(points, spreads, strict=True)
    ]
    floor = noise_floor(points)
    # (1 * 0.09 + 2 * 0.01 + 2 * 0.04 + 1 * 0.16 + 2 * 0) / 8 = 0.04375
    assert floor.seed_sd == pytest.approx(0.04375**0.5)
    assert floor.points == 5
    assert floor.seeds == pytest.approx(14 / 6)
    expected = np.sqrt(2 / np.pi) * floor.seed_sd * np.mean([seeds**-0.5 for seeds, _ in spreads])
    assert floor.mae == pytest.approx(expected)


def test_more_noise_leaves_less_order_and_costs_more(simulate):
    quiet, loud = (noise_floor(simulate(noise=noise)) for noise in (0.01, 1.0))
    assert quiet.tau > 0.97
    assert loud.tau < 0.8
    assert quiet.regret < 0.05 < loud.regret


def test_the_floor_is_what_an_oracle_scores(simulate):
    """SIMULATION: the truth known, three seeds of SD 0.5 measured about it."""
    points = simulate(40)
    truth = np.array([p.targets["sr_psnr"] for p in points])
    random = np.random.default_rng(0)
    errors = [np.abs(random.normal(truth, 0.5 / 3**0.5) - truth).mean() for _ in range(200)]
    floor = noise_floor([replace(p, seed_sd=dict.fromkeys(p.targets, 0.5)) for p in points])
    assert floor.mae == pytest.approx(np.mean(errors), rel=0.02)


def test_without_a_second_seed_the_floor_is_unknown(simulate):
    assert noise_floor([replace(p, seeds=1, seed_sd={}) for p in simulate(3)]) is None
