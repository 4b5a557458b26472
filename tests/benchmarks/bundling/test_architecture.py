"""Every bundled geometry is a small network whose convolutions never see full resolution."""

import pytest
import torch
from torch import nn

from benchmarks.bundling.architecture import GEOMETRIES, build
from vaescreen.autoencoders.networks import NetworkAutoencoder

WHEEL_BUDGET = 25e6
"""Bytes for all bundled weights."""
DOMAINS, BYTES_EACH = 2, 2


def test_the_geometries_are_those_promised():
    assert {str(geometry) for geometry in GEOMETRIES} == {
        "f4c1",
        "f4c3",
        "f4c4",
        "f4c8",
        "f8c1",
        "f8c4",
        "f8c16",
    }


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
def test_encodes_to_its_geometry_and_back(geometry):
    ours = NetworkAutoencoder(build(geometry), str(geometry), "0")
    images = torch.rand(1, 1, 64, 64)
    latents = ours.encode(images)
    assert ours.geometry == geometry
    assert latents.shape[1:] == geometry.latent_shape(64, 64)
    assert ours.decode(latents, (64, 64)).shape == images.shape


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
@torch.no_grad()
def test_no_convolution_puts_out_full_resolution(geometry):
    network, sides = build(geometry), []
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(lambda module, inputs, output: sides.append(output.shape[-1]))
    network.decoder(network.encoder(torch.rand(1, 1, 64, 64)))
    assert max(sides) == 32


def test_all_of_them_fit_into_a_wheel():
    parameters = [sum(p.numel() for p in build(geometry).parameters()) for geometry in GEOMETRIES]
    assert max(parameters) < 1_200_000
    assert DOMAINS * BYTES_EACH * sum(parameters) < WHEEL_BUDGET
