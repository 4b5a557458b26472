"""What is measured on a panel of few test images, for every candidate the same."""

import math

from torch import Tensor, finfo, float32

from vaescreen.images.noise import noise_of
from vaescreen.metrics.fidelity import capped_psnr
from vaescreen.screening.seen import Seen

PANEL_IMAGES = 24
LEVEL = 25
"""Noise level in percent at which the denoising probe's error is measured."""


def measure_panel(seen: Seen, *, scale: int, seed: int) -> dict[str, Tensor]:
    """Measure images of one size.

    Returns
    -------
    dict of str to Tensor
        Name to `[B]`.

        - `simulated_psnr`: PSNR in dB of the convolutional probe's prediction plus its own residual from half an image
          away, which has the size and the shape of the uncertainty: what a *sample* of a good generative model would
          get, where the prediction itself is what the posterior mean would get.
        - `denoise_r2_25`: share of the squared standardised target that the denoising probe explains at `LEVEL`.
    """
    probes, target = seen.probes, seen.target
    predicted = probes.convolutional.predict(seen.told)
    half_an_image = [side // 2 // scale * scale for side in target.shape[-2:]]
    simulated = predicted - (predicted - target).roll(half_an_image, dims=(-2, -1))
    angle = math.pi / 2 * LEVEL / 100
    noisy = math.cos(angle) * target + math.sin(angle) * noise_of(seen.batch.ids, target, seed)
    clean = probes.denoising.denoise(noisy, seen.told, LEVEL / 100)
    return {
        "simulated_psnr": capped_psnr(seen.batch.images, seen.decode(simulated)),
        f"denoise_r2_{LEVEL}": 1 - _power(clean - target) / _power(target),
    }


def _power(latents: Tensor) -> Tensor:
    return latents.double().square().mean(dim=(1, 2, 3)).clamp(min=finfo(float32).tiny)
