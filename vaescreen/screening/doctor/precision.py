"""What half precision does to the images: whether they stay finite, and how many dB it costs."""

import torch

from vaescreen.autoencoders.contract import Autoencoder
from vaescreen.autoencoders.networks import NetworkAutoencoder
from vaescreen.screening.doctor.findings import Examination, Status
from vaescreen.screening.doctor.subject import Failure, Subject, Use, mean_psnr, reconstruct

PRECISIONS = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}
COSTLY_DB = 0.1
"""Loss of PSNR that a published number would show, in dB."""


def check_precision(report: Examination, subject: Subject, autoencoder: Autoencoder, usual: Use) -> None:
    """Run the network in each precision and compare its PSNR with that in float32.

    On a CPU half precision is imitated by rounding weights and the result of each operation: few processors have
    arithmetic of half precision, and those without take a hundred times as long. Scores are measured in float32, so
    what goes wrong in half precision is a warning.
    """
    if not isinstance(autoencoder, NetworkAutoencoder):
        report.add("precision", Status.NOT_MEASURED, "its adapter chooses the precision itself")
        return
    found = {
        name: mean_psnr(subject.images, usual.decoded)
        if dtype == autoencoder.settings.dtype
        else _psnr(subject, autoencoder, dtype)
        for name, dtype in PRECISIONS.items()
    }
    report.measured["precision_psnr"] = found
    reference = found["fp32"]
    if reference is None:
        report.add("precision", Status.REFUSED, "fp32 is not finite", "fetch the weights again")
        return
    parts, status = [], Status.OK
    for name in ("bf16", "fp16"):
        value = found[name]
        parts.append(f"not finite in {name}" if value is None else f"{value - reference:+.2f} dB in {name}")
        if value is None or value < reference - COSTLY_DB:
            status = Status.WARNING
    if _imitated(subject):
        parts.append("half precision imitated by rounding")
    mend = "run it in float32" if status is Status.WARNING else None
    report.add("precision", status, f"PSNR changes: {', '.join(parts)}", mend)


def _psnr(subject: Subject, autoencoder: NetworkAutoencoder, dtype: str) -> float | None:
    """PSNR in one precision; None if what comes back is not finite."""
    try:
        if autoencoder.settings.dtype != "float32" or not _imitated(subject):
            run = subject.opened(dtype=dtype)
        else:
            run = autoencoder.run_as(
                autoencoder.settings, None if dtype == "float32" else getattr(torch, dtype)
            )
        return mean_psnr(subject.images, reconstruct(run, subject.images))
    except Failure:
        return None


def _imitated(subject: Subject) -> bool:
    return torch.device(subject.device).type == "cpu"
