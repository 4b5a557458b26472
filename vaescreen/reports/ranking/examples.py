"""Which test images a report shows, by rule, and what each candidate makes of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor

from vaescreen.autoencoders import open_autoencoder
from vaescreen.errors import CandidateError
from vaescreen.execution.device import Device, choose_device
from vaescreen.images import DataSet, OnImages
from vaescreen.images.degradation import Degradation
from vaescreen.images.scanning import ignore
from vaescreen.metrics.fidelity import psnr
from vaescreen.metrics.spectrum import Spectrum, spectrum
from vaescreen.ranking.table import FLOOR
from vaescreen.registry.catalogue import Registry
from vaescreen.screening.guarded import GuardedAutoencoder

SHOWN = 6
_JUDGES = 10
"""Best-ranked candidates whose scores choose: a hopeless one would choose by its own whims."""


@dataclass(frozen=True)
class Chosen:
    """A test image and why it is shown."""

    image_id: str
    why: str


@dataclass
class Examples:
    """Images `[N, 1, H, W]` in [0, 1], their reduced versions, and what became of them.

    Attributes
    ----------
    chosen
        Which images, and why.
    hr, lr
        The true images, and what the degradation leaves of them.
    made
        By candidate, what it reconstructs; bicubic upsampling of the reduced images beside them.
    failed
        Candidates without reconstructions, and why.
    """

    chosen: Sequence[Chosen]
    hr: Tensor
    lr: Tensor
    made: dict[str, Tensor] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def spectra(self) -> dict[str, Spectrum]:
        """Spectra of image, reconstruction and error by candidate."""
        return {name: spectrum(self.hr, made) for name, made in self.made.items()}

    def psnr(self, name: str) -> list[float]:
        """PSNR in dB of a candidate's reconstruction of each image."""
        return [float(value) for value in psnr(self.hr, self.made[name])]


def choose(tables: Mapping[str, pd.DataFrame], ranked: Sequence[str]) -> list[Chosen]:
    """Choose the hardest image, the median one, and those on which candidates differ most from their usual order.

    The first two are by mean PSNR of the reconstructions of the ten best candidates. How much an image tells
    candidates apart is the standard deviation of what is left of their PSNRs when the means of candidate and image
    are taken off. No patient is shown twice if there are enough of them.

    Parameters
    ----------
    tables
        Per-image values by candidate, with `image_id`, `patient_id` and `psnr`.
    ranked
        Candidates, best first.
    """
    judges = [name for name in ranked if name in tables][:_JUDGES]
    values = pd.DataFrame({name: tables[name].set_index("image_id")["psnr"] for name in judges}).dropna()
    patients = tables[judges[0]].set_index("image_id")["patient_id"]
    means = values.mean(axis=1)
    by_mean = list(means.sort_values(kind="stable").index)
    left = values.sub(means, axis=0) - (values.mean() - values.to_numpy().mean())
    telling = list((-left.std(axis=1, ddof=0)).sort_values(kind="stable").index)
    middle = len(by_mean) // 2
    chosen: dict[str, str] = {}
    for image_id, why in (
        (by_mean[0], "hardest to reconstruct"),
        (by_mean[middle], "median difficulty"),
    ):
        chosen.setdefault(image_id, why)
    seen = {patients[image_id] for image_id in chosen}
    others = [image_id for image_id in telling if image_id not in chosen]
    fresh: list[str] = []
    for image_id in others:
        if patients[image_id] not in seen:
            fresh.append(image_id)
            seen.add(patients[image_id])
    order = [*fresh, *(image_id for image_id in others if image_id not in fresh)]
    chosen |= dict.fromkeys(order[: SHOWN - len(chosen)], "tells candidates apart")
    return [Chosen(str(image_id), why) for image_id, why in chosen.items()]


def reconstruct(
    chosen: Sequence[Chosen],
    ranked: Sequence[str],
    data: DataSet,
    degradation: Degradation,
    *,
    registry: Path | None = None,
    device: Device = "auto",
    on_images: OnImages = ignore,
) -> Examples:
    """Send the chosen images through every candidate.

    Parameters
    ----------
    chosen
        Of the test split.
    ranked
        Candidates, in the order in which they are opened.
    data
        Images of one size.
    degradation
        Makes the reduced versions.
    registry
        Registry file that is laid over the others.
    device
        "auto" takes a GPU if there is one.
    on_images
        Told how many candidates are done.
    """
    known, place = Registry.load(registry), choose_device(device)
    ids = [each.image_id for each in chosen]
    hr = torch.cat([batch.images for batch in data.batches("test", 1, only=ids)])
    size = (hr.shape[-2], hr.shape[-1])
    lr = degradation.apply(hr, ids)
    examples = Examples(chosen, hr, lr, {FLOOR: degradation.upsample(lr, size)})
    for done, name in enumerate(ranked):
        on_images("drawing reconstructions", done, len(ranked))
        try:
            opened = GuardedAutoencoder(open_autoencoder(known.candidate(name), data, place), name, 1)
            examples.made[name] = torch.cat(
                [opened.decode(opened.encode(each[None]), size) for each in hr]
            ).cpu()
        except CandidateError as error:
            examples.failed[name] = str(error)
    return examples
