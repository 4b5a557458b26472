"""Probes: cheap estimates of how well HR latents follow from LR latents, seconds instead of GPU hours.

A probe is a small regression from the latent of the LR image to the latent of the HR image, fitted on the
train split. Its predictions, decoded and compared with the true HR images, foresee what a super-resolution
model can make of this latent space; the AE ceiling does not. `ridge` has a closed form, `convolutional` is
a small network with a fixed number of steps; both work on standardised latents.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from vaescreen.autoencoders.standardisation import Standardisation
from vaescreen.screening.probes.convolutional import fit_convolutional
from vaescreen.screening.probes.ridge import fit_ridge

__all__ = ["PROBES", "Prediction", "fit_probes"]

PROBES = ("ridge_probe", "conv_probe")

Prediction = Callable[[Tensor, tuple[int, int]], Tensor]
"""From LR latents `[B, C, h, w]` to HR latents `[B, C, *size]`, both raw."""

FIT_BATCH = 16


def fit_probes(
    lr: Tensor, hr: Tensor, *, scale: int, seed: int, device: torch.device | str = "cpu"
) -> dict[str, Prediction]:
    """Fit every probe on the raw latents of the train images.

    Parameters
    ----------
    lr
        Latents of the LR images, `[N, C, h, w]`.
    hr
        Latents of the HR images, `[N, C, H, W]` with H at most `scale * h`, likewise W; cell (i, j) of `lr`
        lies over the `scale` x `scale` block of `hr` that begins at (scale * i, scale * j).
    scale
        HR pixels per LR pixel in each direction.
    seed
        Of the convolutional probe.
    device
        Where the convolutional probe runs.

    Returns
    -------
    dict
        For each name in `PROBES` the fitted prediction.
    """
    into, out = Standardisation.of(lr), Standardisation.of(hr)
    x, y = into.apply(lr), out.apply(hr)
    ridge = fit_ridge(zip(x.split(FIT_BATCH), y.split(FIT_BATCH), strict=True), scale)
    convolutional = fit_convolutional(x, y, scale, seed, device=device)

    def raw(standardised: Prediction) -> Prediction:
        return lambda latents, size: out.undo(standardised(into.apply(latents), size))

    return dict(zip(PROBES, (raw(ridge.predict), raw(convolutional.predict)), strict=True))
