"""What is measured of one autoencoder on one data set: fidelity, bicubic floor, probes, time, latents."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median

import pandas as pd
import torch
from torch import Tensor

from vaescreen.images import DataSet
from vaescreen.images.splits import sampling_order
from vaescreen.metrics import image_metrics
from vaescreen.metrics.fidelity import psnr
from vaescreen.screening.guarded import GuardedAutoencoder
from vaescreen.screening.probes import fit_probes
from vaescreen.screening.view import View

MOST_TRAIN_IMAGES = 300
HIGHEST_PSNR = 150.0
"""Values above are set to this: images are then equal up to the rounding of float32."""


@dataclass(frozen=True)
class Measurement:
    """Outcome for one autoencoder.

    Attributes
    ----------
    images : DataFrame
        A row for each test image, sorted by `image_id`: `image_id`, `patient_id`, then the metrics.
    train_images : int
        Images the probes were fitted on.
    latent_mean, latent_sd : list of float
        By channel, over the latents of those images.
    encode_ms, decode_ms : float
        Milliseconds an image: processor time on a CPU, wall time on a GPU.
    """

    images: pd.DataFrame
    train_images: int
    latent_mean: list[float]
    latent_sd: list[float]
    encode_ms: float
    decode_ms: float


def measure(
    autoencoder: GuardedAutoencoder, data: DataSet, view: View, *, seed: int, device: str
) -> Measurement:
    """Fit the probes on the train split, then stream the test split at constant memory.

    Parameters
    ----------
    autoencoder
        The candidate.
    data
        Images of the size of the view.
    view
        Decides the LR images.
    seed
        Of the choice of train images and of the convolutional probe.
    device
        Where the convolutional probe runs.

    Raises
    ------
    CandidateError
        If the autoencoder fails or gives unusable output.
    """
    _try_out(autoencoder, data)
    lr, hr = _train_latents(autoencoder, data, view, seed)
    probes = fit_probes(lr, hr, scale=view.degradation.scale, seed=seed, device=device)
    tables = []
    encode, decode = _Stopwatch(device), _Stopwatch(device)
    for batch in data.batches("test", autoencoder.batch_size):
        images, size = batch.images, (batch.images.shape[-2], batch.images.shape[-1])
        reduced = view.degradation.apply(images)
        with encode.timing(len(images)):
            latents = autoencoder.encode(images)
        with decode.timing(len(images)):
            decoded = autoencoder.decode(latents, size)
        columns = image_metrics(images, decoded)
        columns["bicubic_psnr"] = psnr(images, view.degradation.upsample(reduced, size))
        reduced_latents = autoencoder.encode(reduced)
        for name, predict in probes.items():
            predicted = predict(reduced_latents, (latents.shape[-2], latents.shape[-1]))
            columns[f"{name}_psnr"] = psnr(images, autoencoder.decode(predicted, size))
        tables.append(_table(batch.ids, batch.patients, columns))
    work = hr.double()
    return Measurement(
        images=pd.concat(tables).sort_values("image_id", ignore_index=True),
        train_images=len(hr),
        latent_mean=work.mean(dim=(0, 2, 3)).tolist(),
        latent_sd=work.std(dim=(0, 2, 3), correction=0).tolist(),
        encode_ms=encode.ms_per_image(),
        decode_ms=decode.ms_per_image(),
    )


def _try_out(autoencoder: GuardedAutoencoder, data: DataSet) -> None:
    """Decode one batch, so that unusable output is found out before probes are fitted."""
    images = next(data.batches("train", autoencoder.batch_size)).images
    autoencoder.decode(autoencoder.encode(images), (images.shape[-2], images.shape[-1]))


def _train_latents(
    autoencoder: GuardedAutoencoder, data: DataSet, view: View, seed: int
) -> tuple[Tensor, Tensor]:
    """Latents of LR and of HR train images, at most `MOST_TRAIN_IMAGES`, whole patients, sorted by id."""
    ids = data.ids("train")
    order = sampling_order(data.patients("train"), seed)
    wanted = {ids[position] for position in order[:MOST_TRAIN_IMAGES]}
    found: dict[str, tuple[Tensor, Tensor]] = {}
    for batch in data.batches("train", autoencoder.batch_size):
        chosen = [position for position, image_id in enumerate(batch.ids) if image_id in wanted]
        if chosen:
            images = batch.images[chosen]
            lr, hr = autoencoder.encode(view.degradation.apply(images)), autoencoder.encode(images)
            names = [batch.ids[position] for position in chosen]
            found.update(zip(names, zip(lr, hr, strict=True), strict=True))
        if len(found) == len(wanted):
            break
    pairs = [found[image_id] for image_id in sorted(found)]
    return torch.stack([lr for lr, _ in pairs]), torch.stack([hr for _, hr in pairs])


def _table(ids: tuple[str, ...], patients: tuple[str, ...], columns: dict[str, Tensor]) -> pd.DataFrame:
    values = {
        name: (column.clamp(max=HIGHEST_PSNR) if "psnr" in name else column).cpu().numpy()
        for name, column in columns.items()
    }
    return pd.DataFrame({"image_id": ids, "patient_id": patients, **values})


class _Stopwatch:
    """Milliseconds an image: the median over batches, without the first, which pays for warming up.

    On a CPU it is processor time, which other work on the machine does not lengthen; on a GPU it is wall time.
    """

    def __init__(self, device: str) -> None:
        self._clock = time.process_time if device == "cpu" else time.perf_counter
        self._batches: list[float] = []

    @contextmanager
    def timing(self, images: int) -> Iterator[None]:
        start = self._clock()
        yield
        self._batches.append(1000 * (self._clock() - start) / images)

    def ms_per_image(self) -> float:
        return median(self._batches[1:] or self._batches)
