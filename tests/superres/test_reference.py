"""A reference point end to end: trained once, written with all it was made with, read back after that."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch
from small_networks import build

from vaescreen.errors import DataError, ResultError
from vaescreen.registry.candidate import Candidate
from vaescreen.storage import read_json
from vaescreen.superres.finished import Wanted, weights_path
from vaescreen.superres.kept import recall
from vaescreen.superres.outputs import load_outputs
from vaescreen.superres.paths import point_path
from vaescreen.superres.reference import make_reference

SUMMARY = {
    "sr_psnr",
    "posterior_mean_psnr",
    "upsampled_psnr",
    "detail",
    "posterior_mean_detail",
    "ae_detail",
    "sr_ssim",
    "sr_psnr_foreground",
    "sr_psnr_self",
    "ae_ceiling",
    "bicubic_psnr",
}


@pytest.fixture
def candidate() -> Candidate:
    return Candidate.model_validate(
        {
            "name": "haar-f4c4",
            "adapter": "linear",
            "source": {"basis": "haar"},
            "geometry": {"channels": 4, "factor": 4},
            "domain": "none",
            "family": "linear",
            "licence": "Apache-2.0",
            "training_data": "none",
        }
    )


class Phases:
    """What was reported, and where to interrupt."""

    def __init__(self, stop: str | None = None) -> None:
        self.stop = stop
        self.seen: list[tuple[str, int, int]] = []

    def __call__(self, phase: str, done: int, total: int) -> None:
        self.seen.append((phase, done, total))
        if phase == self.stop:
            raise KeyboardInterrupt

    @property
    def trained_steps(self) -> int:
        return sum(phase == "train" for phase, _, _ in self.seen)


def test_the_result_files(candidate, phantoms, recipe, tmp_path):
    data, phases = phantoms(), Phases()
    result = make_reference(candidate, data, recipe, tmp_path, seed=7, on_step=phases)
    path = tmp_path / "reference/tiny/few/haar-f4c4-seed7.json"
    assert point_path(tmp_path, recipe.name, data.name, candidate.name, 7) == path
    assert read_json(path) == result
    fixed = {
        "protocol": "reference-2",
        "candidate": "haar-f4c4",
        "family": "linear",
        "domain": "none",
        "geometry": {"channels": 4, "factor": 4},
        "data": {
            "name": "few",
            "kind": "phantom",
            "fingerprint": data.fingerprint,
            "description": data.description,
        },
        "recipe": recipe.description(),
        "seed": 7,
    }
    assert {key: result[key] for key in fixed} == fixed
    more = {"fingerprint", "summary", "training", "environment", "command", "images_sha256"}
    assert set(result) == {*fixed, *more}
    assert len(result["fingerprint"]) == 64
    assert result["training"]["samples"] == recipe.samples
    assert len(result["training"]["losses"]) == 1
    assert result["training"]["samples_per_second"] > 0
    assert result["environment"]["training_dtype"] == "bfloat16 autocast"
    table = pd.read_parquet(path.with_suffix(".parquet"))
    assert tuple(table["image_id"]) == data.ids("test")
    assert tuple(table["patient_id"]) == data.patients("test")
    assert set(table.columns) == {"image_id", "patient_id"} | SUMMARY
    assert result["summary"] == pytest.approx({name: table[name].mean() for name in SUMMARY})
    assert phases.seen == [
        ("encode", 5, 5),
        *(("train", step, 100) for step in range(1, 101)),
        ("evaluate", 3, 3),
    ]


def test_a_known_result_is_read_and_another_data_set_seed_or_recipe_is_trained(
    candidate, phantoms, recipe, tmp_path
):
    short, data = replace(recipe, samples=8), phantoms()

    def steps(*, data=data, recipe=short, seed=0) -> int:
        phases = Phases()
        make_reference(candidate, data, recipe, tmp_path, seed=seed, on_step=phases)
        return phases.trained_steps

    assert [steps(), steps()] == [4, 0]
    assert [steps(data=phantoms(seed=1)), steps(data=phantoms(seed=1))] == [4, 0]
    assert [steps(), steps(seed=1), steps(seed=1), steps()] == [0, 4, 0, 0]
    assert [steps(recipe=replace(short, ema=0.5)), steps(recipe=replace(short, ema=0.5))] == [4, 0]


def test_a_folder_of_files_is_recognised_too(candidate, recipe, tmp_path):
    import numpy as np
    from PIL import Image

    from vaescreen.images import open_data

    (tmp_path / "scans").mkdir()
    for number in range(10):
        pixels = np.random.default_rng(number).integers(0, 256, (32, 32), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"scans/{number}.png")
    short, phases = replace(recipe, samples=8), Phases()
    for _ in range(2):
        data = open_data(tmp_path / "scans", size=32)
        make_reference(candidate, data, short, tmp_path / "results", on_step=phases)
    assert phases.trained_steps == 4


def test_an_interrupted_evaluation_does_not_train_again(candidate, phantoms, recipe, tmp_path):
    short = replace(recipe, samples=8)
    straight = make_reference(candidate, phantoms(), short, tmp_path / "straight")
    with pytest.raises(KeyboardInterrupt):
        make_reference(candidate, phantoms(), short, tmp_path / "results", on_step=Phases("evaluate"))
    assert not list((tmp_path / "results").rglob("*.json"))
    phases = Phases()
    resumed = make_reference(candidate, phantoms(), short, tmp_path / "results", on_step=phases)
    assert phases.trained_steps == 0
    assert resumed["summary"] == straight["summary"]


def test_data_of_another_size_is_refused(candidate, phantoms, recipe, tmp_path):
    with pytest.raises(DataError, match="recipe tiny needs images of 32 pixels, these have 64"):
        make_reference(candidate, phantoms(size=64), recipe, tmp_path)


def test_the_models_of_two_candidates_share_nothing(candidate, phantoms, recipe, tmp_path):
    """The state of the process before a call decides nothing."""
    short = replace(recipe, samples=8)
    first = make_reference(candidate, phantoms(), short, tmp_path / "first")
    torch.manual_seed(123)
    torch.rand(10)
    second = make_reference(candidate, phantoms(), short, tmp_path / "second")
    assert first["summary"] == second["summary"]


class TestKeptWeights:
    @pytest.fixture
    def short(self, recipe):
        return replace(recipe, samples=8)

    def test_another_sampler_needs_no_training(self, candidate, phantoms, short, tmp_path):
        make_reference(candidate, phantoms(), short, tmp_path, wanted=Wanted(weights=True))
        phases, few = Phases(), replace(short, name="tiny+sampler_steps=2", sampler_steps=2)
        kept = make_reference(
            candidate, phantoms(), few, tmp_path, wanted=Wanted(training=False), on_step=phases
        )
        assert phases.trained_steps == 0
        trained = make_reference(candidate, phantoms(), few, tmp_path / "anew")
        assert kept["summary"] == trained["summary"]
        assert kept["training"]["losses"] == trained["training"]["losses"]
        assert kept["recipe"]["sampler_steps"] == 2

    def test_without_them_an_evaluation_says_what_to_do(self, candidate, phantoms, short, tmp_path):
        with pytest.raises(
            ResultError, match="no weights are kept of haar-f4c4 on few, recipe tiny, seed 0; train"
        ):
            make_reference(candidate, phantoms(), short, tmp_path, wanted=Wanted(training=False))

    def test_a_known_result_is_made_again_for_what_it_lacks(self, candidate, phantoms, short, tmp_path):
        plain = make_reference(candidate, phantoms(), short, tmp_path, wanted=Wanted(weights=True))
        phases = Phases()
        for wanted in (Wanted(samples=2), Wanted(outputs=True), Wanted(samples=2, outputs=True)):
            more = make_reference(candidate, phantoms(), short, tmp_path, wanted=wanted, on_step=phases)
            assert plain["summary"].items() <= more["summary"].items()
        assert phases.trained_steps == 0
        assert more["samples"] == 2
        path = point_path(tmp_path, "tiny", "few", "haar-f4c4", 0)
        assert load_outputs(path).samples.shape == (3, 2, 1, 32, 32)

    def test_damaged_weights_are_as_good_as_none(self, candidate, phantoms, short, tmp_path):
        make_reference(candidate, phantoms(), short, tmp_path / "a", wanted=Wanted(weights=True))
        (path,) = weights_path("x").parent.glob("*.safetensors")
        assert recall(path, "cpu").steps == 4
        path.write_bytes(path.read_bytes()[:50])
        assert recall(path, "cpu") is None
        phases = Phases()
        make_reference(candidate, phantoms(), short, tmp_path / "b", on_step=phases)
        assert phases.trained_steps == 4


def network(folder: Path, scale: float) -> Candidate:
    """The same small network each time, but for the scale that its own pipeline gives its latents."""
    model = build("AutoencoderKL")
    model.register_to_config(scaling_factor=scale)
    model.save_pretrained(folder)
    entry = {"name": "small", "adapter": "diffusers", "source": {"path": str(folder)}, "licence": "MIT"}
    more = {"geometry": {"channels": 4, "factor": 4}, "domain": "none", "family": "network"}
    return Candidate.model_validate({**entry, **more, "training_data": "none"})


def test_native_scaling_is_that_of_the_networks_own_pipeline(phantoms, recipe, tmp_path):
    """A scale of one is no scaling at all; another changes the signal-to-noise ratio, hence the training, alone."""
    data = phantoms()

    def summary(scale: float, scaling: str) -> dict[str, float]:
        chosen = replace(recipe, latent_scaling=scaling)
        candidate = network(tmp_path / f"model-{scale}", scale)
        results = tmp_path / f"{scaling}-{scale}"
        return make_reference(candidate, data, chosen, results, seed=0)["summary"]

    one, none, quarter = summary(1.0, "native"), summary(0.25, "none"), summary(0.25, "native")
    assert one == none
    assert quarter["ae_ceiling"] == pytest.approx(none["ae_ceiling"], abs=1e-4)
    assert abs(quarter["sr_psnr"] - none["sr_psnr"]) > 0.01
