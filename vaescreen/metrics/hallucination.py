"""Structure that an output adds to an image, or loses from it, beyond what its autoencoder does anyway.

As published (arXiv 2604.12152): a pixel of an SR image is hallucinated where SR - HR exceeds the mean plus two
standard deviations of |AE - HR| over that image, and lost where HR - SR does. That threshold depends on whose
autoencoder sets it, and a worse autoencoder excuses more; a threshold in common removes that. Report both.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from vaescreen.metrics.pair import checked_pair

STANDARD_DEVIATIONS = 2.0


class Excess(NamedTuple):
    """What exceeds a threshold, one value an image.

    Attributes
    ----------
    hallucinated, lost : Tensor
        Share of the pixels, `[B]` in [0, 1].
    hallucinated_by, lost_by : Tensor
        Mean |SR - HR| over those pixels, `[B]`; 0 where there are none.
    added, removed : Tensor
        Which pixels they are, bool `[B, 1, H, W]`.
    """

    hallucinated: Tensor
    lost: Tensor
    hallucinated_by: Tensor
    lost_by: Tensor
    added: Tensor
    removed: Tensor


def error_threshold(reference: Tensor, reconstruction: Tensor) -> Tensor:
    """Mean plus two (population) standard deviations of |AE - HR| over each image.

    Parameters
    ----------
    reference, reconstruction : Tensor
        HR images and what the autoencoder makes of them, `[B, 1, H, W]` in [0, 1], floating point.

    Returns
    -------
    Tensor
        `[B]`, float64.

    Raises
    ------
    DataError
        If the two batches cannot be compared.
    """
    return common_threshold(reference, [reconstruction])


def common_threshold(reference: Tensor, reconstructions: Sequence[Tensor]) -> Tensor:
    """Threshold of an image that is the same for several autoencoders: their errors are pooled.

    Parameters
    ----------
    reference : Tensor
        HR images `[B, 1, H, W]` in [0, 1], floating point.
    reconstructions : sequence of Tensor
        What each autoencoder makes of them; at least one.

    Returns
    -------
    Tensor
        `[B]`, float64: mean plus two (population) standard deviations over the pixels of all errors.

    Raises
    ------
    DataError
        If two batches cannot be compared.
    """
    errors = [(a - b).abs() for a, b in (checked_pair(reference, each) for each in reconstructions)]
    mean = torch.stack([error.mean(dim=(1, 2, 3)) for error in errors]).mean(dim=0)
    deviations = [(error - mean[:, None, None, None]).square().mean(dim=(1, 2, 3)) for error in errors]
    return mean + STANDARD_DEVIATIONS * torch.stack(deviations).mean(dim=0).sqrt()


def excess(reference: Tensor, estimate: Tensor, threshold: Tensor) -> Excess:
    """Find the pixels in which an output differs from its image by more than a threshold, by sign.

    Parameters
    ----------
    reference, estimate : Tensor
        HR images and outputs, `[B, 1, H, W]` in [0, 1], floating point.
    threshold : Tensor
        `[B]`, as `error_threshold` or `common_threshold` gives it.

    Returns
    -------
    Excess
        Values are NaN for an image with a NaN pixel or threshold, and its pixels are marked nowhere.

    Raises
    ------
    DataError
        If the two batches cannot be compared.
    """
    reference, estimate = checked_pair(reference, estimate)
    difference = estimate - reference
    limit = threshold.to(difference)[:, None, None, None]
    spoilt = difference.sum(dim=(1, 2, 3)).isnan() | threshold.to(difference).isnan()
    sound = ~spoilt[:, None, None, None]
    added, removed = (difference > limit) & sound, (-difference > limit) & sound
    size = difference.abs()
    return Excess(
        hallucinated=_unless(spoilt, added.double().mean(dim=(1, 2, 3))),
        lost=_unless(spoilt, removed.double().mean(dim=(1, 2, 3))),
        hallucinated_by=_unless(spoilt, _mean_where(size, added)),
        lost_by=_unless(spoilt, _mean_where(size, removed)),
        added=added,
        removed=removed,
    )


def _mean_where(values: Tensor, marked: Tensor) -> Tensor:
    count = marked.sum(dim=(1, 2, 3))
    return torch.where(marked, values, 0.0).sum(dim=(1, 2, 3)) / count.clamp(min=1)


def _unless(spoilt: Tensor, values: Tensor) -> Tensor:
    return torch.where(spoilt, torch.nan, values)
