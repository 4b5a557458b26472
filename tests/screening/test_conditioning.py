"""What a model is told is put together in the order that is asked for, and taken apart again."""

import pytest
import torch
from torch.nn import functional as F

from vaescreen.images.degradation import Degradation
from vaescreen.screening.conditioning import AS_BUILT, Conditioning

LANCZOS = Degradation("lanczos", 4)


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(2, 1, 32, 32, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def lr(images) -> torch.Tensor:
    return LANCZOS.apply(images)


def test_as_built_is_the_upsampled_latent_and_the_lr_pixels(fake, lr):
    told = AS_BUILT.told(fake(factor=4), lr, (32, 32), LANCZOS)
    upsampled = F.avg_pool2d(LANCZOS.upsample(lr, (32, 32)), 4)
    torch.testing.assert_close(told, torch.cat([upsampled, lr], 1))
    torch.testing.assert_close(AS_BUILT.anchor(told, 1), upsampled)
    torch.testing.assert_close(AS_BUILT.base(told, 1), upsampled)


@pytest.mark.parametrize(
    "parts", [("lr-pixels", "upsampled-latent"), ("lr-latent", "upsampled-latent", "lr-pixels")]
)
def test_the_anchor_is_found_wherever_it_stands(fake, lr, parts):
    conditioning = Conditioning(parts, "residual")
    told = conditioning.told(fake(factor=8), lr, (32, 32), LANCZOS)
    assert sum(conditioning.widths(told.shape[1], 1).values()) == told.shape[1]
    expected = F.avg_pool2d(LANCZOS.upsample(lr, (32, 32)), 8)
    torch.testing.assert_close(conditioning.anchor(told, 1), expected)


def test_a_whole_latent_departs_from_nothing(fake, lr):
    published = Conditioning(("lr-latent",), "latent")
    told = published.told(fake(factor=4), lr, (32, 32), LANCZOS)
    assert published.anchor(told, 1) is None
    assert published.base(told, 1) == 0
    assert Conditioning(("upsampled-latent",), "latent").base(told, 1) == 0


def test_it_says_what_it_is():
    assert str(AS_BUILT) == "residual from upsampled-latent and lr-pixels"
    assert AS_BUILT.description() == {"conditioning": ["upsampled-latent", "lr-pixels"], "target": "residual"}
