"""Ways to fewer pixels: filters of Pillow and PyTorch, and a Fourier transform cut to its centre."""

import math

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F


def resize(images: Tensor, size: tuple[int, int], kernel: Image.Resampling) -> Tensor:
    """Resize each image of `[B, 1, H, W]` by Pillow in float32, antialiased, and clamp to [0, 1]."""
    height, width = size
    planes = images.detach().to("cpu", torch.float32)[:, 0].numpy()
    resized = np.stack(
        [np.asarray(Image.fromarray(plane).resize((width, height), kernel)) for plane in planes]
    )
    return torch.from_numpy(resized)[:, None].clamp(0, 1).to(images.device, images.dtype)


def interpolate(images: Tensor, size: tuple[int, int], *, antialias: bool) -> Tensor:
    """Resize images `[B, 1, H, W]` by `torch.nn.functional.interpolate`, bicubic, and clamp to [0, 1].

    Without antialiasing every LR pixel is read off the 4 x 4 HR pixels around its centre by Keys' cubic with
    a = -0.75, and what lies between is never looked at; with it the kernel is widened, and a = -0.5 as in Pillow.
    """
    return F.interpolate(images, size, mode="bicubic", antialias=antialias).clamp(0, 1)


def truncate_kspace(images: Tensor, scale: int) -> Tensor:
    """Keep the central 1/scale of the 2-D Fourier transform in each direction.

    The mean of the image is preserved. A linear phase moves the samples to the centres of the scale x scale
    blocks they stand for, where the other kernels have them too: without it the result would be shifted by
    (scale - 1) / 2 pixels against them, and against every upsampling that takes pixels as areas.

    Parameters
    ----------
    images
        `[B, 1, H, W]`, float32 or float64, H and W multiples of `scale`.

    Returns
    -------
    Tensor
        `[B, 1, H / scale, W / scale]`, complex: the image is its magnitude.
    """
    spectrum = torch.fft.fftshift(torch.fft.fft2(images), dim=(-2, -1))
    for dim in (-2, -1):
        spectrum = _central_frequencies(spectrum, dim, scale)
    lr: Tensor = torch.fft.ifft2(torch.fft.ifftshift(spectrum, dim=(-2, -1))) / scale**2
    return lr


def _central_frequencies(spectrum: Tensor, dim: int, scale: int) -> Tensor:
    """Cut a shifted spectrum to its central part along `dim` and advance the samples to the block centres."""
    length = spectrum.shape[dim]
    kept = length // scale
    frequencies = torch.arange(kept, device=spectrum.device, dtype=spectrum.real.dtype) - kept // 2
    turn = math.pi * (scale - 1) / length * frequencies
    phase = torch.polar(torch.ones_like(turn), turn)
    central = spectrum.narrow(dim, length // 2 - kept // 2, kept)
    return central * (phase if dim == -1 else phase[:, None])
