import sys

import pytest
import torch
from torch import Tensor

from vaescreen.autoencoders.contract import Geometry
from vaescreen.screening.doctor import examine

IMAGES = torch.linspace(0, 1, 64 * 64).reshape(1, 1, 64, 64).repeat(2, 1, 1, 1)


class Hungry:
    """Keeps every pixel, and fills 40 MB while it decodes."""

    geometry = Geometry(1, 1)
    fingerprint = "known"

    def encode(self, images: Tensor) -> Tensor:
        return images.clone()

    def decode(self, latents: Tensor, size: tuple[int, int]) -> Tensor:
        filled = torch.ones(10_000_000)
        return latents[..., : size[0], : size[1]] * filled[:1]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the peak of a process's memory")
def test_peak_memory_is_what_one_image_takes_at_most() -> None:
    left_free = [torch.ones(1000, 1000) for _ in range(20)]
    del left_free
    report = examine("hungry", Hungry.geometry, lambda settings: Hungry(), IMAGES)
    assert report.measured["peak_memory_mb"] == pytest.approx(40, abs=4)
