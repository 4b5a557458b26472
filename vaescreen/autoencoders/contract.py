"""What every autoencoder looks like from outside its adapter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from vaescreen.errors import CandidateError
from vaescreen.registry.geometry import Geometry

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Autoencoder", "Geometry", "check_output"]


@runtime_checkable
class Autoencoder(Protocol):
    """Encode and decode grayscale images in [0, 1]; range, channels, padding and device stay inside.

    Latents are raw, unless the settings of its entry ask otherwise: the posterior mean as the network gives it,
    neither scaled nor shifted. Whoever trains on latents standardises them.
    """

    @property
    def geometry(self) -> Geometry:
        """Latent channels and spatial factor."""

    @property
    def fingerprint(self) -> str:
        """Sha256 (hex) of weights and configuration: same name with other bytes is another autoencoder."""

    def encode(self, images: Tensor) -> Tensor:
        """Latents `[B, C, ceil(H/f), ceil(W/f)]`, float32, of images `[B, 1, H, W]` in [0, 1]."""

    def decode(self, latents: Tensor, size: tuple[int, int]) -> Tensor:
        """Images `[B, 1, *size]` in [0, 1], clamped, cropped to `size` (height, width)."""


def check_output(output: Tensor, expected: tuple[int, ...], name: str, what: str, mend: str = "") -> None:
    """Refuse latents or images `[B, *expected]` of another shape, or with values that are not finite.

    `mend` says what to do about the latter.

    Raises
    ------
    CandidateError
        In one line that begins with the candidate's `name`.
    """
    shape = tuple(output.shape[1:])
    if shape != expected:
        raise CandidateError(f"{name}: gives {what} of shape {shape} where {expected} is due")
    if not output.isfinite().all():
        raise CandidateError(f"{name}: gives {what} that are not finite (NaN or infinity){mend}")
