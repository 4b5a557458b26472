"""Images of any size through a network: sides that are no multiple of anything, and memory that stays bounded."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from vaescreen.autoencoders.networks import NetworkAutoencoder, load_network
from vaescreen.registry.catalogue import Registry
from vaescreen.registry.settings import LARGEST_WHOLE

_STATUS = Path("/proc/self/status")
_PEAK = f"""
import sys

import torch

from vaescreen.autoencoders.networks import load_network
from vaescreen.registry.settings import Settings
from vaescreen.registry.catalogue import Registry


def peak():
    lines = open({str(_STATUS)!r}).read().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


side, *tiles = map(int, sys.argv[1:])
images = torch.rand(1, 1, side, side)
for tile in tiles:
    candidate = Registry.load().candidate("medical-f4c4")
    network = load_network(candidate.model_copy(update={{"settings": Settings(tile=tile)}}))
    network.decode(network.encode(images[..., :64, :64]), (64, 64))
    before = peak()
    decoded = network.decode(network.encode(images), (side, side))
    assert decoded.shape == images.shape
    print(peak() - before)
"""


def megabytes(side: int, *tiles: int) -> list[float]:
    """Growth of the peak of resident memory by one pass in tiles of each size, in a process of its own."""
    if not _STATUS.exists():
        pytest.skip("peak memory is read from /proc, which this system does not have")
    arguments = [sys.executable, "-c", _PEAK, *map(str, (side, *tiles))]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    return [float(line) for line in done.stdout.split()]


@pytest.fixture(scope="module")
def network() -> NetworkAutoencoder:
    return load_network(Registry.load().candidate("medical-f4c4"))


@pytest.mark.parametrize("size", [(255, 257), (31, 1000), (17, 16), (100, 1030)])
def test_sides_need_not_be_multiples_of_anything(network, size):
    """The image filled up by hand, and what is decoded of it cut: the same to the last bit."""
    images = torch.rand(2, 1, *size, generator=torch.Generator().manual_seed(0))
    latents = network.encode(images)
    assert latents.shape[-2:] == (-(-size[0] // 4), -(-size[1] // 4))
    decoded = network.decode(latents, size)
    assert decoded.shape == images.shape
    by_hand = F.pad(images, (0, -size[1] % 4, 0, -size[0] % 4), mode="reflect")
    assert torch.equal(network.encode(by_hand), latents)
    height, width = by_hand.shape[-2:]
    assert torch.equal(network.decode(latents, (height, width))[..., : size[0], : size[1]], decoded)


def test_images_above_the_largest_that_is_worked_on_whole_go_in_tiles(network):
    seen = []
    listening = network.network.encoder.register_forward_pre_hook(
        lambda module, inputs: seen.append(tuple(inputs[0].shape[-2:]))
    )
    images = torch.rand(1, 1, 16, LARGEST_WHOLE + 1)
    network.encode(images[..., :LARGEST_WHOLE])
    network.encode(images)
    listening.remove()
    assert seen == [(16, LARGEST_WHOLE)] * 3


def test_memory_is_that_of_a_tile_not_of_the_image():
    tiled, further_whole = megabytes(640, 128, 640)
    assert tiled < 0.3 * (tiled + further_whole)


@pytest.mark.slow
def test_memory_of_4096_pixels_a_side_is_that_of_few_copies_of_the_image():
    """Measured 446 MB: tiles of 1024 pixels, and images and weights of 64 MB each."""
    assert megabytes(4096, LARGEST_WHOLE)[0] < 1000
