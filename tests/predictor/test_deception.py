"""A candidate built to deceive: it decodes as well as any, and its latents cannot be foreseen.

`scrambled-f4c8` is patch PCA with signs flipped by a hash of place and content, so its AE ceiling is that of
`pca-f4c8`. Judged by the published rule and by the shipped predictor, on the published score cards of real images.
"""

from pathlib import Path

import numpy as np
import pytest

from vaescreen.predictor.catalogue import PREDICTORS
from vaescreen.predictor.files import load, shipped_path
from vaescreen.predictor.fitted import FittedPredictor
from vaescreen.predictor.points import TARGETS
from vaescreen.predictor.sample import Sample
from vaescreen.storage import read_json

CARDS = Path(__file__).parents[2] / "leaderboards" / "results" / "scores" / "chest"
HONEST = [f"{domain}-{geometry}" for domain in ("medical", "generic") for geometry in ("f4c3", "f8c4")]


@pytest.fixture(scope="module")
def shipped() -> FittedPredictor:
    return load(shipped_path("compact"))


def card(candidate: str) -> dict:
    return read_json(CARDS / f"{candidate}.json")


def test_its_ae_ceiling_is_that_of_its_honest_twin():
    ceiling = card("scrambled-f4c8")["summary"]["psnr"]
    assert ceiling == pytest.approx(card("pca-f4c8")["summary"]["psnr"], abs=0.01)
    assert all(ceiling > card(candidate)["summary"]["psnr"] for candidate in HONEST)


@pytest.mark.parametrize("target", TARGETS)
def test_the_published_rule_ranks_it_above_them_and_the_predictor_below(shipped, target):
    rule = PREDICTORS["published"].fit(Sample.of(shipped.points, target))

    def by_rule(candidate: str) -> float:
        return rule.predict({"ae_ceiling": np.array([card(candidate)["summary"]["psnr"]])}).item()

    assert all(by_rule("scrambled-f4c8") > by_rule(candidate) for candidate in HONEST)
    prediction = shipped.predict(card("scrambled-f4c8"), target)
    assert all(prediction.high < shipped.predict(card(candidate), target).low for candidate in HONEST)


def test_the_prediction_is_marked_as_an_extrapolation(shipped):
    assert shipped.predict(card("scrambled-f4c8")).reason
