"""Networks behind the contract give what the library gives, and refuse what cannot be trusted."""

import json
import os
import pickle
from pathlib import Path

import pytest
import torch

from vaescreen.autoencoders import fingerprint_of
from vaescreen.autoencoders.contract import Autoencoder, Geometry
from vaescreen.autoencoders.networks import NetworkAutoencoder, load_network
from vaescreen.autoencoders.weights import available
from vaescreen.errors import CandidateError
from vaescreen.registry.catalogue import Candidate

WEIGHTS = "diffusion_pytorch_model.safetensors"


def entry(path: Path, *, channels: int = 4, factor: int = 4, **fields: object) -> Candidate:
    return Candidate.model_validate(
        {
            "name": "mine",
            "adapter": "diffusers",
            "source": {"path": path},
            "geometry": {"channels": channels, "factor": factor},
            "domain": "none",
            "family": "test",
            "licence": "MIT",
            "training_data": "none",
            **fields,
        }
    )


def images(size: tuple[int, int] = (64, 64), count: int = 2) -> torch.Tensor:
    return torch.rand(count, 1, *size, generator=torch.Generator().manual_seed(1))


def gray(x: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    assert (x.abs() < 1).float().mean() > 0.5, "most of the image is clamped: the comparison would be empty"
    return (x.mean(dim=1, keepdim=True) / 2 + 0.5).clamp(0, 1)[..., : size[0], : size[1]]


@pytest.fixture
def folder(tmp_path, tiny_kl) -> Path:
    tiny_kl().save_pretrained(tmp_path / "model")
    return tmp_path / "model"


@torch.no_grad()
def test_latents_of_tiny_are_not_quantised(tiny_taesd):
    model, x = tiny_taesd(), images()
    ours = NetworkAutoencoder(tiny_taesd(), "tiny", "0")
    quantised = gray(model(2 * x.repeat(1, 3, 1, 1) - 1).sample, (64, 64))
    assert (ours.decode(ours.encode(x), (64, 64)) - quantised).abs().max() > 1e-4


@pytest.fixture(params=["tiny_kl", "tiny_taesd", "tiny_dc"])
def build(request):
    return request.getfixturevalue(request.param)


class TestContract:
    def test_is_an_autoencoder(self, build):
        assert isinstance(NetworkAutoencoder(build(), "any", "0"), Autoencoder)

    @pytest.mark.parametrize("geometry", [Geometry(3, 2), Geometry(1, 4), Geometry(16, 8)])
    @pytest.mark.parametrize("size", [(64, 64), (65, 57), (1, 3), (5, 100)])
    def test_geometry_and_shapes(self, build, geometry, size):
        ours = NetworkAutoencoder(
            build(latent_channels=geometry.channels, factor=geometry.factor), "any", "0"
        )
        latents = ours.encode(images(size))
        assert ours.geometry == geometry
        assert latents.shape[1:] == geometry.latent_shape(*size)
        decoded = ours.decode(latents, size)
        assert decoded.shape == (2, 1, *size)
        assert decoded.min() >= 0
        assert decoded.max() <= 1

    def test_batch_size_does_not_matter(self, build):
        ours, x = NetworkAutoencoder(build(), "any", "0"), images(count=5)
        together = ours.encode(x)
        torch.testing.assert_close(
            torch.cat([ours.encode(i) for i in x.split(2)]), together, atol=1e-5, rtol=0
        )
        apart = torch.cat([ours.decode(z, (64, 64)) for z in together.split(1)])
        torch.testing.assert_close(apart, ours.decode(together, (64, 64)), atol=1e-5, rtol=0)

    def test_is_deterministic(self, build):
        ours, x = NetworkAutoencoder(build(), "any", "0"), images()
        assert torch.equal(ours.encode(x), ours.encode(x))

    def test_latents_can_be_trained_on(self, build):
        latents = NetworkAutoencoder(build(), "any", "0").encode(images())
        layer = torch.nn.Conv2d(4, 1, 1)
        layer(latents).sum().backward()
        assert layer.weight.grad is not None

    def test_leaves_the_images_alone(self, build):
        x = images((65, 57))
        before = x.clone()
        NetworkAutoencoder(build(), "any", "0").encode(x)
        assert torch.equal(x, before)

    @pytest.mark.parametrize("value", [float("nan"), float("inf")])
    def test_refuses_output_that_is_not_finite(self, build, value):
        model = build()
        healthy = NetworkAutoencoder(build(), "any", "0").encode(images())
        for parameter in model.parameters():
            parameter.data.fill_(value)
        ours = NetworkAutoencoder(model, "broken", "0")
        with pytest.raises(CandidateError, match="broken: gives latents that are not finite"):
            ours.encode(images())
        with pytest.raises(CandidateError, match="broken: gives images that are not finite"):
            ours.decode(healthy, (64, 64))


class TestSettings:
    """Each changes what it says, and the fingerprint; the defaults change neither."""

    def network(self, folder: Path, **settings: object) -> NetworkAutoencoder:
        return load_network(entry(folder, settings=settings))

    @pytest.mark.parametrize(
        "settings",
        [
            {"value_range": [0, 1]},
            {"scaling": "native"},
            {"posterior": "sample"},
            {"posterior": "sample", "seed": 1},
            {"dtype": "bfloat16"},
            {"tile": 64},
        ],
    )
    def test_is_another_autoencoder(self, folder, settings):
        plain, other = self.network(folder), self.network(folder, **settings)
        assert not torch.equal(other.encode(images((64, 96))), plain.encode(images((64, 96))))
        assert other.fingerprint != plain.fingerprint
        assert other.fingerprint == fingerprint_of(entry(folder, settings=settings), None)
        assert plain.fingerprint == fingerprint_of(entry(folder), None)

    @torch.no_grad()
    def test_value_range(self, folder, tiny_kl):
        model, x = tiny_kl(), images()
        ours = self.network(folder, value_range=[0, 1])
        expected = model.encode(x.repeat(1, 3, 1, 1)).latent_dist.mean
        torch.testing.assert_close(ours.encode(x), expected, atol=1e-5, rtol=0)
        decoded = model.decode(expected).sample.mean(dim=1, keepdim=True).clamp(0, 1)
        torch.testing.assert_close(ours.decode(expected, (64, 64)), decoded, atol=1e-5, rtol=0)

    def test_sample_has_the_spread_of_the_posterior(self, folder, tiny_kl):
        x = images()
        with torch.no_grad():
            expected = tiny_kl().encode(2 * x.repeat(1, 3, 1, 1) - 1).latent_dist
        mean, sd = self.network(folder).posterior(x)
        torch.testing.assert_close(mean, expected.mean, atol=1e-5, rtol=0)
        torch.testing.assert_close(sd, expected.std, atol=1e-5, rtol=0)
        draws = [self.network(folder, posterior="sample", seed=seed).encode(x) for seed in range(8)]
        noise = torch.stack([(draw - mean) / sd for draw in draws])
        assert abs(noise.mean()) < 0.03
        assert abs(noise.std() - 1) < 0.03

    def test_sample_of_an_image_does_not_depend_on_its_batch(self, folder):
        ours, x = self.network(folder, posterior="sample"), images(count=3)
        together = ours.encode(x)
        torch.testing.assert_close(ours.encode(x[1:2]), together[1:2], atol=1e-5, rtol=0)
        assert not torch.equal(together[0], together[1])

    def test_networks_without_a_posterior_have_no_spread(self, tiny_taesd):
        mean, sd = NetworkAutoencoder(tiny_taesd(), "tiny", "0").posterior(images())
        assert mean.shape == sd.shape
        assert not sd.any()

    @pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
    def test_half_precision_gives_float32_that_is_near(self, folder, dtype):
        plain, half = self.network(folder), self.network(folder, dtype=dtype)
        latents = half.encode(images())
        assert latents.dtype == torch.float32
        assert 0 < (latents - plain.encode(images())).abs().max() < 0.1
        decoded = half.decode(latents, (64, 64))
        assert decoded.dtype == torch.float32
        assert (decoded - plain.decode(latents, (64, 64))).abs().mean() < 0.02


class TestLoading:
    @pytest.mark.parametrize("safe", [True, False])
    def test_gives_the_saved_network(self, tmp_path, build, safe):
        build().save_pretrained(tmp_path / "model", safe_serialization=safe)
        candidate = entry(tmp_path / "model")
        assert available(candidate)
        expected = NetworkAutoencoder(build(), "any", "0").encode(images())
        assert torch.equal(load_network(candidate).encode(images()), expected)

    def test_path_may_name_the_weight_file(self, folder):
        (folder / WEIGHTS).rename(folder / "chosen.safetensors")
        assert load_network(entry(folder / "chosen.safetensors")).geometry == Geometry(4, 4)

    def test_half_precision_weights_run_in_full_precision(self, tmp_path, build):
        build().half().save_pretrained(tmp_path / "model")
        assert load_network(entry(tmp_path / "model")).encode(images()).dtype == torch.float32

    def test_attention_weights_under_their_older_names(self, folder):
        from safetensors.torch import load_file, save_file

        expected = load_network(entry(folder)).encode(images())
        older = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
        state = load_file(folder / WEIGHTS)
        for new, old in older.items():
            state = {key.replace(f".{new}.", f".{old}."): value for key, value in state.items()}
        assert any(".proj_attn." in key for key in state)
        save_file(state, folder / WEIGHTS)
        assert torch.equal(load_network(entry(folder)).encode(images()), expected)

    def test_fingerprint_follows_weights_and_configuration(self, folder, tmp_path, tiny_kl):
        first = load_network(entry(folder)).fingerprint
        assert load_network(entry(folder)).fingerprint == first
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | {"_diffusers_version": "0"}))
        assert load_network(entry(folder)).fingerprint == first
        (folder / "config.json").write_text(json.dumps(config | {"scaling_factor": 1.0}))
        assert load_network(entry(folder)).fingerprint != first
        other = tiny_kl()
        other.encoder.conv_in.bias.data[0] += 1e-3
        other.save_pretrained(tmp_path / "other")
        assert load_network(entry(tmp_path / "other")).fingerprint != first

    def test_pinned_sha256(self, folder):
        import hashlib

        right = hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()
        load_network(entry(folder, sha256=right))
        with pytest.raises(CandidateError, match=r"mine: .* the registry pins 00000000"):
            load_network(entry(folder, sha256="0" * 64))

    def test_geometry_must_be_that_of_the_entry(self, folder):
        with pytest.raises(CandidateError, match=r"the registry says f8c4, but .* f4c4"):
            load_network(entry(folder, factor=8))


class Bomb:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


class TestRefusals:
    """Each is one line that names the candidate, the file, and what to do."""

    def refusal(self, folder: Path) -> str:
        with pytest.raises(CandidateError) as caught:
            load_network(entry(folder))
        message = str(caught.value)
        assert message.startswith("mine: ")
        assert "\n" not in message
        return message

    @pytest.mark.parametrize("save", [torch.save, lambda value, path: path.write_bytes(pickle.dumps(value))])
    def test_pickle_with_code_is_not_run(self, folder, tmp_path, save):
        (folder / WEIGHTS).unlink()
        save({"weight": Bomb(tmp_path / "exploded")}, folder / "diffusion_pytorch_model.bin")
        assert "is a pickle that would run code on load; convert it to safetensors" in self.refusal(folder)
        assert not (tmp_path / "exploded").exists()

    @pytest.mark.parametrize("name", ["config.json", WEIGHTS])
    @pytest.mark.parametrize(
        ("content", "says"),
        [
            (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n", "is a Git LFS pointer"),
            (b"\n<!DOCTYPE html><html><title>Sign in</title></html>", "is an HTML page"),
            (b"", "is empty"),
        ],
    )
    def test_placeholder_instead_of_a_file(self, folder, name, content, says):
        (folder / name).write_bytes(content)
        message = self.refusal(folder)
        assert says in message
        assert name in message

    @pytest.mark.parametrize("kept", [4, 200, -10])
    def test_truncated_safetensors(self, folder, kept):
        (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:kept])
        assert "is truncated or not a safetensors file" in self.refusal(folder)

    def test_truncated_pickle(self, tmp_path, tiny_kl):
        tiny_kl().save_pretrained(tmp_path / "model", safe_serialization=False)
        weights = tmp_path / "model/diffusion_pytorch_model.bin"
        weights.write_bytes(weights.read_bytes()[:1000])
        assert "is truncated or damaged" in self.refusal(tmp_path / "model")

    def test_nothing_there(self, tmp_path):
        assert not available(entry(tmp_path / "none"))
        assert "does not exist" in self.refusal(tmp_path / "none")

    def test_missing_config(self, folder):
        (folder / "config.json").unlink()
        assert "has no configuration beside it" in self.refusal(folder)

    def test_missing_weights(self, folder):
        (folder / WEIGHTS).unlink()
        assert "has no weights" in self.refusal(folder)

    def test_no_class(self, folder):
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | {"_class_name": None}))
        assert "has no `_class_name`" in self.refusal(folder)

    @pytest.mark.parametrize("name", ["AutoencoderOobleck", "UNet2DModel", "os"])
    def test_other_class(self, folder, name):
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | {"_class_name": name}))
        assert f"class {name!r} is none of diffusers' that encodes one image" in self.refusal(folder)

    @pytest.mark.parametrize("text", ["{", "[]", "\ufeff[]", "[" * 100_000])
    def test_config_that_is_no_json_object(self, folder, text):
        (folder / "config.json").write_text(text)
        assert "is not" in self.refusal(folder)

    def test_config_that_builds_no_network(self, folder):
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | {"norm_num_groups": 3}))
        assert "does not build an AutoencoderKL" in self.refusal(folder)

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            (lambda s: s.pop("encoder.conv_in.bias"), "1 missing (such as encoder.conv_in.bias)"),
            (lambda s: s.update(extra=torch.zeros(1)), "1 unexpected (such as extra)"),
            (lambda s: s.update({"encoder.conv_in.bias": torch.zeros(3)}), "1 of another shape"),
        ],
    )
    def test_weights_of_another_network(self, folder, change, says):
        from safetensors.torch import load_file, save_file

        state = load_file(folder / WEIGHTS)
        change(state)
        save_file(state, folder / WEIGHTS)
        assert says in self.refusal(folder)
