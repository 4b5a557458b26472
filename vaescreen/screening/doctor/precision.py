"""What half precision does to the images: whether they stay finite, and how many dB it costs."""

from vaescreen.autoencoders.contract import Autoencoder
from vaescreen.autoencoders.networks import NetworkAutoencoder
from vaescreen.screening.doctor.findings import Examination, Status
from vaescreen.screening.doctor.subject import Failure, Subject, mean_psnr, reconstruct

PRECISIONS = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}
COSTLY_DB = 0.1
"""Loss of PSNR that a published number would show, in dB."""


def check_precision(report: Examination, subject: Subject, autoencoder: Autoencoder) -> None:
    """Open the network in each precision and compare its PSNR with that in float32.

    Scores are measured in float32, so what goes wrong in half precision is a warning.
    """
    if not isinstance(autoencoder, NetworkAutoencoder):
        report.add("precision", Status.NOT_MEASURED, "its adapter chooses the precision itself")
        return
    found: dict[str, float | None] = {}
    for name, dtype in PRECISIONS.items():
        try:
            decoded = reconstruct(subject.opened(dtype=dtype), subject.images)
            found[name] = mean_psnr(subject.images, decoded)
        except Failure:
            found[name] = None
    report.measured["precision_psnr"] = found
    reference = found["fp32"]
    if reference is None:
        report.add("precision", Status.REFUSED, "fp32 is not finite", "fetch the weights again")
        return
    parts, status = [f"fp32 {reference:.2f} dB"], Status.OK
    for name in ("bf16", "fp16"):
        value = found[name]
        parts.append(f"{name} not finite" if value is None else f"{name} {value - reference:+.2f} dB")
        if value is None or value < reference - COSTLY_DB:
            status = Status.WARNING
    mend = "run it in float32" if status is Status.WARNING else None
    report.add("precision", status, ", ".join(parts), mend)
