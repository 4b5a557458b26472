"""Training-free linear codecs: the floor that every trained autoencoder must beat.

An image is cut into patches of f x f pixels, and each patch is kept as its first C coefficients in an
orthonormal basis. Encoding is a strided convolution with the basis, decoding the transposed one. `scrambled`
is no floor but a control (see `scrambled`).
"""

from collections.abc import Iterable
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from vaescreen.autoencoders.contract import Geometry
from vaescreen.autoencoders.padding import pad_to_multiple
from vaescreen.autoencoders.scrambled import ScrambledCodec
from vaescreen.errors import CandidateError
from vaescreen.images import DataSet
from vaescreen.storage import digest

Basis = Literal["pca", "dct", "haar", "scrambled"]
FITTED = ("pca", "scrambled")
FloatArray = npt.NDArray[np.float64]
FIT_BATCH = 16


class LinearCodec:
    """Projection of f x f patches onto C orthonormal vectors; runs in float32 where its input is.

    Parameters
    ----------
    vectors
        `[C, f * f]`, orthonormal rows, over the pixels of a patch in row-major order.
    factor
        Side f of the patches in pixels.
    fingerprint
        Sha256 (hex) of everything that decides `vectors` and `mean`.
    mean
        `[f * f]`, the patch that is taken off before encoding; None for zero.
    """

    def __init__(
        self, vectors: FloatArray, factor: int, fingerprint: str, mean: FloatArray | None = None
    ) -> None:
        self.geometry = Geometry(len(vectors), factor)
        self.fingerprint = fingerprint
        self._vectors = torch.from_numpy(vectors).float()
        self._mean = torch.zeros(factor**2) if mean is None else torch.from_numpy(mean).float()

    def encode(self, images: Tensor) -> Tensor:
        """Coefficients `[B, C, ceil(H/f), ceil(W/f)]` of images `[B, 1, H, W]` in [0, 1]."""
        patches = F.pixel_unshuffle(
            pad_to_multiple(images.float(), self.geometry.factor), self.geometry.factor
        )
        centred = patches - self._mean.to(images.device)[:, None, None]
        return torch.einsum("cp,bphw->bchw", self._vectors.to(images.device), centred)

    def decode(self, latents: Tensor, size: tuple[int, int]) -> Tensor:
        """Images `[B, 1, *size]` in [0, 1], clamped, of coefficients `[B, C, h, w]`."""
        patches = torch.einsum("cp,bchw->bphw", self._vectors.to(latents.device), latents.float())
        patches = patches + self._mean.to(latents.device)[:, None, None]
        images = F.pixel_shuffle(patches, self.geometry.factor)
        return images[..., : size[0], : size[1]].clamp(0, 1)


def linear_fingerprint(basis: Basis, geometry: Geometry, data: DataSet) -> str:
    """Sha256 (hex) of a codec without fitting it: its declaration, for PCA also the data it is fitted on."""
    fitted_on = data.fingerprint if basis in FITTED else None
    return digest("linear-1", basis, list(geometry), fitted_on)


def open_linear(basis: Basis, geometry: Geometry, data: DataSet, name: str) -> LinearCodec | ScrambledCodec:
    """Make a codec; PCA is fitted on the train split of `data`, the others need no data.

    Raises
    ------
    CandidateError
        If a patch of the geometry has fewer pixels than channels are asked for.
    """
    channels, factor = geometry
    if channels > factor**2:
        raise CandidateError(
            f"{name}: patches of {factor}x{factor} pixels have {factor**2} coefficients, not {channels}"
        )
    fingerprint = linear_fingerprint(basis, geometry, data)
    if basis in FITTED:
        images = (batch.images for batch in data.batches("train", FIT_BATCH))
        mean, vectors = patch_pca(images, factor)
        codec = LinearCodec(vectors[:channels], factor, fingerprint, mean)
        return codec if basis == "pca" else ScrambledCodec(codec, fingerprint)
    vectors = dct_vectors(factor) if basis == "dct" else haar_vectors(factor)
    return LinearCodec(vectors[:channels], factor, fingerprint)


def patch_pca(batches: Iterable[Tensor], factor: int) -> tuple[FloatArray, FloatArray]:
    """Mean and principal components of the patches of streamed images, in float64.

    Parameters
    ----------
    batches
        Images `[B, 1, H, W]`, padded as for encoding.
    factor
        Side f of the patches in pixels.

    Returns
    -------
    tuple of arrays
        Mean `[f * f]`, and components `[f * f, f * f]` as rows, by falling variance. The sign is fixed: the
        sum of the entries, weighted by n, n - 1, ..., 1, is positive.
    """
    count, pixels = 0, factor**2
    # Around mid-gray, so that the covariance is not a small difference of large moments.
    total, products = np.zeros(pixels), np.zeros((pixels, pixels))
    for images in batches:
        unshuffled = F.pixel_unshuffle(pad_to_multiple(images.double(), factor), factor) - 0.5
        patches = unshuffled.movedim(1, -1).reshape(-1, pixels).cpu().numpy()
        count += len(patches)
        total += patches.sum(axis=0)
        products += patches.T @ patches
    mean = total / count
    _, eigenvectors = np.linalg.eigh(products / count - np.outer(mean, mean))
    vectors = eigenvectors.T[::-1]
    signs = np.where(vectors @ np.arange(pixels, 0, -1) < 0, -1.0, 1.0)
    return mean + 0.5, np.ascontiguousarray(signs[:, None] * vectors)


def dct_vectors(factor: int) -> FloatArray:
    """Orthonormal 2-D DCT-II of an f x f patch as rows `[f * f, f * f]`, in the zig-zag order of JPEG."""
    from scipy.fft import dctn

    units = np.eye(factor**2).reshape(-1, factor, factor)
    coefficients = dctn(units, axes=(1, 2), norm="ortho")
    order = sorted(np.ndindex(factor, factor), key=_zigzag)
    return np.stack([coefficients[:, down, right] for down, right in order])


def haar_vectors(factor: int) -> FloatArray:
    """Full orthonormal Haar decomposition of an f x f patch as rows `[f * f, f * f]`, coarse to fine.

    In PyWavelets' order: mean, then for each level the horizontal, vertical and diagonal details. `factor`
    is a power of two.
    """
    import pywt

    units = np.eye(factor**2).reshape(-1, factor, factor)
    mean, *levels = pywt.wavedec2(units, "haar", level=factor.bit_length() - 1, axes=(1, 2))
    bands = [mean, *(band for level in levels for band in level)]
    return np.concatenate([band.reshape(len(units), -1).T for band in bands])


def _zigzag(frequency: tuple[int, ...]) -> tuple[int, int]:
    down, right = frequency
    diagonal = down + right
    return diagonal, down if diagonal % 2 else right
