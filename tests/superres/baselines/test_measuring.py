"""Baselines without training: against independent resampling, and networks from weight files of a user."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from skimage.metrics import peak_signal_noise_ratio
from torch.nn import functional as F

from vaescreen.errors import CandidateError
from vaescreen.images.degradation import Degradation
from vaescreen.screening.view import View
from vaescreen.superres.baselines.files import baseline_path, read_baselines
from vaescreen.superres.baselines.measuring import measure
from vaescreen.superres.baselines.published import open_published
from vaescreen.superres.baselines.scoring import score_upscaler

HALF = Degradation("area", 4)


def test_nearest_repeats_pixels():
    lr = torch.rand(2, 1, 4, 5)
    expected = F.interpolate(lr, scale_factor=4, mode="nearest")
    assert torch.equal(HALF.upsample(lr, (16, 20), "nearest"), expected)


@pytest.mark.parametrize("by", ["nearest", "bicubic", "lanczos"])
def test_interpolations_are_those_of_pillow(by, recipe, phantoms, tmp_path):
    data = phantoms()
    record = measure(by, data, recipe, tmp_path)
    table = pd.read_parquet(
        baseline_path(tmp_path, View(32, recipe.degradation), "few", by).with_suffix(".parquet")
    )
    (batch,) = data.batches("test", 8)
    assert tuple(table["image_id"]) == batch.ids
    for row, image in zip(table.itertuples(), batch.images, strict=True):
        small = recipe.degradation.apply(image[None])[0, 0].numpy()
        large = Image.fromarray(small).resize((32, 32), getattr(Image.Resampling, by.upper()))
        expected = peak_signal_noise_ratio(image[0].numpy(), np.asarray(large).clip(0, 1), data_range=1.0)
        assert row.sr_psnr == pytest.approx(expected, abs=1e-4)
    assert record["summary"]["sr_psnr"] == pytest.approx(table["sr_psnr"].mean())
    assert record["summary"]["bicubic_psnr"] == pytest.approx(table["bicubic_psnr"].mean())
    if by == "bicubic":
        assert (table["sr_psnr"] == table["bicubic_psnr"]).all()


def test_what_is_there_is_read_and_what_changed_is_made_again(recipe, phantoms, tmp_path):
    data = phantoms()
    first = measure("nearest", data, recipe, tmp_path)
    path = baseline_path(tmp_path, View(32, recipe.degradation), "few", "nearest")
    path.write_text(json.dumps(first | {"command": "kept"}))
    assert measure("nearest", data, recipe, tmp_path)["command"] == "kept"
    other = phantoms(seed=1)
    assert measure("nearest", other, recipe, tmp_path)["data"]["fingerprint"] == other.fingerprint
    assert measure("nearest", data, recipe, tmp_path)["command"] == "kept", (
        "it has made way, and is found there"
    )
    for other in (Degradation("bicubic", 2), Degradation("bicubic", 2, "torch", antialias=False)):
        measure("nearest", data, replace(recipe, degradation=other), tmp_path)
    assert len(list(tmp_path.rglob("nearest.json"))) == 4


def test_only_results_on_the_same_images_are_shown(recipe, phantoms, tmp_path):
    data, view = phantoms(), View(32, recipe.degradation)
    expected = {
        by: measure(by, data, recipe, tmp_path)["summary"]["sr_psnr"] for by in ("bicubic", "nearest")
    }
    assert read_baselines(tmp_path, view, "few", data.fingerprint) == expected
    assert read_baselines(tmp_path, view, "few", "another") == {}
    assert read_baselines(tmp_path, View(64, recipe.degradation), "few", data.fingerprint) == {}


def test_unusable_output_is_refused(phantoms):
    with pytest.raises(CandidateError, match="mine: gives"):
        score_upscaler(lambda lr, size: lr, phantoms(), HALF, "mine")
    with pytest.raises(CandidateError, match="mine: gives"):
        score_upscaler(lambda lr, size: torch.full((3, 1, *size), torch.nan), phantoms(), HALF, "mine")


def test_an_unknown_name_says_what_there_is(recipe, phantoms, tmp_path):
    with pytest.raises(CandidateError, match="give nearest, bicubic, lanczos, regression or a file"):
        measure("bilinear", phantoms(), recipe, tmp_path)


class TestPublished:
    @pytest.fixture(autouse=True)
    def spandrel(self):
        try:
            import spandrel  # noqa: F401
        except Exception as error:  # a torchvision of another build fails in its own ways
            pytest.skip(f"spandrel is an extra, pip install 'vaescreen[spandrel]' ({type(error).__name__})")

    @pytest.fixture
    def swinir(self, tmp_path: Path) -> Path:
        from spandrel.architectures.SwinIR import SwinIR

        torch.manual_seed(0)
        network = SwinIR(
            img_size=48,
            depths=[2, 2],
            embed_dim=12,
            num_heads=[2, 2],
            window_size=8,
            upscale=4,
            upsampler="pixelshuffledirect",
            mlp_ratio=2,
        )
        path = tmp_path / "swinir.safetensors"
        save_file({key: value.contiguous() for key, value in network.state_dict().items()}, path)
        return path

    @pytest.fixture
    def esrgan(self, tmp_path: Path) -> Path:
        from spandrel.architectures.ESRGAN import ESRGAN

        torch.manual_seed(0)
        network = ESRGAN(in_nc=3, out_nc=3, num_filters=8, num_blocks=1, scale=4)
        torch.save({"params_ema": network.state_dict()}, tmp_path / "esrgan.pth")
        return tmp_path / "esrgan.pth"

    def test_architectures_are_recognised_and_run_as_they_are(self, swinir, esrgan, phantoms):
        lr = torch.rand(2, 1, 12, 20, generator=torch.Generator().manual_seed(1))
        for path, architecture in ((swinir, "SwinIR"), (esrgan, "ESRGAN")):
            baseline, upscale = open_published(path, 4)
            assert baseline.details["architecture"] == architecture
            sr = upscale(lr, (48, 80))
            assert sr.shape == (2, 1, 48, 80)
            assert torch.equal(sr[1:], upscale(lr[1:], (48, 80)))

    def test_it_is_the_network_of_the_file(self, esrgan):
        from spandrel.architectures.ESRGAN import ESRGAN

        network = ESRGAN(in_nc=3, out_nc=3, num_filters=8, num_blocks=1, scale=4)
        network.load_state_dict(torch.load(esrgan, weights_only=True)["params_ema"])
        lr = torch.rand(1, 1, 8, 8, generator=torch.Generator().manual_seed(1))
        with torch.no_grad():
            expected = network(lr.expand(-1, 3, -1, -1)).clamp(0, 1).mean(dim=1, keepdim=True)
        assert torch.allclose(open_published(esrgan, 4)[1](lr, (32, 32)), expected, atol=1e-6)

    def test_scored_like_any_other(self, swinir, recipe, phantoms, tmp_path):
        record = measure(str(swinir), phantoms(), recipe, tmp_path / "results")
        assert record["baseline"]["name"] == "swinir"
        assert record["summary"]["sr_psnr"] > 0

    def test_another_scale_or_file_is_refused(self, swinir, tmp_path):
        with pytest.raises(CandidateError, match="enlarges 4 times where 2 times is due"):
            open_published(swinir, 2)
        save_file({"a": torch.zeros(1)}, tmp_path / "other.safetensors")
        with pytest.raises(CandidateError, match="spandrel does not know the network"):
            open_published(tmp_path / "other.safetensors", 4)
