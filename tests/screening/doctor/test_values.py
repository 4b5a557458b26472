"""Networks of other ranges, normalisations and scales: each is found, and accepted once its entry says so."""

import pytest
import torch
from torch import nn

from vaescreen.autoencoders.classes import NetworkClass
from vaescreen.autoencoders.contract import Geometry
from vaescreen.autoencoders.levels import Levels
from vaescreen.autoencoders.networks import NetworkAutoencoder
from vaescreen.autoencoders.scaling import unscaled
from vaescreen.registry.settings import Settings
from vaescreen.screening.doctor import Examination, Finding, Status, examine
from vaescreen.screening.doctor.value_range import NORMALISATIONS


class Blocks(nn.Module):
    """Block means with 16 steps, clamped: as one that was trained on values from `black` to `white`."""

    def __init__(
        self, black: object, white: object, out: tuple[float, float] | None = None, scale: float = 1
    ) -> None:
        super().__init__()
        self.ends = [
            torch.as_tensor(end, dtype=torch.float32) for end in (black, white, *(out or (black, white)))
        ]
        self.scale, self.conv = scale, nn.Conv2d(3, 3, 1)

    def encode(self, x: torch.Tensor) -> torch.Tensor:
        u = ((x - self.ends[0]) / (self.ends[1] - self.ends[0])).clamp(0, 1)
        return torch.round(nn.functional.avg_pool2d(u, 2) * 16) / 16 * self.scale

    def decode(self, z: torch.Tensor) -> torch.Tensor:
        u = nn.functional.interpolate(z, scale_factor=2, mode="bilinear").clamp(0, 1)
        return u * (self.ends[3] - self.ends[2]) + self.ends[2]


def examined(network: nn.Module, settings: Settings | None = None) -> Examination:
    description = NetworkClass(
        factor=lambda _: 2, latent_channels=lambda _: 3, image_channels=lambda _: 3, native=unscaled
    )
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(2, 1, 8, 8, generator=generator)
    images = nn.functional.interpolate(coarse, size=(64, 64), mode="bicubic").clamp(0, 1)
    return examine(
        "mine",
        Geometry(3, 2),
        lambda chosen: NetworkAutoencoder(network, "mine", "-", settings=chosen, description=description),
        images,
        settings=settings,
    )


def value_range(report: Examination) -> Finding:
    (found,) = [finding for finding in report.findings if finding.check == "value range"]
    return found


@pytest.mark.parametrize("limits", [(0, 1), (-0.5, 0.5), (0, 255), (-1024, 1024), (-20, 20)])
def test_a_range_is_found_and_then_accepted(limits: tuple[float, float]) -> None:
    report = examined(Blocks(*limits))
    assert report.measured["better_settings"] == {"value_range": list(limits)}
    assert not examined(Blocks(*limits), Settings(value_range=limits)).refused


def test_the_usual_range_is_accepted() -> None:
    assert not examined(Blocks(-1, 1)).refused


@pytest.mark.parametrize("what", NORMALISATIONS)
def test_a_normalisation_is_found_with_its_order_of_channels_and_then_accepted(what: str) -> None:
    mean, sd = NORMALISATIONS[what]
    black, white = ((end - torch.tensor(mean)) / torch.tensor(sd) for end in (0, 1))
    network = Blocks(black[:, None, None], white[:, None, None])
    report = examined(network)
    assert report.measured["better_settings"] == {"mean": list(mean), "sd": list(sd)}
    assert not examined(network, Settings(mean=mean, sd=sd)).refused


def test_an_order_of_channels_that_gray_images_hardly_tell_is_said() -> None:
    class Unbounded(Blocks):
        """Keeps what is far from mid-gray a little less well."""

        def encode(self, x: torch.Tensor) -> torch.Tensor:
            return nn.functional.avg_pool2d((x - self.ends[0]) / (self.ends[1] - self.ends[0]), 2)

        def decode(self, z: torch.Tensor) -> torch.Tensor:
            u = nn.functional.interpolate(z, scale_factor=2, mode="bilinear")
            return (u + 2 * (u - 0.5) ** 5) * (self.ends[3] - self.ends[2]) + self.ends[2]

    mean, sd = NORMALISATIONS["ImageNet's mean and SD"]
    black, white = ((end - torch.tensor(mean)) / torch.tensor(sd) for end in (0, 1))
    found = value_range(examined(Unbounded(black[:, None, None], white[:, None, None])))
    assert "with ImageNet's mean and SD" in found.message
    assert "nearly the same with ImageNet's mean and SD" in found.message
    assert "gray images tell these hardly apart" in found.message


def test_a_stated_normalisation_is_given_to_each_channel_and_undone() -> None:
    mean, sd = (torch.tensor(v)[:, None, None] for v in NORMALISATIONS["ImageNet's mean and SD"])
    stated = Settings(mean=(0.485, 0.456, 0.406), sd=(0.229, 0.224, 0.225))
    levels = Levels.of(stated, (-1.0, 1.0), 3, "mine")
    images = torch.rand(2, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(levels.apply(images), (images - mean) / sd)
    torch.testing.assert_close(levels.undo((images - mean) / sd), images)


def test_an_output_of_another_range_is_found_and_then_accepted() -> None:
    network = Blocks(-1, 1, out=(0, 1))
    better = examined(network).measured["better_settings"]
    assert better == {"value_range": [-1.0, 1.0], "output_range": [0.0, 1.0]}
    assert not examined(network, Settings(output_range=(0, 1))).refused


def test_a_scale_that_only_encode_applies_is_named() -> None:
    (finding,) = [f for f in examined(Blocks(-1, 1, scale=0.18215)).findings if f.check == "latent scale"]
    assert finding.status is Status.REFUSED
    assert "undoing the scale 0.18215 of Stable Diffusion" in finding.message


def test_a_scale_that_only_decode_undoes_is_named_and_one_that_both_apply_is_accepted() -> None:
    class Undoing(Blocks):
        def decode(self, z: torch.Tensor) -> torch.Tensor:
            return super().decode(z / 0.13025)

    (finding,) = [f for f in examined(Undoing(-1, 1)).findings if f.check == "latent scale"]
    assert finding.status is Status.REFUSED
    assert "the scale 0.13025 of SDXL" in finding.message
    assert not examined(Undoing(-1, 1, scale=0.13025)).refused


def test_the_quantiser_that_encode_and_decode_leave_out_is_told() -> None:
    class Quantised(Blocks):
        def __init__(self) -> None:
            super().__init__(-1, 1)
            self.quantizer = nn.Identity()

        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, float]:
            return self.decode(torch.round(self.encode(x) * 4) / 4), 0.0

    (finding,) = [f for f in examined(Quantised()).findings if f.check == "quantiser"]
    assert finding.status is Status.WARNING
    assert "the quantiser is left out of one" in finding.message


def test_few_pixels_pass_the_network() -> None:
    """What an examination costs is what it encodes: that of a network of a range that is as stated."""
    encoded = []

    class Counting(Blocks):
        def encode(self, x: torch.Tensor) -> torch.Tensor:
            encoded.append(x[:, 0].numel())
            return super().encode(x)

    assert not examined(Counting(-1, 1)).refused
    assert sum(encoded) / 64**2 <= 32
