"""Every class of network gives behind the contract what the library's own calls give."""

import importlib.util
import inspect

import pytest
import torch
from diffusers import ModelMixin
from small_networks import CONFIGS, RAE_SIDE, build, library_decode, library_encode
from torch import Tensor
from torch.nn import functional as F

from vaescreen.autoencoders import building
from vaescreen.autoencoders.classes import CLASSES
from vaescreen.autoencoders.contract import Geometry
from vaescreen.autoencoders.networks import NetworkAutoencoder
from vaescreen.errors import CandidateError
from vaescreen.registry.settings import Settings

NOT_ONE_IMAGE = {
    "AutoencoderKLAllegro": "24 frames",
    "AutoencoderKLMiniMaxH3": "17 frames",
    "AutoencoderVidTok": "several frames",
    "AutoencoderKLKVAEAudio": "sound",
    "AutoencoderKLLTX2Audio": "sound",
    "AutoencoderKLMiniMaxH3Audio": "sound",
    "AutoencoderOobleck": "sound",
    "AutoencoderSAME": "sound",
    "Cosmos3AVAEAudioTokenizer": "sound",
    "LongCatAudioDiTVae": "sound",
    "MMAudioVAE": "sound",
    "MMAudioVocoder": "sound",
    "MiniMaxMusic3Vocoder": "sound",
    "RFD4ProteinaAutoencoder": "molecules",
    "LTX2VideoDiffusionDecoderModel": "decodes only",
}


def images(size: tuple[int, int] = (64, 64), count: int = 1) -> Tensor:
    return torch.rand(count, 1, *size, generator=torch.Generator().manual_seed(1))


def gray(x: Tensor, size: tuple[int, int], black: float = -1) -> Tensor:
    assert (x.abs() < 1).float().mean() > 0.2, (
        "too much of the image is clamped: the comparison would be empty"
    )
    return ((x.mean(dim=1, keepdim=True) - black) / (1 - black)).clamp(0, 1)[..., : size[0], : size[1]]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", CLASSES)
@torch.no_grad()
def test_same_as_the_library(name, channels):
    """Every class that a registry entry can name, to 1e-6; one that has no small network here fails."""
    if CLASSES[name].needs:
        pytest.importorskip(CLASSES[name].needs, reason=f"{name} needs {CLASSES[name].needs}")
    if name == "AutoencoderRAE":  # colour images of one size, in [0, 1]
        channels, size, black = 3, (RAE_SIDE, RAE_SIDE), 0
    else:
        size, black = (33, 35), -1
    model, x = build(name, channels), images(size)
    ours = NetworkAutoencoder(build(name, channels), name, "0")
    factor = ours.geometry.factor
    padded = F.pad(x, (0, -size[1] % factor, 0, -size[0] % factor), mode="reflect")
    expected = library_encode(model, black + (1 - black) * padded.repeat(1, channels, 1, 1))
    latents = ours.encode(x)
    assert latents.std() > 1e-3
    torch.testing.assert_close(latents, expected, atol=1e-6, rtol=1e-6)
    decoded = ours.decode(latents, size)
    assert decoded.std() > 1e-3
    torch.testing.assert_close(
        decoded, gray(library_decode(model, expected), size, black), atol=1e-6, rtol=1e-6
    )


def test_every_autoencoder_of_the_library_is_known():
    from diffusers.models import autoencoders

    found = {
        name
        for name, kind in inspect.getmembers(autoencoders, inspect.isclass)
        if issubclass(kind, ModelMixin)
    }
    assert found - set(NOT_ONE_IMAGE) == set(CLASSES)


@pytest.mark.parametrize("name", [name for name in CONFIGS if name != "AutoencoderRAE"])
def test_an_image_does_not_depend_on_its_batch(name):
    ours, x = NetworkAutoencoder(build(name), name, "0"), images((64, 64), count=2)
    together = ours.encode(x)
    torch.testing.assert_close(ours.encode(x[1:2]), together[1:2], atol=1e-4, rtol=0)
    apart = ours.decode(together[1:2], (64, 64))
    torch.testing.assert_close(apart, ours.decode(together, (64, 64))[1:2], atol=1e-4, rtol=0)


def test_opacity_is_no_colour():
    model = build("AutoencoderKLQwenImage21", 4)
    ours, x = NetworkAutoencoder(build("AutoencoderKLQwenImage21", 4), "rgba", "0"), images()
    with torch.no_grad():
        opaque = torch.cat([2 * x.repeat(1, 3, 1, 1) - 1, torch.ones_like(x)], dim=1)
        expected = library_encode(model, opaque)
        decoded = library_decode(model, expected)
    latents = ours.encode(x)
    torch.testing.assert_close(latents, expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(
        ours.decode(latents, (64, 64)), gray(decoded[:, :3], (64, 64)), atol=1e-5, rtol=0
    )


class TestCodeBook:
    @torch.no_grad()
    def test_is_used_in_decoding_unless_told_not_to(self):
        model, x = build("VQModel"), images()
        latents = NetworkAutoencoder(build("VQModel"), "vq", "0").encode(x)
        plain = NetworkAutoencoder(build("VQModel"), "vq", "0", settings=Settings(quantise=False))
        assert torch.equal(plain.encode(x), latents)
        expected = gray(model.decode(latents, force_not_quantize=True).sample, (64, 64))
        torch.testing.assert_close(plain.decode(latents, (64, 64)), expected, atol=1e-5, rtol=0)
        assert (expected - gray(model.decode(latents).sample, (64, 64))).abs().max() > 1e-3

    def test_of_a_network_without_one(self):
        with pytest.raises(CandidateError, match="kl: a AutoencoderKL has no code book"):
            NetworkAutoencoder(build("AutoencoderKL"), "kl", "0", settings=Settings(quantise=False))


class TestNativeScale:
    """As the pipelines of diffusers write it, in their own order of operations."""

    def test_scale_and_shift(self):
        model = build("AutoencoderKL")
        model.register_to_config(scaling_factor=0.3611, shift_factor=0.1159)
        self.check(model, lambda z: (z - 0.1159) * 0.3611)

    def test_lists(self):
        model = build("AutoencoderKLWan")
        mean, sd = (
            torch.tensor(model.config[key]).view(1, 16, 1, 1) for key in ("latents_mean", "latents_std")
        )
        self.check(model, lambda z: (z - mean) * (1.0 / sd))

    def test_lists_and_scale(self):
        model = build("AutoencoderKL")
        model.register_to_config(latents_mean=[1.0, 2, 3, 4], latents_std=[5.0, 6, 7, 8], scaling_factor=0.5)
        mean, sd = (
            torch.tensor(model.config[key]).view(1, 4, 1, 1) for key in ("latents_mean", "latents_std")
        )
        self.check(model, lambda z: (z - mean) * 0.5 / sd)

    def test_first_frame_of_cosmos(self):
        model = build("AutoencoderKLCosmos")
        mean, sd = (
            torch.tensor(model.config[key]).view(1, 16, -1, 1, 1)[:, :, 0]
            for key in ("latents_mean", "latents_std")
        )
        self.check(model, lambda z: (z - mean) / sd)

    def test_buffers_of_ltx(self):
        model = build("AutoencoderKLLTXVideo")
        model.latents_mean += torch.arange(8.0)
        model.latents_std *= 2
        mean = torch.arange(8.0).view(1, 8, 1, 1)
        self.check(model, lambda z: (z - mean) * model.config["scaling_factor"] / 2)

    def test_batch_normalised_patches_of_flux_2(self):
        model = build("AutoencoderKLFlux2")
        generator = torch.Generator().manual_seed(2)
        model.bn.running_mean.copy_(torch.randn(16, generator=generator))
        model.bn.running_var.copy_(torch.rand(16, generator=generator) + 0.5)

        def normalise(z: Tensor) -> Tensor:
            sd = torch.sqrt(model.bn.running_var.view(1, -1, 1, 1) + model.config.batch_norm_eps)
            patches = (F.pixel_unshuffle(z, 2) - model.bn.running_mean.view(1, -1, 1, 1)) / sd
            return F.pixel_shuffle(patches, 2)

        self.check(model, normalise)

    @pytest.mark.parametrize("name", ["VQModel", "AutoencoderKLKVAE"])
    def test_none(self, name):
        self.check(build(name), lambda z: z)

    @torch.no_grad()
    def check(self, model, normalise) -> None:
        x = images()
        raw = NetworkAutoencoder(model, "raw", "0")
        native = NetworkAutoencoder(model, "native", "0", settings=Settings(scaling="native"))
        latents = raw.encode(x)
        torch.testing.assert_close(native.encode(x), normalise(latents), atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(
            native.decode(normalise(latents), (64, 64)), raw.decode(latents, (64, 64)), atol=1e-4, rtol=0
        )


class TestFixedSize:
    """AutoencoderRAE resizes whatever it gets; here it refuses what is not its own size."""

    @pytest.mark.skipif(
        importlib.util.find_spec("transformers") is not None, reason="transformers is installed"
    )
    def test_says_what_it_needs(self):
        config = {"_class_name": "AutoencoderRAE"}
        with pytest.raises(
            CandidateError, match=r"rae: AutoencoderRAE needs transformers; `pip install vaescreen"
        ):
            building.build(config, {}, "rae")

    def test_refuses_other_sizes(self):
        pytest.importorskip("transformers", reason="AutoencoderRAE needs transformers")
        ours = NetworkAutoencoder(build("AutoencoderRAE"), "rae", "0")
        assert ours.geometry == Geometry(64, 16)
        with pytest.raises(CandidateError, match="rae: works on 32x32 pixels only, not on 48x32"):
            ours.encode(images((40, 32)))
