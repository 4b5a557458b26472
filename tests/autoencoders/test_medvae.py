"""MedVAE by its own package and by ours: the same checkpoint, the same latents and images."""

import sys
from pathlib import Path

import pytest
import torch
import yaml

from vaescreen.autoencoders import fingerprint_of, open_autoencoder
from vaescreen.autoencoders.medvae import MODELS
from vaescreen.errors import CandidateError
from vaescreen.registry.candidate import Candidate

DDCONFIG = {
    "double_z": True,
    "z_channels": 3,
    "resolution": 64,
    "in_channels": 3,
    "out_ch": 3,
    "ch": 32,
    "ch_mult": [1, 2, 2],
    "num_res_blocks": 1,
    "attn_resolutions": [],
    "dropout": 0.0,
}


def candidate(folder: Path, adapter: str) -> Candidate:
    fields = {
        "name": "mine",
        "adapter": adapter,
        "source": {"path": folder},
        "geometry": {"channels": 3, "factor": 4},
        "domain": "medical",
        "family": "medvae",
        "licence": "MIT",
        "training_data": "none",
    }
    return Candidate.model_validate(fields)


def test_names_of_the_package() -> None:
    assert sorted(MODELS) == [f"medvae_{each}_2d" for each in ("4_1", "4_3", "4_4", "8_1", "8_4")]
    assert MODELS["medvae_4_3_2d"] == ("medvae_4x3.yaml", "vae_4x_3c_2D.ckpt")


@pytest.mark.parametrize("updates", [False, True], ids=["plain", "with low-rank updates"])
def test_the_package_and_our_loader_agree(tmp_path: Path, updates: bool) -> None:
    models = pytest.importorskip(
        "medvae.models", reason="medvae cannot be imported: `make parity` installs it"
    )
    torch.manual_seed(0)
    network = models.AutoencoderKL_2D(ddconfig=DDCONFIG, embed_dim=3)
    if updates:
        from medvae.utils.lora import inject_trainable_lora_extended

        inject_trainable_lora_extended(network, {"ResnetBlock", "AttnBlock"}, r=4)
        for key, value in network.named_parameters():
            if "lora_up" in key:
                torch.nn.init.normal_(value, std=0.05)
    torch.save({"state_dict": network.state_dict()}, tmp_path / "vae.ckpt")
    document = {"embed_dim": 3, "ddconfig": DDCONFIG}
    (tmp_path / "vae.yaml").write_text(
        yaml.safe_dump({"model": {"params": document}} if updates else document)
    )
    theirs, ours = (open_autoencoder(candidate(tmp_path, adapter)) for adapter in ("medvae", "ldm"))
    images = torch.rand(2, 1, 66, 64, generator=torch.Generator().manual_seed(1))
    latents = theirs.encode(images)
    torch.testing.assert_close(ours.encode(images), latents, atol=1e-5, rtol=0)
    torch.testing.assert_close(
        ours.decode(latents, (66, 64)), theirs.decode(latents, (66, 64)), atol=1e-5, rtol=0
    )
    assert torch.equal(theirs.encode(images), latents)
    assert theirs.fingerprint == fingerprint_of(candidate(tmp_path, "medvae")) != ours.fingerprint


def test_without_the_package_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "medvae", None)
    monkeypatch.setitem(sys.modules, "medvae.models", None)
    torch.save({"a": torch.zeros(1), "b": torch.zeros(1)}, tmp_path / "vae.ckpt")
    (tmp_path / "vae.yaml").write_text(yaml.safe_dump({"embed_dim": 3, "ddconfig": DDCONFIG}))
    with pytest.raises(CandidateError, match=r"pip install vaescreen\[medvae\]`, or open the same files"):
        open_autoencoder(candidate(tmp_path, "medvae"))
