"""The recorded way from a high-resolution image to its low-resolution version, and the bicubic way back."""

import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import PIL
import torch
from PIL import Image
from torch import Tensor

from vaescreen.errors import DataError

Kernel = Literal["lanczos", "bicubic", "area", "kspace"]
Interpolation = Literal["nearest", "bicubic", "lanczos"]

KERNELS: tuple[Kernel, ...] = get_args(Kernel)
INTERPOLATIONS: tuple[Interpolation, ...] = get_args(Interpolation)
SCALES = (2, 4, 8)

_PILLOW_FILTERS = {
    "lanczos": Image.Resampling.LANCZOS,
    "bicubic": Image.Resampling.BICUBIC,
    "area": Image.Resampling.BOX,
}

_INTERPOLATIONS: dict[Interpolation, Image.Resampling] = {
    "nearest": Image.Resampling.NEAREST,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


@dataclass(frozen=True)
class Degradation:
    """Reduction of images by an integer factor.

    `lanczos`, `bicubic` and `area` (the mean of each block) are Pillow's antialiased filters on float32
    pixels. `kspace` is what a shorter MR acquisition does: see `truncate_kspace`.

    Parameters
    ----------
    kernel
        One of `KERNELS`.
    scale
        One of `SCALES`.

    Raises
    ------
    DataError
        If kernel or scale is unknown.
    """

    kernel: Kernel
    scale: int

    def __post_init__(self) -> None:
        if self.kernel not in KERNELS:
            raise DataError(f"unknown degradation {self.kernel!r}; give one of {', '.join(KERNELS)}")
        if self.scale not in SCALES:
            raise DataError(f"scale {self.scale} is not supported; give one of {', '.join(map(str, SCALES))}")

    def apply(self, images: Tensor) -> Tensor:
        """Reduce images `[B, 1, H, W]` in [0, 1] to `[B, 1, H / scale, W / scale]`, clamped to [0, 1].

        Dtype and device are kept; the arithmetic is at least float32.

        Raises
        ------
        DataError
            If H or W is not a multiple of the scale.
        """
        height, width = images.shape[-2:]
        if height % self.scale or width % self.scale:
            raise DataError(f"images of {height}x{width} pixels cannot be reduced {self.scale} times exactly")
        if self.kernel == "kspace":
            return truncate_kspace(images, self.scale)
        size = (height // self.scale, width // self.scale)
        return _resize(images, size, _PILLOW_FILTERS[self.kernel])

    def upsample(self, lr: Tensor, size: tuple[int, int], by: Interpolation = "bicubic") -> Tensor:
        """Enlarge `[B, 1, h, w]` to `[B, 1, *size]` by a filter of Pillow, clamped; bicubic is the floor of SR."""
        return _resize(lr, size, _INTERPOLATIONS[by])

    def description(self) -> dict[str, Any]:
        """Everything needed to do the same again, as JSON-able values."""
        if self.kernel == "kspace":
            library = {
                "library": "torch.fft",
                "version": torch.__version__,
                "antialias": True,
                "magnitude": True,
            }
        else:
            library = {"library": "Pillow", "version": PIL.__version__, "antialias": True}
        return {
            "kernel": self.kernel,
            "scale": self.scale,
            **library,
            "upsample": f"Pillow {PIL.__version__} bicubic",
        }


def truncate_kspace(images: Tensor, scale: int) -> Tensor:
    """Keep the central 1/scale of the 2-D Fourier transform in each direction and take the magnitude.

    The mean of the image is preserved. A linear phase moves the samples to the centres of the scale x scale
    blocks they stand for, where the other kernels have them too: without it the result would be shifted by
    (scale - 1) / 2 pixels against them, and against every upsampling that takes pixels as areas.

    Parameters
    ----------
    images
        `[B, 1, H, W]`, H and W multiples of `scale`.

    Returns
    -------
    Tensor
        `[B, 1, H / scale, W / scale]` of the same dtype, clamped to [0, 1].
    """
    work = images if images.dtype == torch.float64 else images.float()
    spectrum = torch.fft.fftshift(torch.fft.fft2(work), dim=(-2, -1))
    for dim in (-2, -1):
        spectrum = _central_frequencies(spectrum, dim, scale)
    lr = torch.fft.ifft2(torch.fft.ifftshift(spectrum, dim=(-2, -1))) / scale**2
    result: Tensor = lr.abs().clamp(0, 1).to(images.dtype)
    return result


def _central_frequencies(spectrum: Tensor, dim: int, scale: int) -> Tensor:
    """Cut a shifted spectrum to its central part along `dim` and advance the samples to the block centres."""
    length = spectrum.shape[dim]
    kept = length // scale
    frequencies = torch.arange(kept, device=spectrum.device, dtype=spectrum.real.dtype) - kept // 2
    turn = math.pi * (scale - 1) / length * frequencies
    phase = torch.polar(torch.ones_like(turn), turn)
    central = spectrum.narrow(dim, length // 2 - kept // 2, kept)
    return central * (phase if dim == -1 else phase[:, None])


def _resize(images: Tensor, size: tuple[int, int], kernel: Image.Resampling) -> Tensor:
    """Resize each image of a batch by Pillow in float32 and clamp to [0, 1]."""
    height, width = size
    planes = images.detach().to("cpu", torch.float32)[:, 0].numpy()
    resized = np.stack(
        [np.asarray(Image.fromarray(plane).resize((width, height), kernel)) for plane in planes]
    )
    return torch.from_numpy(resized)[:, None].clamp(0, 1).to(images.device, images.dtype)
