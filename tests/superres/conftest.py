"""A recipe that trains in a second, a lossless autoencoder that counts its calls, and a few phantoms."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from vaescreen.autoencoders.contract import Geometry
from vaescreen.images import DataSet, open_data
from vaescreen.superres.networks import UNet
from vaescreen.superres.recipes import COMPACT, Recipe


class Shuffle:
    """Lossless: the pixels of a 4x4 cell are its 16 latent channels, times a gain."""

    geometry = Geometry(16, 4)

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain
        self.fingerprint = f"shuffle-{gain}"
        self.encoded = 0

    def encode(self, images: torch.Tensor) -> torch.Tensor:
        self.encoded += len(images)
        return F.pixel_unshuffle(images, 4) * self.gain

    def decode(self, latents: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
        return F.pixel_shuffle(latents / self.gain, 4)[..., : size[0], : size[1]].clamp(0, 1)


@pytest.fixture
def shuffle() -> Callable[..., Shuffle]:
    return Shuffle


@pytest.fixture
def recipe() -> Recipe:
    return replace(
        COMPACT,
        name="tiny",
        size=32,
        preconditioning="none",
        network=UNet("unet-tiny", (8, 8), 1, (), False, 8),
        crop=16,
        samples=200,
        batch=2,
        warm_up=10,
        ema=0.9,
        sampler_steps=5,
    )


@pytest.fixture(scope="session")
def phantoms(tmp_path_factory) -> Callable[..., DataSet]:
    def open_few(seed: int = 0, size: int = 32, test_images: int = 3) -> DataSet:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("VAESCREEN_CACHE", str(tmp_path_factory.getbasetemp() / "phantoms"))
            return open_data(
                "brain", size=size, seed=seed, train_images=5, test_images=test_images, name="few"
            )

    return open_few
