"""Score a trained model on the test split against the true HR image, image by image."""

from collections.abc import Callable

import pandas as pd
import torch
from torch import Tensor, nn

from vaescreen.autoencoders.contract import Autoencoder
from vaescreen.errors import CandidateError, DataError
from vaescreen.images.dataset import Batch, DataSet
from vaescreen.images.noise import draw_noise, generators_of
from vaescreen.metrics.fidelity import capped_psnr, foreground_psnr
from vaescreen.metrics.structure import ssim
from vaescreen.metrics.wavelets import detail_kept
from vaescreen.superres.latents import LatentPairs, pairs_of
from vaescreen.superres.outputs import OutputsWriter
from vaescreen.superres.recipe import Recipe
from vaescreen.superres.sampling import estimator, posterior_mean, sample
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
        What is evaluated, and on what.
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
        `posterior_mean_psnr` (one step from pure noise), `sr_psnr_foreground`, `ae_ceiling`, `bicubic_psnr`, and
        `upsampled_psnr`, the autoencoder's decode of the upsampled image, where the network is told its latent;
        `sr_ssim`; `detail`, `posterior_mean_detail` and `ae_detail`, the detail that sample, posterior mean and
        reconstruction have (`detail_kept`, dB); and `sr_psnr_self`, the self-referential PSNR against the
        autoencoder's own decode, which hides the autoencoder's loss. With several samples also `samples_psnr`, the
        mean of their PSNRs, `mean_of_samples_psnr`, the PSNR of their mean, and `samples_sd`, the root mean square
        over pixels of the SD between them: perception against distortion.

    Raises
    ------
    CandidateError
        If sampling gives values that are not finite.
    DataError
        If the data set gives an image twice.
    """
    judge = _Judge(recipe, trained, autoencoder, scale, seed, samples, outputs)
    frames = []
    for batch in data.batches("test", EVALUATION_BATCH):
        frames.append(judge.table(batch))
        on_batch(len(batch.ids))
    table = pd.concat(frames, ignore_index=True)
    twice = table["image_id"][table["image_id"].duplicated()]
    if len(twice):
        raise DataError(
            f"{data.name}: image {twice.iloc[0]} is in the test split twice; results are joined by id"
        )
    return table


class _Judge:
    def __init__(
        self,
        recipe: Recipe,
        trained: Trained,
        autoencoder: Autoencoder,
        scale: Scale,
        seed: int,
        samples: int,
        outputs: OutputsWriter | None,
    ) -> None:
        self._recipe, self._trained, self._autoencoder = recipe, trained, autoencoder
        self._scale, self._seed, self._samples, self._outputs = scale, seed, samples, outputs
        self._network: nn.Module | None = None

    def table(self, batch: Batch) -> pd.DataFrame:
        """Results of a batch."""
        recipe, images = self._recipe, batch.images
        size = (images.shape[-2], images.shape[-1])
        lr = recipe.degradation.apply(images, batch.ids)
        pairs = pairs_of(self._autoencoder, images, lr, recipe)
        raw = pairs.condition.to(self._scale.target.mean.device)
        model = _Model(
            recipe, self._autoencoder, self._scale, self._fitted(pairs), raw, pairs.hr.shape[1], size
        )
        sr, mean = model.sample(batch.ids, self._seed), model.posterior_mean(batch.ids, self._seed)
        own = self._autoencoder.decode(pairs.hr, size)
        columns = {
            "sr_psnr": capped_psnr(images, sr),
            "posterior_mean_psnr": capped_psnr(images, mean),
            "detail": detail_kept(images, sr),
            "posterior_mean_detail": detail_kept(images, mean),
            "ae_detail": detail_kept(images, own),
            "sr_ssim": ssim(images, sr),
            "sr_psnr_foreground": foreground_psnr(images, sr),
            "sr_psnr_self": capped_psnr(own, sr),
            "ae_ceiling": capped_psnr(images, own),
            "bicubic_psnr": capped_psnr(images, recipe.degradation.upsample(lr, size)),
        }
        told = recipe.task.anchor(pairs.condition, pairs.hr.shape[1])
        if told is not None:
            columns["upsampled_psnr"] = capped_psnr(images, self._autoencoder.decode(told, size))
        drawn = [sr, *(model.sample(batch.ids, self._seed, number) for number in range(1, self._samples))]
        if self._samples > 1:
            columns |= _spread(images, torch.stack(drawn))
        if self._outputs:
            self._outputs.add(batch.ids, batch.patients, own, torch.stack(drawn, 1))
        ids = {"image_id": batch.ids, "patient_id": batch.patients}
        return pd.DataFrame(ids | {name: values.cpu().numpy() for name, values in columns.items()})

    def _fitted(self, pairs: LatentPairs) -> nn.Module:
        if self._network is None:
            network = fitted_network(self._recipe, pairs, self._autoencoder.geometry.factor).network
            network.load_state_dict(self._trained.weights)
            device = self._scale.target.mean.device
            self._network = network.to(device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
        return self._network


class _Model:
    """The trained model on one batch, whose raw condition is `raw`."""

    def __init__(
        self,
        recipe: Recipe,
        autoencoder: Autoencoder,
        scale: Scale,
        network: nn.Module,
        raw: Tensor,
        channels: int,
        size: tuple[int, int],
    ) -> None:
        condition = scale.condition.apply(raw)
        self._recipe, self._autoencoder, self._scale = recipe, autoencoder, scale
        self._raw, self._size = raw, size
        self._anchor = recipe.task.anchor(condition, channels)
        self._estimate = estimator(recipe, network, condition, scale.limit)
        self._like = raw[:, :1].expand(-1, channels, -1, -1)

    def sample(self, ids: tuple[str, ...], seed: int, number: int = 0) -> Tensor:
        """Draw the sample of each image of this number."""
        names = [f"{image_id}\n{number}" for image_id in ids] if number else ids
        generators = generators_of(names, seed)
        noise = draw_noise(generators, self._like)
        return self._decoded(sample(self._recipe, self._estimate, noise, self._anchor, generators))

    def posterior_mean(self, ids: tuple[str, ...], seed: int) -> Tensor:
        """Estimate each image in one step, from the noise that its first sample begins with."""
        noise = draw_noise(generators_of(ids, seed), self._like)
        return self._decoded(posterior_mean(self._recipe, self._estimate, noise, self._anchor))

    def _decoded(self, generated: Tensor) -> Tensor:
        if not torch.isfinite(generated).all():
            raise CandidateError("sampling gave values that are not finite")
        return self._autoencoder.decode(self._scale.undo(generated, self._raw), self._size).cpu()


def _spread(images: Tensor, drawn: Tensor) -> dict[str, Tensor]:
    """Perception against distortion: samples `[S, B, 1, H, W]` one by one, their mean, and how they differ."""
    each = torch.stack([capped_psnr(images, sr) for sr in drawn])
    variance = drawn.double().var(0, correction=1)
    return {
        "samples_psnr": each.mean(0),
        "mean_of_samples_psnr": capped_psnr(images, drawn.double().mean(0)),
        "samples_sd": variance.mean(dim=(1, 2, 3)).sqrt(),
    }
