"""Direct regression by the code of the diffusion models: no noise goes in, and the same bytes come out."""

from dataclasses import replace

import pandas as pd
import pytest
import torch

from vaescreen.errors import RecipeError
from vaescreen.registry.candidate import Candidate
from vaescreen.superres.baselines.regression import pixel_blocks, regress
from vaescreen.superres.diffusion import Process
from vaescreen.superres.sampling import estimator, posterior_mean
from vaescreen.superres.variants import vary


@pytest.fixture
def candidate() -> Candidate:
    return Candidate.model_validate(
        {
            "name": "haar-f8c1",
            "adapter": "linear",
            "source": {"basis": "haar"},
            "geometry": {"channels": 1, "factor": 8},
            "domain": "none",
            "family": "linear",
            "licence": "Apache-2.0",
            "training_data": "none",
        }
    )


@pytest.mark.parametrize("scale", [2, 4, 8])
def test_blocks_of_pixels_lose_nothing(scale):
    images = torch.rand(2, 1, 16, 24, generator=torch.Generator().manual_seed(0))
    codec = pixel_blocks(scale)
    latents = codec.encode(images)
    assert latents.shape == (2, scale**2, 16 // scale, 24 // scale)
    assert torch.allclose(codec.decode(latents, (16, 24)), images, atol=1e-5)


def test_the_network_sees_no_noise_and_is_told_the_image(recipe):
    process = Process.of(vary(recipe, objective="regression"))
    clean, noise = torch.rand(2, 4, 3, 3), torch.rand(2, 4, 3, 3)
    level = torch.zeros(2, dtype=torch.long)
    assert not process.noised(clean, None, noise, level).any()
    assert torch.equal(process.target(clean, noise, level), clean)


def test_sampling_noise_changes_nothing(recipe):
    class Echo(torch.nn.Module):
        def forward(self, x, level):
            return type("Said", (), {"sample": x[:, :2] + x[:, 2:]})

    chosen = replace(vary(recipe, objective="regression"), precision="float32")
    condition = torch.rand(1, 2, 4, 4)
    estimate = estimator(chosen, Echo(), condition, 1.0)
    for seed in (0, 1):
        noise = torch.randn(1, 2, 4, 4, generator=torch.Generator().manual_seed(seed))
        assert torch.equal(posterior_mean(chosen, estimate, noise), condition)


def test_no_sampler_of_diffusion_goes_with_it(recipe):
    with pytest.raises(RecipeError, match="regression knows no noise"):
        vary(recipe, objective="regression", sampler="ddim")


def test_in_pixels_and_in_latents(recipe, phantoms, candidate, tmp_path):
    data, recipe = phantoms(), replace(recipe, samples=40)
    pixels = regress(data, recipe, tmp_path / "a")
    latents = regress(data, recipe, tmp_path / "a", candidate=candidate)
    assert pixels["baseline"]["details"]["geometry"] == {"channels": 16, "factor": 4}
    assert latents["baseline"]["name"] == "regression-haar-f8c1-tiny-seed0"
    assert latents["training"]["samples"] == 40
    again = regress(data, recipe, tmp_path / "b")
    assert again["summary"] == pixels["summary"]
    steps = []
    regress(data, recipe, tmp_path / "a", on_step=lambda *news: steps.append(news))
    assert not steps
    assert regress(data, recipe, tmp_path / "a", seed=1)["summary"] != pixels["summary"]


@pytest.mark.slow
def test_interrupted_it_ends_in_the_same_table(recipe, phantoms, tmp_path):
    data, longer = phantoms(), replace(recipe, samples=1_200)

    def interrupt(step: int, steps: int) -> None:
        if step == 550:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        regress(data, longer, tmp_path / "broken", on_step=interrupt)
    steps = []
    regress(data, longer, tmp_path / "broken", on_step=lambda step, _: steps.append(step))
    assert steps[0] == 501
    regress(data, longer, tmp_path / "straight")
    broken, straight = (
        pd.read_parquet(next((tmp_path / n).rglob("*.parquet"))) for n in ("broken", "straight")
    )
    pd.testing.assert_frame_equal(broken, straight)


def test_more_training_helps(recipe, phantoms, tmp_path):
    data = phantoms()
    short, long = (
        regress(data, replace(recipe, name=f"s{samples}", samples=samples, target="latent"), tmp_path)[
            "summary"
        ]["sr_psnr"]
        for samples in (20, 400)
    )
    assert long > short + 1
