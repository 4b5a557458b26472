"""Networks at named sizes: what goes in and comes out, what they look at, and latents too small for them."""

from dataclasses import replace

import pytest
import torch
from diffusers.models.attention_processor import Attention

from vaescreen.errors import CandidateError
from vaescreen.superres.networks import NETWORKS, Transformer, UNet, fit_network

TINY = (UNet("unet-tiny", (8, 8), 1, (4,), True, 4), Transformer("dit-tiny", 2, 2, 8, 2))


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("description", TINY, ids=lambda network: network.kind)
def test_the_network_knows_noisy_latent_condition_and_level(description):
    torch.manual_seed(0)
    network = description.build(5, 3, 8).eval()
    for block in getattr(getattr(network, "transformer", None), "transformer_blocks", ()):
        torch.nn.init.normal_(block.norm1.linear.weight)
    x, far = noise(2, 5, 8, 8), torch.tensor([10, 999])
    with torch.no_grad():
        plain = network(x, torch.tensor(10)).sample
        assert plain.shape == (2, 3, 8, 8)
        later = network(x, far).sample
        torch.testing.assert_close(later[0], plain[0])
        assert (later[1] - plain[1]).abs().max() > 1e-3
        for channel in range(5):
            other = x.clone()
            other[:, channel] += 1
            assert (network(other, torch.tensor(10)).sample - plain).abs().max() > 1e-3


def test_a_transformer_draws_no_random_numbers():
    torch.manual_seed(0)
    network = TINY[1].build(4, 2, 8).train()
    state = torch.get_rng_state()
    network(noise(3, 4, 8, 8), torch.tensor([1, 2, 3])).sample.sum().backward()
    assert torch.equal(torch.get_rng_state(), state)


def test_a_transformer_knows_places():
    torch.manual_seed(0)
    network = TINY[1].build(4, 2, 8).eval()
    for block in network.transformer.transformer_blocks:
        torch.nn.init.normal_(block.norm1.linear.weight)
    x = noise(1, 4, 8, 8)
    with torch.no_grad():
        turned = network(x.roll(2, -1), torch.tensor(5)).sample
        assert (turned - network(x, torch.tensor(5)).sample.roll(2, -1)).abs().max() > 1e-3


@pytest.mark.parametrize(("cells", "levels"), [(64, 4), (8, 4), (4, 3), (6, 2), (5, 1), (1, 1)])
def test_resolutions_that_do_not_fit_are_left_out(cells, levels):
    fitted = NETWORKS["unet-paper"].fitted(cells)
    assert fitted.channels == (128, 256, 512, 512)[:levels]
    small = replace(fitted, channels=(8,) * levels, groups=4)
    assert small.build(4, 2, cells)(noise(1, 4, cells, cells), 3).sample.shape == (1, 2, cells, cells)


@pytest.mark.parametrize(("cells", "patch"), [(8, 2), (5, 1), (1, 1)])
def test_tokens_that_do_not_fit_are_single_cells(cells, patch):
    fitted = TINY[1].fitted(cells)
    assert fitted.patch == patch
    assert fitted.build(4, 2, cells)(noise(1, 4, cells, cells), 3).sample.shape == (1, 2, cells, cells)


def test_images_that_cannot_be_halved_like_the_crops_are_refused():
    with pytest.raises(
        CandidateError, match=r"recipe nano: .* crops of 8x8 latent cells, but not images of 10x10"
    ):
        fit_network(NETWORKS["unet-paper"], 8, 10, "nano")


def test_nano_is_the_network_of_the_committed_points():
    torch.manual_seed(0)
    network = NETWORKS["unet-nano"].build(6, 3, 16)
    assert sum(value.numel() for value in network.parameters()) == 1_047_747
    assert not any(isinstance(module, Attention) for module in network.modules())
