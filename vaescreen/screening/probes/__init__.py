"""Probes: cheap estimates of how well HR latents follow from LR latents, seconds instead of GPU hours.

A probe is a small regression from the latent of the LR image to the latent of the HR image, fitted on the
train split. Its predictions, decoded and compared with the true HR images, foresee what a super-resolution
model can make of this latent space; the AE ceiling does not. All work on standardised latents, at a fixed
budget and from a fixed seed:

- `ridge`: linear, closed form, any number of images;
- `random_features`: the same on random nonlinear features;
- `neighbours`: what the most similar train patch has in this place;
- `convolutional`: a small network with a fixed number of steps;
- `denoising`: a miniature of the diffusion model, which must find the latent under noise as well.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from vaescreen.autoencoders.standardisation import Standardisation
from vaescreen.screening.probes.convolutional import ConvolutionalProbe, fit_convolutional
from vaescreen.screening.probes.denoising import DenoisingProbe, fit_denoising
from vaescreen.screening.probes.neighbours import NeighbourProbe, fit_neighbours
from vaescreen.screening.probes.random_features import RandomFeatureProbe, fit_random_features
from vaescreen.screening.probes.ridge import RidgeProbe, fit_ridge

__all__ = ["Probes", "fit_probes"]

FIT_BATCH = 16


@dataclass(frozen=True)
class Probes:
    """Fitted probes, and the standardisation of LR latents (`lr`) and HR latents (`hr`) that they work on."""

    lr: Standardisation
    hr: Standardisation
    ridge: RidgeProbe
    random_features: RandomFeatureProbe
    neighbours: NeighbourProbe
    convolutional: ConvolutionalProbe
    denoising: DenoisingProbe


def fit_probes(
    lr: Sequence[Tensor],
    hr: Sequence[Tensor],
    *,
    scale: int,
    factor: int,
    seed: int,
    device: torch.device | str = "cpu",
) -> Probes:
    """Fit every probe on the raw latents of the train images.

    Parameters
    ----------
    lr
        Latents of each LR image, `[C, h, w]`; sizes may differ.
    hr
        Latents of each HR image, `[C, H, W]` with H at most `scale * h`, likewise W; cell (i, j) of `lr` lies
        over the `scale` x `scale` block of `hr` that begins at (scale * i, scale * j).
    scale
        HR pixels per LR pixel in each direction.
    factor
        Spatial factor of the autoencoder.
    seed
        Of everything random in the probes.
    device
        Where networks run.
    """
    into, out = _standardisation(lr), _standardisation(hr)
    x, y = [into.apply(part) for part in lr], [out.apply(part) for part in hr]
    return Probes(
        into,
        out,
        fit_ridge(_batches(x, y), scale),
        fit_random_features(_batches(x, y), x[0].shape[0], scale, seed),
        fit_neighbours(_batches(x, y), scale),
        fit_convolutional(x, y, scale, seed, device=device),
        fit_denoising(x, y, scale, factor, seed, device=device),
    )


def _standardisation(latents: Sequence[Tensor]) -> Standardisation:
    """Over the cells of all images, whatever their sizes."""
    return Standardisation.of(torch.cat([part.flatten(1) for part in latents], dim=1)[None, :, None])


def _batches(lr: Sequence[Tensor], hr: Sequence[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
    """Stack neighbours of equal size."""
    start = 0
    for end in range(1, len(hr) + 1):
        if end == len(hr) or end - start == FIT_BATCH or hr[end].shape != hr[start].shape:
            yield torch.stack(list(lr[start:end])), torch.stack(list(hr[start:end]))
            start = end
