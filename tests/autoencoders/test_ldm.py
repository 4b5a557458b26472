"""First stages of the latent-diffusion code and of MedVAE open as the networks that they are."""

import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from ldm_layout import ldm_config, ldm_network, ldm_state
from torch import Tensor

from vaescreen.autoencoders import fingerprint_of, open_autoencoder
from vaescreen.autoencoders.ldm import diffusers_config, diffusers_state
from vaescreen.autoencoders.networks import NetworkAutoencoder
from vaescreen.errors import CandidateError
from vaescreen.registry.candidate import Candidate

KINDS = {
    "KL": {"levels": 3},
    "KL for gray": {"levels": 2, "channels": 1},
    "KL with attention": {"levels": 3, "attention": (1, 2)},
    "VQ": {"levels": 3, "vq": True},
    "VQ with attention": {"levels": 3, "vq": True, "attention": (2,)},
}
RANK = 4


def candidate(folder: Path, factor: int = 4, channels: int = 3, **fields: Any) -> Candidate:
    return Candidate.model_validate(
        {
            "name": "mine",
            "adapter": "ldm",
            "source": {"path": folder},
            "geometry": {"channels": channels, "factor": factor},
            "domain": "none",
            "family": "test",
            "licence": "MIT",
            "training_data": "none",
            **fields,
        }
    )


def write(folder: Path, document: dict[str, Any], content: Any) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(document))
    torch.save(content, folder / "model.ckpt")
    return folder


def images() -> Tensor:
    return torch.rand(2, 1, 32, 40, generator=torch.Generator().manual_seed(1))


def same(ours: Any, model: Any, tolerance: float = 1e-5) -> None:
    expected = NetworkAutoencoder(model, "expected", "0")
    latents = expected.encode(images())
    torch.testing.assert_close(ours.encode(images()), latents, atol=tolerance, rtol=0)
    torch.testing.assert_close(
        ours.decode(latents, (32, 40)), expected.decode(latents, (32, 40)), atol=tolerance, rtol=0
    )


@pytest.mark.parametrize("kind", KINDS)
def test_opens_as_what_it_is(tmp_path, kind):
    model = ldm_network(**KINDS[kind])
    folder = write(tmp_path / "model", ldm_config(model), {"state_dict": ldm_state(model)})
    geometry = {"factor": 2 ** (KINDS[kind]["levels"] - 1), "channels": 2 if KINDS[kind].get("vq") else 3}
    entry = candidate(folder, **geometry)
    same(open_autoencoder(entry), model)
    assert fingerprint_of(entry) == open_autoencoder(entry).fingerprint


def test_names_are_those_of_the_converter_of_diffusers():
    converter = pytest.importorskip("diffusers.loaders.single_file_utils").convert_ldm_vae_checkpoint
    model = ldm_network(levels=3)
    old = ldm_state(model)
    config = diffusers_config(ldm_config(model), Path("config.yaml"), "mine")
    theirs, ours = converter(dict(old), config), diffusers_state(old, "mine").state
    assert set(theirs) == set(ours)
    for key, value in theirs.items():
        assert torch.equal(value.reshape(ours[key].shape), ours[key]), key


def test_first_stage_inside_a_whole_model(tmp_path):
    """Stable Diffusion's layout, with another network, a loss, and the scale of its latents."""
    model = ldm_network(levels=3)
    state = {f"first_stage_model.{key}": value for key, value in ldm_state(model).items()}
    state |= {
        "first_stage_model.loss.logvar": torch.zeros(1),
        "model.diffusion_model.out.weight": torch.ones(3),
    }
    stage = {"target": "ldm.models.autoencoder.AutoencoderKL", "params": ldm_config(model)}
    document = {"model": {"params": {"scale_factor": 0.18215, "first_stage_config": stage}}}
    folder = write(tmp_path / "model", document, {"state_dict": state})
    ours = open_autoencoder(candidate(folder))
    same(ours, model)
    assert float(ours.native_scale.scale) == pytest.approx(0.18215)


def engine(model: Any) -> dict[str, Any]:
    """Document of sgm's `AutoencodingEngine`: encoder and decoder each with its structure, no convolutions around."""
    structure = {**ldm_config(model)["ddconfig"], "attn_type": "vanilla-xformers"}
    modules = "sgm.modules.diffusionmodules.model"
    parameters = {
        "encoder_config": {"target": f"{modules}.Encoder", "params": structure},
        "decoder_config": {"target": f"{modules}.Decoder", "params": structure},
        "regularizer_config": {"target": "sgm.modules.autoencoding.regularizers.DiagonalGaussianRegularizer"},
    }
    return {"model": {"target": "sgm.models.autoencoder.AutoencodingEngine", "params": parameters}}


class TestSgm:
    def test_autoencoding_engine(self, tmp_path):
        model = ldm_network(levels=3, around=False)
        state = ldm_state(model) | {"loss.discriminator.0.weight": torch.zeros(1)}
        folder = write(tmp_path / "model", engine(model), {"state_dict": state})
        ours = open_autoencoder(candidate(folder))
        same(ours, model)
        assert ours.left_out == "1 of loss"

    def test_attention_by_xformers_is_attention(self, tmp_path):
        model = ldm_network(levels=3, attention=(1, 2))
        document = ldm_config(model)
        document["ddconfig"]["attn_type"] = "vanilla-xformers"
        same(open_autoencoder(candidate(write(tmp_path / "model", document, ldm_state(model)))), model)

    def test_engine_that_quantises_is_refused_by_name(self, tmp_path):
        model = ldm_network(levels=3, around=False)
        document = engine(model)
        target = "sgm.modules.autoencoding.regularizers.quantize.VectorQuantizer"
        document["model"]["params"]["regularizer_config"]["target"] = target
        document["model"]["params"]["encoder_config"]["params"]["double_z"] = False
        folder = write(tmp_path / "model", document, ldm_state(model))
        with pytest.raises(CandidateError, match="is an AutoencodingEngine with a VectorQuantizer"):
            open_autoencoder(candidate(folder))


@pytest.mark.parametrize(
    ("key", "written"),
    [
        ("quantize.embed", lambda codes: codes.T),  # [D, K], as taming's EMA quantiser
        ("quantize._codebook.embed", lambda codes: codes[None]),  # [1, K, D], as lucidrains' package
    ],
)
def test_code_books_that_follow_by_moving_averages(tmp_path, key, written):
    model = ldm_network(levels=3, vq=True)
    state = ldm_state(model)
    codes = state.pop("quantize.embedding.weight")
    counts = {f"{key.rpartition('.')[0]}.cluster_size": torch.ones(len(codes))}
    state |= {key: written(codes).contiguous(), f"{key}_avg": written(codes).contiguous(), **counts}
    folder = write(tmp_path / "model", ldm_config(model), {"state_dict": state})
    same(open_autoencoder(candidate(folder, channels=2)), model)


def test_low_rank_updates_of_medvae_are_added(tmp_path):
    """4x3 and 8x4: convolutions of blocks wrapped as `conv`, `lora_down`, `lora_up`, the YAML below `model.params`."""
    model = ldm_network(levels=3)
    old, new = ldm_state(model), {}
    generator = torch.Generator().manual_seed(2)
    for key, value in old.items():
        base, _, kind = key.rpartition(".")
        if not (".block" in key or ".attn" in key) or "norm" in base:
            new[key] = value
            continue
        new[f"{base}.conv.{kind}"] = value
        if kind == "weight":
            outputs, inputs, *kernel = value.shape
            new[f"{base}.lora_up.weight"] = 0.1 * torch.randn(outputs, RANK, 1, 1, generator=generator)
            new[f"{base}.lora_down.weight"] = 0.1 * torch.randn(RANK, inputs, *kernel, generator=generator)
    updated = dict(old)
    for key in old:
        up = new.get(key.replace(".weight", ".lora_up.weight"))
        if up is not None and key.endswith(".weight"):
            down = new[key.replace(".weight", ".lora_down.weight")]
            # A convolution followed by one of 1x1 is the convolution with the composed kernel.
            updated[key] = old[key] + torch.nn.functional.conv2d(down.transpose(0, 1), up).transpose(0, 1)
    expected = ldm_network(levels=3)
    expected.load_state_dict(diffusers_state(updated, "mine").state)
    new |= {"channel_ds.0.weight": torch.zeros(1), "channel_proj.weight": torch.zeros(1)}
    document = {"model": {"params": ldm_config(model)}}
    ours = open_autoencoder(candidate(write(tmp_path / "model", document, {"state_dict": new})))
    same(ours, expected)
    assert not torch.equal(ours.encode(images()), NetworkAutoencoder(model, "before", "0").encode(images()))


def test_records_of_training_frameworks_are_left_alone(tmp_path, monkeypatch):
    """Checkpoints of 2021 carry Lightning's callbacks by their classes; they open where it is not installed."""
    (tmp_path / "pytorch_lightning").mkdir()
    (tmp_path / "pytorch_lightning/__init__.py").write_text("class ModelCheckpoint:\n    best = None\n")
    monkeypatch.syspath_prepend(tmp_path)
    import pytorch_lightning

    model, callback = ldm_network(levels=3), pytorch_lightning.ModelCheckpoint()
    callback.best = "last.ckpt"
    content = {"state_dict": ldm_state(model), "callbacks": {pytorch_lightning.ModelCheckpoint: callback}}
    folder = write(tmp_path / "model", ldm_config(model), content)
    (tmp_path / "pytorch_lightning/__init__.py").unlink()
    monkeypatch.delitem(sys.modules, "pytorch_lightning")
    same(open_autoencoder(candidate(folder)), model)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda d: d.pop("ddconfig"), "has no `ddconfig` at its top or below `model.params`"),
        (lambda d: d["ddconfig"].pop("ch_mult"), "ddconfig.ch_mult is missing"),
        (
            lambda d: d["ddconfig"].update(attn_type="linear"),
            "ddconfig.attn_type must be 'vanilla'",
        ),
        (lambda d: d.update(n_embed=16), "`double_z` and `n_embed` contradict each other"),
        (lambda d: d.update(embed_dim=5), "embed_dim 5 and z_channels 3 must be equal"),
        (lambda d: d["ddconfig"].update(ch=64), "weights do not fit its configuration"),
    ],
)
def test_configuration_that_does_not_fit(tmp_path, change, says):
    model = ldm_network(levels=3)
    document = ldm_config(model)
    change(document)
    folder = write(tmp_path / "model", document, {"state_dict": ldm_state(model)})
    with pytest.raises(CandidateError) as caught:
        open_autoencoder(candidate(folder))
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("change", ["gone", "short"])
def test_low_rank_update_that_does_not_fit(tmp_path, change):
    model = ldm_network(levels=3)
    state = ldm_state(model)
    weight = state.pop("encoder.conv_in.weight")
    state |= {
        "encoder.conv_in.conv.weight": weight,
        "encoder.conv_in.lora_up.weight": torch.ones(32, 4, 1, 1),
    }
    if change == "short":
        state["encoder.conv_in.lora_down.weight"] = torch.ones(4, 2, 3, 3)
    folder = write(tmp_path / "model", ldm_config(model), {"state_dict": state})
    with pytest.raises(CandidateError, match=r"low-rank update of encoder\.conv_in does not fit"):
        open_autoencoder(candidate(folder))


class TestAgainstMedvae:
    """Random weights in the package's own networks; it is no dependency, and is tried where it is installed."""

    @pytest.mark.parametrize("channels", [1, 3])
    @pytest.mark.parametrize("attention", [(), (2,)])
    @pytest.mark.parametrize("with_updates", [False, True])
    @torch.no_grad()
    def test_latents_and_images(self, tmp_path, channels, attention, with_updates):
        networks = pytest.importorskip(
            "medvae.models", reason="medvae cannot be imported: `make parity` installs it"
        )
        lora = pytest.importorskip("medvae.utils.lora")
        document = ldm_config(ldm_network(levels=3, channels=channels, attention=attention))
        torch.manual_seed(0)
        theirs = networks.AutoencoderKL_2D(document["ddconfig"], document["embed_dim"])
        if with_updates:
            lora.inject_trainable_lora_extended(theirs, {"ResnetBlock", "AttnBlock"}, r=RANK)
            for key, value in theirs.named_parameters():
                if "lora_up" in key:
                    value.normal_(std=0.1)
        theirs.eval()
        folder = write(tmp_path / "model", document, {"state_dict": theirs.state_dict()})
        ours, x = open_autoencoder(candidate(folder)), images()
        latents = theirs.encode(2 * x.repeat(1, channels, 1, 1) - 1).mode()
        torch.testing.assert_close(ours.encode(x), latents, atol=1e-5, rtol=0)
        decoded = (theirs.decode(latents).mean(dim=1, keepdim=True) / 2 + 0.5).clamp(0, 1)
        torch.testing.assert_close(ours.decode(latents, (32, 40)), decoded, atol=1e-5, rtol=0)
