"""Autoencoders whose fault is known, and what the doctor says of each."""

import time

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from vaescreen.autoencoders.contract import Geometry
from vaescreen.errors import CandidateError
from vaescreen.images.phantoms import generate
from vaescreen.metrics.fidelity import psnr
from vaescreen.screening.doctor import Examination, Status, examine

SIDE = 64
IMAGES = torch.stack([torch.from_numpy(generate("chest", i, SIDE)) for i in range(3)])[:, None]


class Identity:
    """Keeps every pixel: latents are the 2x2 blocks of the image. Others differ in one thing."""

    geometry = Geometry(4, 2)
    fingerprint = "known"

    def encode(self, images: Tensor) -> Tensor:
        height, width = images.shape[-2:]
        return F.pixel_unshuffle(F.pad(images, (0, width % 2, 0, height % 2), mode="replicate"), 2)

    def decode(self, latents: Tensor, size: tuple[int, int]) -> Tensor:
        return F.pixel_shuffle(latents, 2)[..., : size[0], : size[1]].clamp(0, 1)


class Blur(Identity):
    def decode(self, latents: Tensor, size: tuple[int, int]) -> Tensor:
        sharp = super().decode(latents, size)
        return F.avg_pool2d(F.pad(sharp, (1, 1, 1, 1), mode="replicate"), 3, stride=1)


class Noise(Identity):
    """Adds the same noise of SD 0.05 to everything that it decodes."""

    def decode(self, latents: Tensor, size: tuple[int, int]) -> Tensor:
        noise = 0.05 * torch.randn(size, generator=torch.Generator().manual_seed(0))
        return (super().decode(latents, size) + noise).clamp(0, 1)


class NotANumber(Identity):
    def decode(self, latents: Tensor, size: tuple[int, int]) -> Tensor:
        decoded = super().decode(latents, size)
        decoded[0, 0, 0, 0] = torch.nan
        return decoded


class InfiniteLatents(Identity):
    def encode(self, images: Tensor) -> Tensor:
        return super().encode(images) / 0


class WantsZeroToOne(Identity):
    """A network that clips at 0, behind a map to [-1, 1]."""

    def encode(self, images: Tensor) -> Tensor:
        return super().encode((2 * images - 1).clamp(min=0))

    def decode(self, latents: Tensor, size: tuple[int, int]) -> Tensor:
        return (super().decode(latents, size) + 1) / 2


class Unclamped(Identity):
    def decode(self, latents: Tensor, size: tuple[int, int]) -> Tensor:
        return super().decode(latents, size) * 1.02


class OneRowMore(Identity):
    def decode(self, latents: Tensor, size: tuple[int, int]) -> Tensor:
        return super().decode(F.pad(latents, (0, 0, 0, 1)), (size[0] + 1, size[1]))


class NotPadded(Identity):
    """Takes multiples of 16 only."""

    def encode(self, images: Tensor) -> Tensor:
        if images.shape[-1] % 16 or images.shape[-2] % 16:
            raise CandidateError("sides must be multiples of 16")
        return super().encode(images)


class OneSizeOnly(Identity):
    def encode(self, images: Tensor) -> Tensor:
        if tuple(images.shape[-2:]) != (SIDE, SIDE):
            raise ValueError("position embedding")
        return super().encode(images)


class OtherFactor(Identity):
    """Is of geometry f4c16, whatever it says."""

    def encode(self, images: Tensor) -> Tensor:
        return F.pixel_unshuffle(images, 4)

    def decode(self, latents: Tensor, size: tuple[int, int]) -> Tensor:
        return F.pixel_shuffle(latents, 4)


class Colour(Identity):
    def decode(self, latents: Tensor, size: tuple[int, int]) -> Tensor:
        return super().decode(latents, size).expand(-1, 3, -1, -1)


class Sampled(Identity):
    def encode(self, images: Tensor) -> Tensor:
        latents = super().encode(images)
        return latents + 0.01 * torch.randn_like(latents)


class Dropout(Identity):
    def decode(self, latents: Tensor, size: tuple[int, int]) -> Tensor:
        return super().decode(F.dropout(latents, 0.01), size)


class BatchStatistics(Identity):
    """Leaves batch normalisation in training mode."""

    def decode(self, latents: Tensor, size: tuple[int, int]) -> Tensor:
        mean = latents.mean(dim=(0, 2, 3), keepdim=True)
        return super().decode(latents + 0.1 * (mean - 0.5), size)


class Flat(Identity):
    def decode(self, latents: Tensor, size: tuple[int, int]) -> Tensor:
        return latents.mean(dim=(1, 2, 3), keepdim=True).expand(-1, 1, *size)


class DeadChannel(Identity):
    """Has a fifth channel that is always 1."""

    geometry = Geometry(5, 2)

    def encode(self, images: Tensor) -> Tensor:
        return F.pad(super().encode(images), (0, 0, 0, 0, 0, 1), value=1.0)

    def decode(self, latents: Tensor, size: tuple[int, int]) -> Tensor:
        return super().decode(latents[:, :4], size)


class Slow(Identity):
    """Takes 4 ms of processor time to encode an image."""

    def encode(self, images: Tensor) -> Tensor:
        end = time.process_time() + 0.004 * len(images)
        while time.process_time() < end:
            pass
        return super().encode(images)


class Remembering(Identity):
    """Decodes to the image that it saw last, whatever the latents."""

    def encode(self, images: Tensor) -> Tensor:
        self._seen = images
        return super().encode(images)

    def decode(self, latents: Tensor, size: tuple[int, int]) -> Tensor:
        return self._seen


class Failing(Identity):
    def encode(self, images: Tensor) -> Tensor:
        raise RuntimeError("mat1 and mat2\nshapes cannot be multiplied")


class NoTensor(Identity):
    def encode(self, images: Tensor) -> Tensor:
        return super().encode(images).tolist()


def examined(made: type[Identity], **options: object) -> Examination:
    torch.manual_seed(0)
    return examine("mine", made.geometry, lambda settings: made(), IMAGES, **options)


def finding(report: Examination, check: str):
    (found,) = [each for each in report.findings if each.check == check]
    return found


class TestSound:
    def test_identity_is_accepted_with_the_highest_psnr(self):
        report = examined(Identity)
        assert report.verdict == "mine: accepted"
        assert report.measured["psnr"] == 150
        assert report.measured["channels"] == 4
        assert report.measured["factor"] == 2
        assert report.measured["multiple"] == 1
        assert report.measured["deterministic"] is True

    def test_blur_is_accepted_with_its_own_psnr(self):
        blurred = F.avg_pool2d(F.pad(IMAGES, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
        report = examined(Blur)
        assert report.verdict == "mine: accepted"
        assert report.measured["psnr"] == pytest.approx(float(psnr(IMAGES, blurred).mean()), abs=1e-4)

    def test_noise_that_is_always_the_same_is_accepted_at_26_db(self):
        report = examined(Noise)
        assert not report.refused
        assert report.measured["psnr"] == pytest.approx(26, abs=1.5)  # -20 log10(0.05), less what is clamped

    def test_latents_are_measured_by_channel(self):
        latents = Identity().encode(IMAGES).double()
        report = examined(Identity)
        assert report.measured["latent_mean"] == pytest.approx(latents.mean(dim=(0, 2, 3)).tolist())
        assert report.measured["latent_sd"] == pytest.approx(
            latents.std(dim=(0, 2, 3), correction=0).tolist()
        )

    def test_a_report_is_json(self):
        import json

        report = examined(Identity)
        assert json.loads(json.dumps(report.as_json(), allow_nan=False))["verdict"] == report.verdict


class TestRefused:
    @pytest.mark.parametrize(
        ("made", "check", "says", "mend"),
        [
            (NotANumber, "finite", "images are NaN or infinite", "fetch the weights again"),
            (InfiniteLatents, "finite", "latents are NaN or infinite", "fetch the weights again"),
            (WantsZeroToOne, "value range", "dB with values in [0, 1]", "do not map images to [-1, 1]"),
            (Unclamped, "fidelity", "outside [0, 1]", "clamp"),
            (OneRowMore, "channels", "come back as 1x65x64", "cropped to the size"),
            (NotPadded, "size multiple", "multiples of 16 work", "pad images up"),
            (OneSizeOnly, "size multiple", "only 64x64 works", "pad images up"),
            (OtherFactor, "channels", "16x16x16, where f2c4 means 4x32x32", "{channels: 16, factor: 4}"),
            (Colour, "channels", "come back as 3x64x64", "one gray channel"),
            (Sampled, "determinism", "two encodings", "posterior mean"),
            (Dropout, "determinism", "two decodings", "eval()"),
            (BatchStatistics, "batches", "otherwise alone than in a batch", "eval()"),
            (Remembering, "batches", "otherwise alone than in a batch", "know its latents only"),
            (Flat, "fidelity", "it does not reconstruct", "weights"),
            (Failing, "use", "encode fails: RuntimeError: mat1 and mat2 shapes cannot", None),
            (NoTensor, "use", "encode gives list, not a tensor", None),
        ],
    )
    def test_what_is_wrong_and_its_mend(self, made, check, says, mend):
        report = examined(made)
        assert report.refused
        found = finding(report, check)
        assert found.status is Status.REFUSED
        assert says in found.message
        assert (mend or "") in (found.mend or "")
        assert report.verdict == f"mine: refused ({check})"
        assert report.refusal.startswith(report.verdict)
        assert "\n" not in report.refusal

    def test_one_that_cannot_be_opened(self):
        def fail(settings):
            raise CandidateError("mine: its weights are missing")

        report = examine("mine", Geometry(4, 2), fail, IMAGES)
        assert report.verdict == "mine: refused (use)"
        assert finding(report, "use").message == "its weights are missing"


class TestWarned:
    def test_a_size_multiple_that_the_entry_states(self):
        assert finding(examined(NotPadded, multiple=16), "size multiple").status is Status.WARNING
        assert finding(examined(OneSizeOnly, multiple=SIDE), "size multiple").status is Status.WARNING
        assert finding(examined(NotPadded, multiple=8), "size multiple").status is Status.REFUSED

    def test_a_channel_that_carries_nothing(self):
        found = finding(examined(DeadChannel), "latents")
        assert found.status is Status.WARNING
        assert found.message.startswith("1 of 5 channels do not vary")

    def test_a_slow_one(self):
        report = examined(Slow, slow_ms=3.9)
        assert report.measured["encode_ms"] >= 4
        assert finding(report, "cost").status is Status.WARNING
        assert report.verdict == "mine: accepted, with warnings (cost)"
        assert finding(examined(Slow), "cost").status is Status.OK
