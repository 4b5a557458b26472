"""Score a trained model on the test split against the true HR image, image by image."""

from collections.abc import Callable

import pandas as pd
import torch
from torch import Tensor, nn

from vaescreen.autoencoders.contract import Autoencoder
from vaescreen.autoencoders.standardisation import Standardisation
from vaescreen.errors import CandidateError
from vaescreen.images.dataset import Batch, DataSet
from vaescreen.images.noise import noise_of
from vaescreen.metrics.fidelity import foreground_psnr, psnr
from vaescreen.metrics.structure import ssim
from vaescreen.superres.diffusion import build_network, posterior_mean, sample
from vaescreen.superres.latents import encode_pairs
from vaescreen.superres.recipes import Recipe
from vaescreen.superres.training import Trained, Weights

EVALUATION_BATCH = 16


def evaluate(
    recipe: Recipe,
    trained: Trained,
    autoencoder: Autoencoder,
    data: DataSet,
    scale: Standardisation,
    *,
    seed: int = 0,
    on_batch: Callable[[int], None] = lambda images: None,
) -> pd.DataFrame:
    """Per-image results, one row a test image.

    Returns
    -------
    pandas.DataFrame
        `image_id`, `patient_id`, and in dB against the true image: `sr_psnr` (the recipe's sampler),
        `posterior_mean_psnr` (one step from pure noise), both also at half the budget (`..._half`),
        `sr_psnr_foreground`, `ae_ceiling`, `bicubic_psnr`; `sr_ssim`; and `sr_psnr_self`, the self-referential
        PSNR against the autoencoder's own decode, which hides the autoencoder's loss.

    Raises
    ------
    CandidateError
        If sampling gives values that are not finite.
    """
    networks = {
        "": _network(recipe, trained.full, autoencoder),
        "_half": _network(recipe, trained.half, autoencoder),
    }
    frames = []
    for batch in data.batches("test", EVALUATION_BATCH):
        frames.append(_evaluate_batch(recipe, networks, autoencoder, batch, scale, seed))
        on_batch(len(batch.ids))
    return pd.concat(frames, ignore_index=True)


def _network(recipe: Recipe, weights: Weights, autoencoder: Autoencoder) -> nn.Module:
    network = build_network(recipe, autoencoder.geometry.channels)
    network.load_state_dict(weights)
    device = next(iter(weights.values())).device
    return network.to(device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload,no-any-return]


def _evaluate_batch(
    recipe: Recipe,
    networks: dict[str, nn.Module],
    autoencoder: Autoencoder,
    batch: Batch,
    scale: Standardisation,
    seed: int,
) -> pd.DataFrame:
    device = scale.mean.device
    images = batch.images
    size = (images.shape[-2], images.shape[-1])
    pairs = encode_pairs(autoencoder, images, recipe.degradation)
    condition = scale.apply(pairs.condition.to(device))
    noise = noise_of(batch.ids, condition, seed)

    def decoded(latents: Tensor) -> Tensor:
        if not torch.isfinite(latents).all():
            raise CandidateError("sampling gave values that are not finite")
        return autoencoder.decode(scale.undo(latents).to(images.device), size)

    columns: dict[str, Tensor] = {}
    for suffix, network in networks.items():
        sr = decoded(sample(recipe, network, condition, noise))
        columns[f"sr_psnr{suffix}"] = psnr(images, sr)
        mean = decoded(posterior_mean(recipe, network, condition, noise))
        columns[f"posterior_mean_psnr{suffix}"] = psnr(images, mean)
        if not suffix:
            own = autoencoder.decode(pairs.hr, size)
            columns["sr_ssim"] = ssim(images, sr)
            columns["sr_psnr_foreground"] = foreground_psnr(images, sr)
            columns["sr_psnr_self"] = psnr(own, sr)
            columns["ae_ceiling"] = psnr(images, own)
    floor = recipe.degradation.upsample(recipe.degradation.apply(images), size)
    columns["bicubic_psnr"] = psnr(images, floor)
    ids = {"image_id": batch.ids, "patient_id": batch.patients}
    return pd.DataFrame(ids | {name: values.cpu().numpy() for name, values in columns.items()})
