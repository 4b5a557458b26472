"""Noise that belongs to an image, whatever batch it comes in."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from vaescreen.errors import DataError

NoiseKind = Literal["gaussian", "rician"]

NOISES: tuple[NoiseKind, ...] = get_args(NoiseKind)
NOISE_SD = 0.02
"""Of a noise that is named without its SD."""


@dataclass(frozen=True)
class Noise:
    """Noise of the LR image; that of an image follows from its id and the seed alone, whatever its batch.

    `gaussian` is added to the pixels. `rician` is what a magnitude image of an MR acquisition has (Gudbjartsson
    and Patz, 1995): complex Gaussian noise, SD `sd` in each of the real and the imaginary part of every LR pixel,
    before the magnitude is taken. White noise in k-space is white in the image: for `kspace` it is the noise of the
    samples that were kept; the other kernels give it a real image to begin with.

    Parameters
    ----------
    kind
        One of `NOISES`.
    sd
        Standard deviation in an LR pixel as a fraction of full scale, above 0 and at most 1.
    seed
        From 0 to 2^32 - 1.

    Raises
    ------
    DataError
        If one of them is not so.
    """

    kind: NoiseKind
    sd: float = NOISE_SD
    seed: int = 0

    def __post_init__(self) -> None:
        if self.kind not in NOISES:
            raise DataError(f"unknown noise {self.kind!r}; give one of {', '.join(NOISES)}")
        if not 0 < self.sd <= 1:
            raise DataError(
                f"noise of SD {self.sd} makes no image; give a fraction of full scale, such as 0.02"
            )
        if not 0 <= self.seed < 2**32:
            raise DataError(f"a noise seed of {self.seed} is out of range; give one from 0 to {2**32 - 1}")

    def added(self, lr: Tensor, ids: Sequence[str]) -> Tensor:
        """Add it to real or complex LR images `[B, 1, h, w]`; the result is real."""
        own = [f"{image_id}\nlow resolution" for image_id in ids]
        if self.kind == "gaussian":
            real = magnitude(lr)
            return real + self.sd * noise_of(own, real, self.seed)
        real, imaginary = (lr.real, lr.imag) if lr.is_complex() else (lr, torch.zeros_like(lr))
        draws = self.sd * noise_of(own, torch.cat([real, imaginary], dim=1), self.seed)
        return torch.hypot(real + draws[:, :1], imaginary + draws[:, 1:])


def noise_of(ids: Sequence[str], like: Tensor, seed: int) -> Tensor:
    """Unit normal noise of the shape and on the device of `like`, `[B, ...]`, from image ids and a seed."""
    return draw_noise(generators_of(ids, seed), like)


def generators_of(ids: Sequence[str], seed: int) -> list[torch.Generator]:
    """Give a source of random numbers for each image.

    The generator's seed is a checksum: torch's generator on a CPU reads 32 bits and no more.
    """
    return [torch.Generator().manual_seed(zlib.crc32(image_id.encode(), seed)) for image_id in ids]


def draw_noise(generators: Sequence[torch.Generator], like: Tensor) -> Tensor:
    """Unit normal noise of the shape and on the device of `like`, `[B, ...]`, each image from its own source."""
    return torch.stack([torch.randn(like.shape[1:], generator=each) for each in generators]).to(like.device)


def magnitude(images: Tensor) -> Tensor:
    """Absolute value of complex images; real ones as they are, negative pixels too."""
    return images.abs() if images.is_complex() else images
