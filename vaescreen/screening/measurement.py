"""What is measured of one autoencoder on one data set: fidelity, floors, probes, sensitivity, time, latents."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from vaescreen.errors import CandidateError
from vaescreen.images import Batch, DataSet
from vaescreen.images.noise import noise_of
from vaescreen.metrics import image_metrics
from vaescreen.metrics.fidelity import HIGHEST_PSNR, psnr
from vaescreen.metrics.wavelets import detail_kept
from vaescreen.screening.guarded import GuardedAutoencoder
from vaescreen.screening.information import Explained
from vaescreen.screening.latent_geometry import latent_geometry
from vaescreen.screening.panel import PANEL_IMAGES, measure_panel
from vaescreen.screening.probes import Probes, fit_probes, standardisation
from vaescreen.screening.seen import Seen
from vaescreen.screening.train_sample import central, encode_train, sample_ids
from vaescreen.screening.view import View

_TRIAL_IMAGES = 4
SAME_PSNR = 45.0
"""Two decodings of one image differ only by rounding, that of half precision included, above this PSNR in dB."""


@dataclass(frozen=True)
class Measurement:
    """Outcome for one autoencoder.

    Attributes
    ----------
    images : DataFrame
        A row for each test image, sorted by `image_id`: `image_id`, `patient_id`, then the metrics.
    panel : dict
        Means over the panel, and what is of the latents as a whole.
    train_images, panel_images : int
        Images the probes were fitted on, and images of the panel.
    latent_mean, latent_sd, ridge_r2 : list of float
        By channel, the first two over the latents of the train images.
    encode_ms, decode_ms : float
        Milliseconds an image: processor time on a CPU, wall time on a GPU.
    """

    images: pd.DataFrame
    panel: dict[str, float]
    train_images: int
    panel_images: int
    latent_mean: list[float]
    latent_sd: list[float]
    ridge_r2: list[float]
    encode_ms: float
    decode_ms: float


def measure(
    autoencoder: GuardedAutoencoder, data: DataSet, view: View, *, factor: int, seed: int, device: str
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
    factor
        Spatial factor of the autoencoder.
    seed
        Of the choice of images, of the probes and of noise.
    device
        Where the networks of the probes run.

    Raises
    ------
    CandidateError
        If the autoencoder fails or gives unusable output.
    """
    trial = _Trial(autoencoder, data, view)
    train = encode_train(autoencoder, data, view, seed=seed)
    scale = view.degradation.scale
    probes = fit_probes(train.told, train.target, scale=scale, factor=factor, seed=seed, device=device)
    stream = _Stream(autoencoder, probes, view, seed, device)
    chosen = sample_ids(data, "test", PANEL_IMAGES, seed)
    rows, panel = _Rows(len(data.ids("test"))), _Rows(len(chosen))
    for batch in view.batches(data, "test", autoencoder.batch_size):
        seen, columns = stream.measure(batch)
        rows.add(batch, columns)
        few = seen.only(chosen)
        if few is not None:
            panel.add(few.batch, measure_panel(few, scale=scale, seed=seed))
    trial.repeat()
    cells = torch.cat([latents.flatten(1) for latents in train.hr], dim=1).double()
    geometry = latent_geometry(standardisation(train.hr).apply(central(train.hr)))
    return Measurement(
        images=rows.table(),
        panel=_means(panel.table()) | stream.explained() | geometry,
        train_images=len(train.hr),
        panel_images=len(chosen),
        latent_mean=cells.mean(dim=1).tolist(),
        latent_sd=cells.std(dim=1, correction=0).tolist(),
        ridge_r2=stream.ridge.by_channel(),
        encode_ms=stream.encode.ms_per_image(),
        decode_ms=stream.decode.ms_per_image(),
    )


class _Stream:
    """Everything that is measured of every test image."""

    def __init__(
        self,
        autoencoder: GuardedAutoencoder,
        probes: Probes,
        view: View,
        seed: int,
        device: str,
    ) -> None:
        self._autoencoder, self._probes, self._view = autoencoder, probes, view
        self._seed = seed
        self.encode, self.decode = _Stopwatch(device), _Stopwatch(device)
        self.ridge, self._conv = Explained(), Explained()

    def measure(self, batch: Batch) -> tuple[Seen, dict[str, Tensor]]:
        images, size = batch.images, (batch.images.shape[-2], batch.images.shape[-1])
        with self.encode.timing(len(images)):
            latents = self._autoencoder.encode(images)
        with self.decode.timing(len(images)):
            decoded = self._autoencoder.decode(latents, size)
        degradation = self._view.degradation
        reduced = degradation.apply(images, batch.ids)
        condition = self._view.conditioning.told(self._autoencoder, reduced, size, degradation)
        seen = Seen(batch, self._autoencoder, self._probes, self._view, latents, condition)
        further = {
            "ae_detail": detail_kept(images, decoded),
            "bicubic_psnr": psnr(images, degradation.upsample(reduced, size)),
        }
        return seen, image_metrics(images, decoded) | further | self._probed(seen)

    def explained(self) -> dict[str, float]:
        """Shares explained of the targets of all images so far."""
        return {"ridge_r2": self.ridge.share(), "conv_r2": self._conv.share()}

    def _probed(self, seen: Seen) -> dict[str, Tensor]:
        """What probes predict, decoded: fidelity and detail; how far samples spread about their mean."""
        probes, images, told = self._probes, seen.batch.images, seen.told
        noise = noise_of(seen.batch.ids, seen.target, self._seed)
        ridge, conv = probes.ridge.predict(told), probes.convolutional.predict(told)
        self.ridge.add(ridge, seen.target)
        self._conv.add(conv, seen.target)
        mean, sample = (
            seen.decode(generated)
            for generated in (
                probes.denoising.denoise(noise, told, 1.0),
                probes.denoising.sample(told, noise),
            )
        )
        regressed = seen.decode(conv)
        anchor = self._view.conditioning.anchor(seen.condition, seen.latents.shape[1])
        upsampled = {} if anchor is None else {"upsampled_psnr": self._autoencoder.decode(anchor, seen.size)}
        return {name: psnr(images, decoded) for name, decoded in upsampled.items()} | {
            "ridge_probe_psnr": psnr(images, seen.decode(ridge)),
            "conv_probe_psnr": psnr(images, regressed),
            "denoise_mean_psnr": psnr(images, mean),
            "denoise_sample_psnr": psnr(images, sample),
            "spread_psnr": psnr(mean, sample),
            "conv_probe_detail": detail_kept(images, regressed),
            "denoise_sample_detail": detail_kept(images, sample),
        }


class _Trial:
    """A few images decoded, so that unusable output is found out before probes are fitted.

    Two of them are decoded alone as well, in the other order, and again when all is measured: what becomes of
    an image may depend neither on those beside it nor on those before it.

    Raises
    ------
    CandidateError
        If it does.
    """

    def __init__(self, autoencoder: GuardedAutoencoder, data: DataSet, view: View) -> None:
        images = next(view.batches(data, "train", min(autoencoder.batch_size, _TRIAL_IMAGES))).images
        self._autoencoder, self._images = autoencoder, images[:2]
        self._first = self._decoded(images)[:2]
        alone = torch.cat([self._decoded(image[None]) for image in self._images.flip(0)]).flip(0)
        self._compare(
            alone,
            "alone than in a batch",
            "call eval() on the network, so that batch statistics play no part",
        )

    def repeat(self) -> None:
        """Decode the images again, after all others."""
        self._compare(
            self._decoded(self._images), "after other images than before them", "let it keep no state"
        )

    def _decoded(self, images: Tensor) -> Tensor:
        return self._autoencoder.decode(
            self._autoencoder.encode(images), (images.shape[-2], images.shape[-1])
        )

    def _compare(self, decoded: Tensor, how: str, mend: str) -> None:
        between = float(psnr(self._first, decoded).min())
        if between < SAME_PSNR:
            raise CandidateError(
                f"{self._autoencoder.name}: an image comes back otherwise {how} (PSNR between them {between:.1f} dB); "
                f"{mend}"
            )


class _Rows:
    """A table filled batch by batch, each column in one piece: pieces would scatter over the memory."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._ids: list[str] = []
        self._patients: list[str] = []
        self._columns: dict[str, NDArray[Any]] = {}

    def add(self, batch: Batch, columns: dict[str, Tensor]) -> None:
        start = len(self._ids)
        self._ids += batch.ids
        self._patients += batch.patients
        for name, column in columns.items():
            values = (column.clamp(max=HIGHEST_PSNR) if "psnr" in name else column).cpu().numpy()
            whole = self._columns.setdefault(name, np.full(self._most, np.nan, values.dtype))
            whole[start : start + len(values)] = values

    def table(self) -> pd.DataFrame:
        """A row for each image, sorted by `image_id`."""
        values = {name: column[: len(self._ids)] for name, column in self._columns.items()}
        table = pd.DataFrame({"image_id": self._ids, "patient_id": self._patients, **values})
        return table.sort_values("image_id", ignore_index=True)


def _means(table: pd.DataFrame) -> dict[str, float]:
    """Means over images, in the order of their ids: sums of floating-point numbers depend on it."""
    values = table.drop(columns=["image_id", "patient_id"])
    return {str(name): float(mean) for name, mean in values.mean().items()}


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
