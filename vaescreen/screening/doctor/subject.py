"""What is examined: an autoencoder that can be opened, perhaps in more than one way, and images for it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from vaescreen.autoencoders.contract import Autoencoder, Geometry
from vaescreen.errors import VaescreenError
from vaescreen.metrics.fidelity import psnr
from vaescreen.registry.settings import Settings

SMALL = 64
HIGHEST_PSNR = 150.0
"""Values above are set to this: images are then equal up to the rounding of float32."""


class Failure(Exception):  # noqa: N818
    """An autoencoder did something that no autoencoder may; the text says what."""


@dataclass(frozen=True)
class Subject:
    """An autoencoder under examination.

    Attributes
    ----------
    name : str
        What messages call it.
    geometry : Geometry
        What is stated of it.
    open : callable
        Opens it as `Settings` say.
    settings : Settings
        How it is stated to be run.
    multiple : int
        Size multiple that is stated of it.
    images : Tensor
        `[B, 1, H, W]` in [0, 1], B and both sides at least 2.
    device : str
        Where it runs.
    """

    name: str
    geometry: Geometry
    open: Callable[[Settings], Autoencoder]
    settings: Settings
    multiple: int
    images: Tensor
    device: str

    def reduced(self) -> "Subject":
        """The same with two images of about `SMALL` pixels a side, for checks that need no more."""
        side = min(self.images.shape[-2:])
        step = max(1, side // max(SMALL, self.multiple))
        small = F.avg_pool2d(self.images[:2], step)
        fits = all(length % self.multiple == 0 for length in small.shape[-2:])
        return replace(self, images=small if fits else self.images[:2])

    def single(self) -> "Subject":
        """The same with its first image."""
        return replace(self, images=self.images[:1])

    def opened(self, **changes: object) -> Autoencoder:
        """Open it with some settings changed.

        Raises
        ------
        Failure
            If that fails.
        """
        try:
            return self.open(self.settings.model_copy(update=changes))
        except VaescreenError as error:
            raise Failure(str(error).removeprefix(f"{self.name}: ")) from error
        except Exception as error:  # the code behind it may be the user's
            raise Failure(_describe(error)) from error


def encode(autoencoder: Autoencoder, images: Tensor) -> Tensor:
    """Latents of `images`.

    Raises
    ------
    Failure
        If the autoencoder fails or gives no floating-point tensor `[B, C, h, w]`.
    """
    return _called(lambda: autoencoder.encode(images), "encode", len(images))


def decode(autoencoder: Autoencoder, latents: Tensor, size: tuple[int, int]) -> Tensor:
    """Images of `latents`, as the autoencoder gives them.

    Raises
    ------
    Failure
        As for `encode`.
    """
    return _called(lambda: autoencoder.decode(latents, size), "decode", len(latents))


class Use(NamedTuple):
    """Latents of images, and the images that come back."""

    latents: Tensor
    decoded: Tensor

    def single(self) -> "Use":
        """Those of the first image."""
        return Use(self.latents[:1], self.decoded[:1])

    @classmethod
    def joined(cls, uses: Sequence["Use"]) -> "Use":
        """Those of several uses as one batch.

        Raises
        ------
        Failure
            If they differ in shape.
        """
        for tensors in zip(*uses, strict=True):
            shapes = sorted({shape(tensor) for tensor in tensors})
            if len(shapes) > 1:
                raise Failure(f"gives {' and '.join(shapes)} for images of one size")
        return cls(*(torch.cat(tensors) for tensors in zip(*uses, strict=True)))


def use(autoencoder: Autoencoder, images: Tensor) -> Use:
    """Encode and decode `images`; what comes back must be finite and of their shape.

    Raises
    ------
    Failure
        If it is not, or the autoencoder fails.
    """
    latents = encode(autoencoder, images)
    decoded = decode(autoencoder, latents, (images.shape[-2], images.shape[-1]))
    if decoded.shape != images.shape:
        raise Failure(f"gives images of shape {shape(decoded)} for images of shape {shape(images)}")
    if not decoded.isfinite().all():
        raise Failure("gives values that are not finite (NaN or infinity)")
    return Use(latents, decoded)


def reconstruct(autoencoder: Autoencoder, images: Tensor) -> Tensor:
    """Images that come back, as `use` gives them."""
    return use(autoencoder, images).decoded


def mean_psnr(reference: Tensor, estimate: Tensor) -> float:
    """Mean over images of PSNR in dB for data range 1, at most `HIGHEST_PSNR`; the estimate is clamped."""
    values = psnr(reference, estimate.clamp(0, 1)).clamp(max=HIGHEST_PSNR)
    return float(values.mean())


def shape(tensor: Tensor) -> str:
    """Shape without the batch, such as `4x32x32`."""
    return "x".join(map(str, tensor.shape[1:]))


def _called(call: Callable[[], Tensor], what: str, count: int) -> Tensor:
    try:
        with torch.no_grad():
            result = call()
    except Exception as error:  # the code behind it may be the user's
        if isinstance(error, VaescreenError):  # its first word is the candidate's name, which the verdict has
            raise Failure(str(error).partition(": ")[2]) from error
        raise Failure(f"{what} fails: {_describe(error)}") from error
    if not isinstance(result, Tensor) or result.dim() != 4 or len(result) != count:
        found = tuple(result.shape) if isinstance(result, Tensor) else type(result).__name__
        raise Failure(f"{what} gives {found}, not a tensor of {count} x channels x height x width")
    if not result.is_floating_point():
        raise Failure(f"{what} gives {result.dtype} where floating-point values are due")
    return result.float()


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:150]}"
