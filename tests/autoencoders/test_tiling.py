"""Large images in tiles: what a network gives in one piece, within stated tolerances, and memory of one tile."""

import pytest
import torch
from small_networks import build
from torch.nn import functional as F

from vaescreen.autoencoders.classes import CLASSES
from vaescreen.autoencoders.networks import NetworkAutoencoder, load_network
from vaescreen.autoencoders.tiling import in_tiles
from vaescreen.errors import CandidateError
from vaescreen.registry.catalogue import Registry
from vaescreen.registry.settings import Settings

SIZE = (200, 329)


def images(size: tuple[int, int] = SIZE) -> torch.Tensor:
    rough = torch.rand(1, 1, 12, 20, generator=torch.Generator().manual_seed(1))
    return F.interpolate(rough, size, mode="bicubic").clamp(0, 1)


@pytest.mark.parametrize(("unit_in", "unit_out"), [(1, 1), (4, 1), (1, 4)])
@pytest.mark.parametrize("shape", [(40, 61), (16, 17), (5, 40), (33, 16)])
def test_of_a_pointwise_function_are_exact(shape, unit_in, unit_out):
    def function(x: torch.Tensor) -> torch.Tensor:
        assert max(x.shape[-2:]) <= 16 * unit_in
        return (
            F.interpolate(x, scale_factor=unit_out / unit_in, mode="area" if unit_in > 1 else "nearest") * 2
            + 1
        )

    x = torch.rand(2, 3, shape[0] * unit_in, shape[1] * unit_in)
    torch.testing.assert_close(
        in_tiles(function, x, 16, unit_in, unit_out), function_whole(x, unit_in, unit_out)
    )


def function_whole(x: torch.Tensor, unit_in: int, unit_out: int) -> torch.Tensor:
    return (
        F.interpolate(x, scale_factor=unit_out / unit_in, mode="area" if unit_in > 1 else "nearest") * 2 + 1
    )


def both(name: str) -> tuple[NetworkAutoencoder, NetworkAutoencoder]:
    """A network that works in one piece, and the same in tiles of 128 pixels."""
    if name in CLASSES:
        return tuple(
            NetworkAutoencoder(build(name), name, "0", settings=Settings(tile=t)) for t in (None, 128)
        )
    candidate = Registry.load().candidate(name)
    return load_network(candidate), load_network(
        candidate.model_copy(update={"settings": Settings(tile=128)})
    )


@pytest.mark.parametrize("name", ["AutoencoderTiny", "medical-f4c4"])
def test_networks_without_normalisation_over_the_image(name):
    whole, tiled = both(name)
    latents, decoded = whole.encode(images()), whole.decode(whole.encode(images()), SIZE)
    off_latents = (tiled.encode(images()) - latents).abs()
    off_decoded = (tiled.decode(latents, SIZE) - decoded).abs()
    assert off_latents[..., 2:20, 2:20].max() < 1e-5
    assert off_decoded[..., 8:80, 8:80].max() < 1e-5
    assert 0 < off_latents.max() < 2e-3
    assert 0 < off_decoded.max() < 2e-3


def test_networks_with_group_normalisation():
    """Their statistics are those of a tile: with random weights 0.04 RMS of a range of 1."""
    whole, tiled = both("AutoencoderKL")
    latents = whole.encode(images())
    off = (tiled.decode(latents, SIZE) - whole.decode(latents, SIZE)).square().mean().sqrt()
    assert 1e-3 < off < 0.08


def test_leave_no_seam():
    """A step between neighbouring pixels is nowhere much larger than where there are no tiles."""
    whole, tiled = both("AutoencoderKL")
    latents = whole.encode(images())
    steps = [a.decode(latents, SIZE).diff(dim=-1).abs().mean(dim=(0, 1, 2)) for a in (whole, tiled)]
    assert steps[1].max() < 1.5 * steps[0].max()


def test_small_images_are_not_cut():
    whole, tiled = both("AutoencoderKL")
    assert torch.equal(whole.encode(images((128, 120))), tiled.encode(images((128, 120))))


def test_too_small_for_the_factor():
    with pytest.raises(CandidateError, match=r"ltx: settings\.tile is 64; at least 256 pixels are due"):
        NetworkAutoencoder(build("AutoencoderKLLTXVideo"), "ltx", "0", settings=Settings(tile=64))
