"""An adapted autoencoder is a candidate like any other, with its parent named."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vaescreen.autoencoders import fingerprint_of, open_autoencoder
from vaescreen.autoencoders.adaptation.fitting import ceiling
from vaescreen.autoencoders.adaptation.gain import ceiling_gain, paired_gain
from vaescreen.autoencoders.adaptation.plan import Plan
from vaescreen.autoencoders.adaptation.saving import adapt
from vaescreen.errors import CandidateError
from vaescreen.images import DataSet, open_data
from vaescreen.registry.candidate import Candidate

PLAN = Plan(steps=4, batch=2, crop=16, check_every=2, learning_rate=1e-3, warm_up=1)


@pytest.fixture
def data() -> DataSet:
    return open_data("brain", size=32, train_images=4, test_images=3, name="few")


@pytest.fixture
def parent(tiny_dc: Callable[..., object], tmp_path: Path) -> Candidate:
    tiny_dc().save_pretrained(tmp_path / "parent")
    return Candidate.model_validate(
        {
            "name": "parent",
            "adapter": "diffusers",
            "source": {"path": tmp_path / "parent"},
            "geometry": {"channels": 4, "factor": 4},
            "domain": "natural",
            "family": "tiny",
            "licence": "MIT",
            "training_data": "photographs",
        }
    )


def test_the_child_opens_and_gains_what_is_reported(parent, data, tmp_path):
    child = adapt(parent, data, PLAN, tmp_path / "child", "child")
    assert (child.parent, child.family, child.geometry) == ("parent", "tiny", parent.geometry)
    assert child.training_data == "photographs; adapted to the train split of few"
    assert fingerprint_of(child, data) != fingerprint_of(parent, data)
    record = json.loads((tmp_path / "child" / "adaptation.json").read_text())
    assert [look["step"] for look in record["validation"]] == [0, 2, 4]
    opened = open_autoencoder(child, data)
    best = max(look["psnr"] for look in record["validation"])
    assert float(ceiling(opened, data, "val").mean()) == pytest.approx(best, abs=1e-3)
    gain = ceiling_gain(parent, child, data)
    assert gain.after == pytest.approx(float(ceiling(opened, data, "test").mean()))
    assert gain.low <= gain.value <= gain.high


def test_what_is_there_is_not_trained_again(parent, data, tmp_path):
    first = adapt(parent, data, PLAN, tmp_path / "child", "child")
    steps = []
    again = adapt(parent, data, PLAN, tmp_path / "child", "child", on_step=lambda *news: steps.append(news))
    assert again == first
    assert not steps
    with pytest.raises(CandidateError, match="holds something else already"):
        adapt(parent, data, replace(PLAN, seed=1), tmp_path / "child", "child")


def test_an_interrupted_save_is_saved_again(parent, data, tmp_path):
    child = adapt(parent, data, PLAN, tmp_path / "child", "child")
    (tmp_path / "child" / "adaptation.json").unlink()
    assert adapt(parent, data, PLAN, tmp_path / "child", "child") == child


def test_no_gain_on_val_saves_nothing(parent, data, tmp_path):
    better = adapt(parent, data, replace(PLAN, steps=40, check_every=40), tmp_path / "better", "better")
    with pytest.raises(CandidateError, match="no step was better on the val split than the start"):
        adapt(better, data, replace(PLAN, learning_rate=30.0), tmp_path / "child", "child")
    assert not (tmp_path / "child").exists()


def test_codecs_are_refused(parent, data, tmp_path):
    fields = parent.model_dump() | {"adapter": "linear", "source": {"basis": "pca"}}
    with pytest.raises(CandidateError, match="a linear codec has no weights to adapt"):
        adapt(Candidate.model_validate(fields), data, PLAN, tmp_path / "child", "child")


def test_a_gain_is_paired():
    """Equal gains of very unequal images are certain; the interval of unpaired means would be wide."""
    before = np.array([20.0, 30.0, 40.0, 50.0])
    gain = paired_gain(before, before + 0.5, ("a", "b", "c", "d"))
    assert (gain.before, gain.after) == (35.0, 35.5)
    assert (gain.low, gain.high) == (pytest.approx(0.5), pytest.approx(0.5))


def test_a_gain_is_clustered_by_patient():
    generator = np.random.default_rng(0)
    effect = np.repeat(generator.normal(1.0, 1.0, 8), 10)
    values = np.zeros(80)
    by_patient = paired_gain(values, effect, tuple(str(n // 10) for n in range(80)))
    by_image = paired_gain(values, effect, tuple(map(str, range(80))))
    assert by_patient.high - by_patient.low > 2 * (by_image.high - by_image.low)
