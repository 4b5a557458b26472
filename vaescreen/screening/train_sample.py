"""Train images as screening uses them: a fixed number, encoded once."""

from dataclasses import dataclass

import torch
from torch import Tensor

from vaescreen.images import DataSet
from vaescreen.images.splits import sampling_order
from vaescreen.screening.guarded import GuardedAutoencoder
from vaescreen.screening.probes.crops import common_shape
from vaescreen.screening.view import View

MOST_TRAIN_IMAGES = 300
MOST_TRAIN_PIXELS = 300 * 512**2
"""Of all train images together, so that large ones do not fill the memory with latents."""


@dataclass(frozen=True)
class TrainSample:
    """Of each train image what a model is told, what it is to generate, and the latent.

    Attributes
    ----------
    told, target, hr
        Raw condition `[D, h, w]`, target `[C, h, w]` and HR latent `[C, h, w]` of each image.
    """

    told: list[Tensor]
    target: list[Tensor]
    hr: list[Tensor]


def encode_train(autoencoder: GuardedAutoencoder, data: DataSet, view: View, *, seed: int) -> TrainSample:
    """Encode at most `MOST_TRAIN_IMAGES`, whole patients in seeded order; no other image is decoded."""
    chosen = sample_ids(data, "train", MOST_TRAIN_IMAGES, seed)
    told: list[Tensor] = []
    target: list[Tensor] = []
    hr: list[Tensor] = []
    pixels = 0
    for batch in view.batches(data, "train", autoencoder.batch_size, only=chosen):
        pixels += batch.images.numel()
        if hr and pixels > MOST_TRAIN_PIXELS:
            break
        size = (batch.images.shape[-2], batch.images.shape[-1])
        reduced = view.degradation.apply(batch.images, batch.ids)
        condition = view.conditioning.told(autoencoder, reduced, size, view.degradation)
        latents = autoencoder.encode(batch.images)
        told.extend(condition)
        target.extend(latents - view.conditioning.base(condition, latents.shape[1]))
        hr.extend(latents)
    return TrainSample(told, target, hr)


def sample_ids(data: DataSet, split: str, most: int, seed: int) -> list[str]:
    """Ids of at most `most` images, whole patients in seeded order; the order of the data set does not matter."""
    images = sorted(zip(data.patients(split), data.ids(split), strict=True))
    order = sampling_order([patient for patient, _ in images], seed)
    return [images[position][1] for position in order[:most]]


def central(latents: list[Tensor]) -> Tensor:
    """Stack the centres of maps `[C, H, W]`, cut to the median side of them: `[N, C, H, W]`.

    Maps that are smaller are left out, so that a few of them do not decide what is seen of all others.
    """
    height, width = common_shape(latents)
    centres = []
    for part in latents:
        top, left = (part.shape[-2] - height) // 2, (part.shape[-1] - width) // 2
        if min(top, left) >= 0:
            centres.append(part[:, top : top + height, left : left + width])
    return torch.stack(centres)
