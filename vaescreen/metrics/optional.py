"""Metrics that need a network: there, or missing with a reason that is shown; never silently left out."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

PairMetric = Callable[[Tensor, Tensor], Tensor]
"""From reference and estimate, `[B, 1, H, W]` in [0, 1], to one value an image, `[B]`, float64."""


@dataclass(frozen=True)
class Missing:
    """A metric that could not be computed.

    Attributes
    ----------
    metric : str
        Its name.
    reason : str
        Why, and how to get it.
    """

    metric: str
    reason: str

    def __str__(self) -> str:
        return f"{self.metric} is missing: {self.reason}"


def find_weights(file: str, folder: Path | None) -> Path | None:
    """Find a weight file in `folder`, else where torch.hub keeps what it fetched; nothing is fetched."""
    kept = Path(torch.hub.get_dir()) / "checkpoints"
    places = [kept] if folder is None else [folder, kept]
    return next((place / file for place in places if (place / file).is_file()), None)


def is_plain(weights: Path) -> bool:
    """Whether a checkpoint holds tensors and plain values only, so that loading it runs no code."""
    try:
        torch.load(weights, map_location="cpu", weights_only=True)
    except Exception:  # whatever a damaged or hostile pickle may raise
        return False
    return True


def first_line(error: Exception) -> str:
    """Text of an error from another library, in one line of bearable length."""
    return " ".join(str(error).split())[:150] or type(error).__name__


def spoilt(*batches: Tensor) -> Tensor:
    """Which images have a pixel that is NaN or infinite in any of the batches, `[B]`."""
    return torch.stack([~batch.isfinite().all(dim=3).all(dim=2).all(dim=1) for batch in batches]).any(dim=0)
