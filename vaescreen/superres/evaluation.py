"""Score a trained model on the test split against the true HR image, image by image."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor, nn

from vaescreen.autoencoders.contract import Autoencoder
from vaescreen.errors import CandidateError, DataError
from vaescreen.images.dataset import Batch, DataSet
from vaescreen.images.noise import draw_noise, generators_of
from vaescreen.metrics.fidelity import foreground_psnr, psnr
from vaescreen.metrics.structure import ssim
from vaescreen.superres.latents import encode_pairs
from vaescreen.superres.optimisation import Weights
from vaescreen.superres.outputs import OutputsWriter
from vaescreen.superres.recipe import Recipe
from vaescreen.superres.sampling import Estimate, estimator, posterior_mean, sample
from vaescreen.superres.scaling import Scale
from vaescreen.superres.training import Trained, fitted_network

EVALUATION_BATCH = 16


def evaluate(
    recipe: Recipe,
    trained: Trained,
    autoencoder: Autoencoder,
    data: DataSet,
    scale: Scale,
    *,
    seed: int = 0,
    samples: int = 1,
    outputs: OutputsWriter | None = None,
    on_batch: Callable[[int], None] = lambda images: None,
) -> pd.DataFrame:
    """Per-image results, one row a test image.

    Parameters
    ----------
    recipe, trained, autoencoder, data
        What is evaluated, and on what; budgets whose weights are empty are left out.
    scale
        That of the training latents, on the device to sample on.
    seed
        Of the sampling noise.
    samples
        Draws of the sampler for each image, each from its own noise.
    outputs
        Takes the autoencoder's decode and the samples of each image, where they are wanted.
    on_batch
        Called with the number of images after each batch.

    Returns
    -------
    pandas.DataFrame
        `image_id`, `patient_id`, and in dB against the true image: `sr_psnr` (the first sample),
        `posterior_mean_psnr` (one step from pure noise), both also at half and a quarter of the budget
        (`..._half`, `..._quarter`), `sr_psnr_foreground`, `ae_ceiling`, `bicubic_psnr`; `sr_ssim`; and
        `sr_psnr_self`, the self-referential PSNR against the autoencoder's own decode, which hides the
        autoencoder's loss. With several samples also `samples_psnr`, the mean of their PSNRs,
        `mean_of_samples_psnr`, the PSNR of their mean, and `samples_sd`, the root mean square over pixels of the SD
        between them: perception against distortion.

    Raises
    ------
    CandidateError
        If sampling gives values that are not finite.
    DataError
        If the data set gives an image twice.
    """
    budgets = {"": trained.full, "_half": trained.half, "_quarter": trained.quarter}
    snapshots = {suffix: weights for suffix, weights in budgets.items() if weights}
    judge = _Judge(recipe, autoencoder, scale, seed, samples, outputs)
    networks: dict[str, nn.Module] = {}
    frames = []
    for batch in data.batches("test", EVALUATION_BATCH):
        frames.append(judge.table(batch, snapshots, networks))
        on_batch(len(batch.ids))
    table = pd.concat(frames, ignore_index=True)
    twice = table["image_id"][table["image_id"].duplicated()]
    if len(twice):
        raise DataError(
            f"{data.name}: image {twice.iloc[0]} is in the test split twice; results are joined by id"
        )
    return table


@dataclass(frozen=True)
class _Judge:
    recipe: Recipe
    autoencoder: Autoencoder
    scale: Scale
    seed: int
    samples: int
    outputs: OutputsWriter | None

    def table(
        self, batch: Batch, snapshots: dict[str, Weights], networks: dict[str, nn.Module]
    ) -> pd.DataFrame:
        """Results of a batch; `networks` keeps those that have been built."""
        recipe, images = self.recipe, batch.images
        size = (images.shape[-2], images.shape[-1])
        device = self.scale.hr.mean.device
        pairs = encode_pairs(self.autoencoder, images, recipe, batch.ids)
        condition = self.scale.condition.apply(pairs.condition.to(device))
        like = pairs.hr.to(device)
        columns: dict[str, Tensor] = {}
        for suffix, weights in snapshots.items():
            if suffix not in networks:
                network = fitted_network(recipe, pairs, self.autoencoder.geometry.factor).network
                network.load_state_dict(weights)
                networks[suffix] = network.to(device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
            estimate = estimator(recipe, networks[suffix], condition, self.scale.limit)
            noise, sr = self._drawn(batch.ids, like, estimate, size, 0)
            mean = self._decoded(posterior_mean(recipe, estimate, noise), size)
            columns[f"sr_psnr{suffix}"] = psnr(images, sr)
            columns[f"posterior_mean_psnr{suffix}"] = psnr(images, mean)
            if suffix:
                continue
            own = self.autoencoder.decode(pairs.hr, size)
            columns["sr_ssim"] = ssim(images, sr)
            columns["sr_psnr_foreground"] = foreground_psnr(images, sr)
            columns["sr_psnr_self"] = psnr(own, sr)
            columns["ae_ceiling"] = psnr(images, own)
            drawn = [sr] + [
                self._drawn(batch.ids, like, estimate, size, number)[1] for number in range(1, self.samples)
            ]
            if self.samples > 1:
                columns |= _spread(images, torch.stack(drawn))
            if self.outputs:
                self.outputs.add(batch.ids, batch.patients, own, torch.stack(drawn, 1))
        floor = recipe.degradation.upsample(recipe.degradation.apply(images, batch.ids), size)
        columns["bicubic_psnr"] = psnr(images, floor)
        ids = {"image_id": batch.ids, "patient_id": batch.patients}
        return pd.DataFrame(ids | {name: values.cpu().numpy() for name, values in columns.items()})

    def _drawn(
        self, ids: tuple[str, ...], like: Tensor, estimate: Estimate, size: tuple[int, int], number: int
    ) -> tuple[Tensor, Tensor]:
        """Start noise of each image's sample of this number, and the image it becomes."""
        names = [f"{image_id}\n{number}" for image_id in ids] if number else ids
        generators = generators_of(names, self.seed)
        noise = draw_noise(generators, like)
        return noise, self._decoded(sample(self.recipe, estimate, noise, generators), size)

    def _decoded(self, latents: Tensor, size: tuple[int, int]) -> Tensor:
        if not torch.isfinite(latents).all():
            raise CandidateError("sampling gave values that are not finite")
        return self.autoencoder.decode(self.scale.undo(latents), size).cpu()


def _spread(images: Tensor, drawn: Tensor) -> dict[str, Tensor]:
    """Perception against distortion: samples `[S, B, 1, H, W]` one by one, their mean, and how they differ."""
    each = torch.stack([psnr(images, sr) for sr in drawn])
    variance = drawn.double().var(0, correction=1)
    return {
        "samples_psnr": each.mean(0),
        "mean_of_samples_psnr": psnr(images, drawn.double().mean(0)),
        "samples_sd": variance.mean(dim=(1, 2, 3)).sqrt(),
    }
