"""Train images as screening uses them: a fixed number, encoded once, with what their pixels can predict."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from vaescreen.autoencoders.padding import pad_to_multiple
from vaescreen.images import DataSet
from vaescreen.images.splits import sampling_order
from vaescreen.screening.guarded import GuardedAutoencoder
from vaescreen.screening.probes.crops import common_shape
from vaescreen.screening.probes.ridge import NormalEquations, RidgeProbe
from vaescreen.screening.view import View

MOST_TRAIN_IMAGES = 300
MOST_TRAIN_PIXELS = 300 * 512**2
"""Of all train images together, so that large ones do not fill the memory with latents."""
MID_GRAY = 0.5
LR_PIXELS = 8
"""Side of the patch of LR pixels that stands for an LR cell; larger factors average pixels first."""


@dataclass(frozen=True)
class TrainSample:
    """Raw latents of each LR and HR train image, `[C, h, w]` and `[C, H, W]`, and two probes on LR pixels.

    Attributes
    ----------
    pixel_probe
        From LR pixels to HR pixels, both less `MID_GRAY`: how predictable the images themselves are.
    pixels_to_latents
        From `lr_patches` to raw HR latents: what an LR encoding could at most tell a linear probe.
    """

    lr: list[Tensor]
    hr: list[Tensor]
    pixel_probe: RidgeProbe
    pixels_to_latents: RidgeProbe


def encode_train(
    autoencoder: GuardedAutoencoder, data: DataSet, view: View, *, factor: int, seed: int
) -> TrainSample:
    """Encode at most `MOST_TRAIN_IMAGES`, whole patients in seeded order; no other image is decoded."""
    scale = view.degradation.scale
    chosen = sample_ids(data, "train", MOST_TRAIN_IMAGES, seed)
    lr: list[Tensor] = []
    hr: list[Tensor] = []
    pixels = 0
    pixel_probe, pixels_to_latents = NormalEquations(scale), NormalEquations(scale, side=3)
    for batch in view.batches(data, "train", autoencoder.batch_size, only=chosen):
        pixels += batch.images.numel()
        if lr and pixels > MOST_TRAIN_PIXELS:
            break
        reduced = view.degradation.apply(batch.images, batch.ids)
        lr_latents, hr_latents = autoencoder.encode(reduced), autoencoder.encode(batch.images)
        pixel_probe.add(reduced - MID_GRAY, batch.images)
        pixels_to_latents.add(lr_patches(reduced, factor), hr_latents)
        lr.extend(lr_latents)
        hr.extend(hr_latents)
    return TrainSample(lr, hr, pixel_probe.solve(), pixels_to_latents.solve())


def sample_ids(data: DataSet, split: str, most: int, seed: int) -> list[str]:
    """Ids of at most `most` images, whole patients in seeded order; the order of the data set does not matter."""
    images = sorted(zip(data.patients(split), data.ids(split), strict=True))
    order = sampling_order([patient for patient, _ in images], seed)
    return [images[position][1] for position in order[:most]]


def lr_patches(reduced: Tensor, factor: int) -> Tensor:
    """LR pixels `[B, 1, h, w]`, less `MID_GRAY`, as channels of the LR cell that they lie under."""
    padded = pad_to_multiple(reduced, factor) - MID_GRAY
    side = min(factor, LR_PIXELS)
    return F.pixel_unshuffle(F.avg_pool2d(padded, factor // side), side)


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
