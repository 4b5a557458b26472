"""From a candidate to its examination."""

from collections.abc import Callable

import torch
from torch import Tensor

from vaescreen.autoencoders import open_autoencoder
from vaescreen.autoencoders.contract import Autoencoder, Geometry
from vaescreen.autoencoders.networks import NetworkAutoencoder
from vaescreen.images import DataSet
from vaescreen.registry.candidate import Candidate
from vaescreen.registry.settings import Settings
from vaescreen.screening.doctor.behaviour import (
    check_channels,
    check_fidelity,
    check_finite,
    check_latents,
    check_repeatability,
    check_sizes,
)
from vaescreen.screening.doctor.cost import SLOW_MS, check_cost, use_one_by_one
from vaescreen.screening.doctor.findings import Examination, Status
from vaescreen.screening.doctor.latent_scale import check_latent_scale
from vaescreen.screening.doctor.posterior import check_posterior
from vaescreen.screening.doctor.precision import check_precision
from vaescreen.screening.doctor.quantiser import check_quantiser
from vaescreen.screening.doctor.subject import Failure, Subject, use
from vaescreen.screening.doctor.value_range import check_value_range

IMAGES = 2


def examine_candidate(
    candidate: Candidate, data: DataSet, *, device: str = "cpu", count: int = IMAGES
) -> Examination:
    """Examine a candidate that is on this machine.

    Parameters
    ----------
    candidate
        The registry entry.
    data
        Its first `count` test images are looked at; linear codecs are fitted on its train split.
    device
        Where networks run.
    count
        Number of images, at least 2.

    Raises
    ------
    DataError
        If an image cannot be read any more. Whatever is wrong with the candidate is a finding instead.
    """

    def open_it(settings: Settings) -> Autoencoder:
        return open_autoencoder(candidate.model_copy(update={"settings": settings}), data, device)

    return examine(
        candidate.name,
        candidate.geometry,
        open_it,
        next(data.batches("test", count)).images,
        settings=candidate.settings,
        multiple=candidate.input.multiple if candidate.input else 1,
        device=device,
    )


def examine(
    name: str,
    geometry: Geometry,
    open_it: Callable[[Settings], Autoencoder],
    images: Tensor,
    *,
    settings: Settings | None = None,
    multiple: int = 1,
    device: str = "cpu",
    slow_ms: float = SLOW_MS,
) -> Examination:
    """Examine an autoencoder; whatever is wrong with it becomes a finding.

    Parameters
    ----------
    name
        What the findings call it.
    geometry
        What is stated of it.
    open_it
        Gives the autoencoder. What vaescreen's own networks are opened as heeds the settings, so their value range
        and precision are tried; any other autoencoder chooses these itself.
    images
        `[B, 1, H, W]` in [0, 1]: two or more, of at least 64 pixels a side.
    settings
        How it is stated to be run.
    multiple
        Size multiple that is stated of it: no other size is expected to work.
    device
        Where it runs.
    slow_ms
        Milliseconds an image above which its cost is a warning.
    """
    report = Examination(name)
    subject = Subject(name, geometry, open_it, settings or Settings(), multiple, images, device)
    try:
        _examine(report, subject, slow_ms)
    except Failure as failure:
        report.add("use", Status.REFUSED, str(failure))
    return report


def _examine(report: Examination, subject: Subject, slow_ms: float) -> None:
    autoencoder = subject.opened()
    if isinstance(autoencoder, NetworkAutoencoder):
        report.add("weights", Status.OK, _described(autoencoder))
    (latents, decoded), cost = use_one_by_one(subject, autoencoder)
    if not check_channels(report, subject, latents, decoded) or not check_finite(report, latents, decoded):
        return
    small = subject.reduced()
    usual = use(autoencoder, small.images)
    check_value_range(report, small, autoencoder, usual)
    check_latent_scale(report, small, autoencoder, usual)
    if not check_fidelity(report, subject, decoded):
        return
    check_repeatability(report, small, autoencoder, usual)
    one, its = small.single(), usual.single()
    check_quantiser(report, one, autoencoder, its)
    check_sizes(report, subject, small, autoencoder)
    check_latents(report, latents)
    check_posterior(report, one, autoencoder, its)
    check_precision(report, one, autoencoder, its)
    check_cost(report, subject, cost, slow_ms)
    if torch.device(subject.device).type == "cuda":
        torch.cuda.empty_cache()


def _described(autoencoder: NetworkAutoencoder) -> str:
    count = sum(parameter.numel() for parameter in autoencoder.network.parameters())
    others = (
        f"; its file holds tensors of other parts: {autoencoder.left_out}" if autoencoder.left_out else ""
    )
    return f"{autoencoder.class_name}, {count / 1e6:.3g} M parameters{others}"
