"""Probes: cheap estimates of how well a model can do what a recipe asks of it, seconds instead of GPU hours.

A probe is a small regression from what a model is told to what it generates, fitted on the train split. Its
predictions, decoded and compared with the true HR images, foresee what a super-resolution model can make of this
latent space; the AE ceiling does not. All work on standardised latents, at a fixed budget and from a fixed seed:

- `ridge`: linear in the cell's neighbourhood, closed form;
- `convolutional`: a small network with a fixed number of steps, which foresees the posterior mean;
- `denoising`: a miniature of the diffusion model, whose samples foresee the samples.

The networks of the last two see `crops` and are trained by one loop, that of `fitting`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from vaescreen.autoencoders.standardisation import Standardisation
from vaescreen.screening.probes.convolutional import ConvolutionalProbe, fit_convolutional
from vaescreen.screening.probes.denoising import DenoisingProbe, fit_denoising
from vaescreen.screening.probes.ridge import RidgeProbe, fit_ridge

__all__ = ["Probes", "fit_probes"]

FIT_BATCH = 16
RIDGE_CELLS = 40_000
"""Cells that the ridge probe is fitted on at most: several times its features for all but the widest latents."""


@dataclass(frozen=True)
class Probes:
    """Fitted probes, and the standardisation of conditions (`told`) and targets (`target`) that they work on."""

    told: Standardisation
    target: Standardisation
    ridge: RidgeProbe
    convolutional: ConvolutionalProbe
    denoising: DenoisingProbe


def fit_probes(
    told: Sequence[Tensor],
    target: Sequence[Tensor],
    *,
    scale: int,
    factor: int,
    seed: int,
    device: torch.device | str = "cpu",
) -> Probes:
    """Fit every probe on what a model is told of the train images and on what it is to generate.

    Parameters
    ----------
    told, target
        Raw condition and target of each image, `[D, h, w]` and `[C, h, w]`; sizes may differ.
    scale
        HR pixels per LR pixel in each direction.
    factor
        Spatial factor of the autoencoder.
    seed
        Of everything random in the probes.
    device
        Where networks run.
    """
    into, out = standardisation(told), standardisation(target)
    x, y = [into.apply(part) for part in told], [out.apply(part) for part in target]
    return Probes(
        into,
        out,
        fit_ridge(_batches(x, y)),
        fit_convolutional(x, y, scale, seed, device=device),
        fit_denoising(x, y, scale, factor, seed, device=device),
    )


def standardisation(latents: Sequence[Tensor]) -> Standardisation:
    """Over the cells of all images, whatever their sizes."""
    return Standardisation.of(torch.cat([part.flatten(1) for part in latents], dim=1)[None, :, None])


def _batches(told: Sequence[Tensor], target: Sequence[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
    """Stack neighbours of equal size, until there are enough cells for the ridge probe."""
    start = cells = 0
    for end in range(1, len(target) + 1):
        cells += target[end - 1][0].numel()
        last = end == len(target) or cells >= RIDGE_CELLS
        if last or end - start == FIT_BATCH or target[end].shape != target[start].shape:
            yield torch.stack(list(told[start:end])), torch.stack(list(target[start:end]))
            start = end
        if last:
            return
