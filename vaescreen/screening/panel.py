"""What takes more decoding than all test images are worth: measured on a panel of few, for every candidate the same."""

import math

import torch
from torch import Tensor

from vaescreen.images import Batch
from vaescreen.images.noise import noise_of
from vaescreen.metrics.fidelity import capped_psnr
from vaescreen.screening import sensitivity
from vaescreen.screening.guarded import GuardedAutoencoder
from vaescreen.screening.probes import Probes
from vaescreen.screening.train_sample import TrainSample, lr_patches
from vaescreen.screening.view import View

PANEL_IMAGES = 24
LEVELS = (25, 50, 75)
"""Noise levels in percent at which the denoising probe's error is measured."""


def measure_panel(
    autoencoder: GuardedAutoencoder,
    probes: Probes,
    train: TrainSample,
    view: View,
    batch: Batch,
    *,
    factor: int,
    seed: int,
) -> dict[str, Tensor]:
    """Measure images of one size.

    Returns
    -------
    dict of str to Tensor
        Name to `[B]`; PSNR in dB against the true image unless said otherwise.

        - `features_probe_psnr`: random-feature probe.
        - `neighbour_psnr`: half way from the true latent to that of the most similar train patch.
        - `simulated_psnr`: convolutional probe's prediction plus its own residual from half an image away, which
          has the size and the shape of the uncertainty: what a *sample* of a good generative model would get,
          where the prediction itself is what the posterior mean would get.
        - `pixels_to_latents_psnr`: ridge probe from LR pixels to HR latents.
        - `noise_lost_db`: PSNR lost with noise of RMS 0.1 on the standardised latent; `noise_gain_db` and
          `error_gain_db`: amplification of such noise, and of the probe's error scaled to the same RMS.
        - `drift...`, `shift_error`, `flip_error`: see `vaescreen.screening.sensitivity`.
        - `denoise_r2_25` and on: share of the squared standardised latent that the denoising probe explains.
    """
    images = batch.images
    size = (images.shape[-2], images.shape[-1])
    reduced = view.degradation.apply(images, batch.ids)
    latents = autoencoder.encode(images)
    hr, lr = probes.hr.apply(latents), probes.lr.apply(autoencoder.encode(reduced))
    grid = (hr.shape[-2], hr.shape[-1])
    noise = noise_of(batch.ids, hr, seed)
    predicted = probes.convolutional.predict(lr, grid)
    error = predicted - hr

    def decoded(standardised: Tensor) -> Tensor:
        return autoencoder.decode(probes.hr.undo(standardised), size)

    def psnr_of(standardised: Tensor) -> Tensor:
        return capped_psnr(images, decoded(standardised))

    whole = decoded(hr)
    noisy = decoded(hr + sensitivity.of_rms(noise))
    half_an_image = [side // 2 // view.degradation.scale * view.degradation.scale for side in grid]
    columns = {
        "features_probe_psnr": psnr_of(probes.random_features.predict(lr, grid)),
        "neighbour_psnr": psnr_of((probes.neighbours.predict(lr, grid) + hr) / 2),
        "simulated_psnr": psnr_of(predicted - error.roll(half_an_image, dims=(-2, -1))),
        "pixels_to_latents_psnr": psnr_of(
            probes.hr.apply(train.pixels_to_latents.predict(lr_patches(reduced, factor), grid))
        ),
        "noise_lost_db": capped_psnr(images, whole) - capped_psnr(images, noisy),
        "noise_gain_db": sensitivity.gain_db(whole, noisy),
        "error_gain_db": sensitivity.gain_db(whole, decoded(hr + sensitivity.of_rms(error))),
        **sensitivity.drift(autoencoder, whole),
        **sensitivity.equivariance(autoencoder, images, latents, probes.hr, factor=factor),
    }
    for percent in LEVELS:
        angle = math.pi / 2 * percent / 100
        noisy = math.cos(angle) * hr + math.sin(angle) * noise
        clean = probes.denoising.denoise(noisy, lr, percent / 100)
        columns[f"denoise_r2_{percent}"] = 1 - _power(clean - hr) / _power(hr)
    return columns


def _power(latents: Tensor) -> Tensor:
    return latents.double().square().mean(dim=(1, 2, 3)).clamp(min=torch.finfo(torch.float32).tiny)
