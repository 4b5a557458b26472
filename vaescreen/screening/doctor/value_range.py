"""Is the network given the range of values it was trained on? The other is tried, and must not do better."""

from dataclasses import dataclass

from torch import Tensor

from vaescreen.autoencoders.contract import Autoencoder
from vaescreen.autoencoders.networks import NetworkAutoencoder
from vaescreen.screening.doctor.behaviour import MARGIN_DB, flat_images
from vaescreen.screening.doctor.findings import Examination, Status
from vaescreen.screening.doctor.subject import Failure, Subject, mean_psnr, reconstruct

RANGES = ((-1.0, 1.0), (0.0, 1.0))


@dataclass(frozen=True)
class _Trial:
    """Another way to feed the network, what it reaches, and what would make it the stated way."""

    limits: tuple[float, float]
    psnr: float
    mend: str

    @property
    def what(self) -> str:
        return f"values in {_text(self.limits)}"


def check_value_range(report: Examination, subject: Subject, autoencoder: Autoencoder) -> None:
    """Refuse the candidate if the other range of values, [0, 1] or [-1, 1], wins by 1 dB or more.

    A network of vaescreen's own adapters is opened again with the other range. Any other autoencoder is fed
    squeezed images, (x + 1) / 2, which undoes a map to [-1, 1] that its network does not want. The opposite mistake
    cannot be seen from outside: an autoencoder clamps what it gives at black, and one that is given [0, 1] in place
    of [-1, 1] works on, at half the contrast.
    """
    known = mean_psnr(subject.images, reconstruct(autoencoder, subject.images))
    flat = mean_psnr(subject.images, flat_images(subject.images))
    if isinstance(autoencoder, NetworkAutoencoder):
        trials = _reopened(subject, autoencoder.value_range)
    else:
        trials = _squeezed(subject.images, autoencoder)
    best = max(trials, key=lambda trial: trial.psnr, default=None)
    if best is None:
        report.add("value range", Status.NOT_MEASURED, "it does not work with another range")
    elif best.psnr >= max(known, flat) + MARGIN_DB:
        report.measured["better_range"] = list(best.limits)
        message = f"PSNR {known:.2f} dB as it is, {best.psnr:.2f} dB with {best.what}"
        report.add("value range", Status.REFUSED, message, best.mend)
    else:
        others = ", ".join(f"{trial.psnr:.2f} dB with {trial.what}" for trial in trials)
        report.add("value range", Status.OK, f"PSNR {known:.2f} dB as it is, {others}")


def _reopened(subject: Subject, current: tuple[float, float]) -> list[_Trial]:
    trials = []
    for limits in RANGES:
        if limits == current:
            continue
        try:
            decoded = reconstruct(subject.opened(value_range=limits), subject.images)
        except Failure:
            continue
        mend = f"write `settings: {{value_range: {_text(limits)}}}`"
        trials.append(_Trial(limits, mean_psnr(subject.images, decoded), mend))
    return trials


def _squeezed(images: Tensor, autoencoder: Autoencoder) -> list[_Trial]:
    try:
        decoded = 2 * reconstruct(autoencoder, (images + 1) / 2) - 1
    except Failure:
        return []
    mend = "the network wants [0, 1]: do not map images to [-1, 1] before it"
    return [_Trial((0.0, 1.0), mean_psnr(images, decoded), mend)]


def _text(limits: tuple[float, float]) -> str:
    return f"[{limits[0]:.0f}, {limits[1]:.0f}]"
