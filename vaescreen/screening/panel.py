"""What takes more decoding than all test images are worth: measured on a panel of few, for every candidate the same."""

import math

from torch import Tensor, finfo, float32

from vaescreen.images.noise import noise_of
from vaescreen.metrics.fidelity import capped_psnr
from vaescreen.screening import sensitivity
from vaescreen.screening.seen import Seen

PANEL_IMAGES = 24
LEVELS = (25, 50, 75)
"""Noise levels in percent at which the denoising probe's error is measured."""


def measure_panel(seen: Seen, *, scale: int, seed: int) -> dict[str, Tensor]:
    """Measure images of one size.

    Returns
    -------
    dict of str to Tensor
        Name to `[B]`; PSNR in dB against the true image unless said otherwise.

        - `simulated_psnr`: convolutional probe's prediction plus its own residual from half an image away, which
          has the size and the shape of the uncertainty: what a *sample* of a good generative model would get,
          where the prediction itself is what the posterior mean would get.
        - `noise_lost_db`: PSNR lost with noise of RMS 0.1 on the standardised latent; `noise_gain_db` and
          `error_gain_db`: amplification of such noise, and of the probe's error scaled to the same RMS.
        - `drift_psnr`: see `vaescreen.screening.sensitivity`.
        - `denoise_r2_25` and on: share of the squared standardised target that the denoising probe explains.
    """
    probes, target = seen.probes, seen.target
    noise = noise_of(seen.batch.ids, target, seed)
    predicted = probes.convolutional.predict(seen.told)
    error = predicted - target
    half_an_image = [side // 2 // scale * scale for side in target.shape[-2:]]
    whole = seen.decode(target)
    noisy = seen.decode(target + sensitivity.of_rms(noise))
    truth = seen.batch.images
    columns = {
        "simulated_psnr": capped_psnr(
            truth, seen.decode(predicted - error.roll(half_an_image, dims=(-2, -1)))
        ),
        "noise_lost_db": capped_psnr(truth, whole) - capped_psnr(truth, noisy),
        "noise_gain_db": sensitivity.gain_db(whole, noisy),
        "error_gain_db": sensitivity.gain_db(whole, seen.decode(target + sensitivity.of_rms(error))),
        "drift_psnr": sensitivity.drift(seen.autoencoder, whole),
    }
    for percent in LEVELS:
        angle = math.pi / 2 * percent / 100
        noisy = math.cos(angle) * target + math.sin(angle) * noise
        clean = probes.denoising.denoise(noisy, seen.told, percent / 100)
        columns[f"denoise_r2_{percent}"] = 1 - _power(clean - target) / _power(target)
    return columns


def _power(latents: Tensor) -> Tensor:
    return latents.double().square().mean(dim=(1, 2, 3)).clamp(min=finfo(float32).tiny)
