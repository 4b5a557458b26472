"""Is a vector-quantised network run with its quantiser? Its own forward is the judge."""

import re

import torch
from torch import Tensor

from vaescreen.autoencoders.contract import Autoencoder
from vaescreen.autoencoders.networks import NetworkAutoencoder
from vaescreen.autoencoders.outputs import images_of
from vaescreen.screening.doctor.behaviour import SAME_PSNR
from vaescreen.screening.doctor.findings import Examination, Status
from vaescreen.screening.doctor.subject import Subject, Use, mean_psnr

_QUANTISER = re.compile(r"quanti[sz]|codebook|code_book|^vq|_vq", re.IGNORECASE)


def check_quantiser(report: Examination, subject: Subject, autoencoder: Autoencoder, usual: Use) -> None:
    """Compare encode followed by decode with the network's own forward, where the network has a quantiser."""
    if not isinstance(autoencoder, NetworkAutoencoder) or not _has_quantiser(autoencoder.network):
        return
    images = subject.images
    own = _forward(autoencoder, images)
    if own is None:
        report.add("quantiser", Status.NOT_MEASURED, "its forward gives no images to compare with")
        return
    between = mean_psnr(own, usual.decoded)
    if between >= SAME_PSNR:
        report.add("quantiser", Status.OK, "encode followed by decode gives what its own forward gives")
        return
    message = (
        f"encode followed by decode gives {mean_psnr(images, usual.decoded):.2f} dB, its own forward "
        f"{mean_psnr(images, own):.2f} dB (PSNR between them {between:.1f} dB): the quantiser is left out of one"
    )
    mend = "let encode or decode of the factory's network quantise as its forward does"
    report.add("quantiser", Status.WARNING, message, None if autoencoder.settings.changed() else mend)


def _has_quantiser(network: torch.nn.Module) -> bool:
    return any(
        _QUANTISER.search(name.rpartition(".")[2]) or _QUANTISER.search(type(module).__name__)
        for name, module in network.named_modules()
        if module is not network
    )


def _forward(autoencoder: NetworkAutoencoder, images: Tensor) -> Tensor | None:
    """Images in [0, 1] by the network's own forward; None if it takes or gives something else."""
    levels = autoencoder.levels
    try:
        with torch.no_grad():
            given = autoencoder.network(levels.apply(images.to(autoencoder.device)))
        own = levels.undo(images_of(given, "").float()).clamp(0, 1).to(images.device)
    except Exception:  # forward is no part of the contract, and may want anything
        return None
    return own if own.shape == images.shape and bool(own.isfinite().all()) else None
