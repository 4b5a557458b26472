"""First stages without a configuration: their tensors say what they are, in either layout."""

from pathlib import Path

import pytest
import torch
from ldm_layout import ldm_network, ldm_state
from safetensors.torch import save_file

from vaescreen.adding import Statement, draft
from vaescreen.autoencoders import open_autoencoder
from vaescreen.autoencoders.building import build
from vaescreen.autoencoders.recognising import recognised
from vaescreen.errors import CandidateError


@pytest.mark.parametrize(
    "options",
    [{}, {"levels": 3}, {"attention": (1,)}, {"vq": True}, {"channels": 1, "levels": 3, "attention": (0, 2)}],
)
def test_configuration_follows_from_the_tensors(options: dict) -> None:
    model = ldm_network(**options)
    config = recognised(model.state_dict())
    assert config is not None
    built = build(config, model.state_dict(), "mine").network
    for key in (
        "block_out_channels",
        "layers_per_block",
        "latent_channels",
        "down_block_types",
        "in_channels",
    ):
        assert (
            list(built.config[key]) == list(model.config[key])
            if isinstance(model.config[key], list | tuple)
            else built.config[key] == model.config[key]
        )


@pytest.mark.parametrize("is_ldm", [True, False], ids=["CompVis names", "diffusers names"])
def test_one_file_is_enough(tmp_path: Path, is_ldm: bool) -> None:
    model = ldm_network(levels=3, attention=(2,))
    state = ldm_state(model) if is_ldm else model.state_dict()
    save_file({key: value.contiguous() for key, value in state.items()}, tmp_path / "vae.safetensors")
    candidate = draft(str(tmp_path / "vae.safetensors"), Statement())
    images = torch.rand(1, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = model.encode((2 * images - 1).expand(-1, 3, -1, -1)).latent_dist.mode()
    assert torch.equal(open_autoencoder(candidate).encode(images), expected)


def test_others_are_not_guessed(tmp_path: Path) -> None:
    save_file({"a.weight": torch.zeros(2), "b.weight": torch.zeros(2)}, tmp_path / "x.safetensors")
    with pytest.raises(
        CandidateError, match="no configuration beside it, and its tensors are of no first stage"
    ):
        draft(str(tmp_path / "x.safetensors"), Statement())
