"""Does decode take what encode gives? A scale that only one of them applies is found by trying it."""

from vaescreen.autoencoders.contract import Autoencoder
from vaescreen.screening.doctor.behaviour import MARGIN_DB
from vaescreen.screening.doctor.findings import Examination, Status
from vaescreen.screening.doctor.subject import Failure, Subject, Use, decode, mean_psnr

SCALES = {
    "Stable Diffusion": (0.18215, 0.0),
    "SDXL": (0.13025, 0.0),
    "SD 3": (1.5305, 0.0609),
    "FLUX.1": (0.3611, 0.1159),
    "Sana": (0.41407, 0.0),
}
"""Scale s and shift m of the latents (z - m) * s that families of generative models take."""


def check_latent_scale(report: Examination, subject: Subject, autoencoder: Autoencoder, usual: Use) -> None:
    """Refuse a candidate whose images come back 1 dB better when a published scale is undone, or applied, between.

    Two decodings tell whether there is anything to look for: with latents halved and doubled.
    """
    images = subject.images
    size = (images.shape[-2], images.shape[-1])

    def reached(scale: float, shift: float) -> float:
        try:
            return mean_psnr(images, decode(autoencoder, usual.latents * scale + shift, size))
        except Failure:
            return float("-inf")

    known = mean_psnr(images, usual.decoded)
    if max(reached(0.5, 0.0), reached(2.0, 0.0)) < known - MARGIN_DB / 2:
        report.add("latent scale", Status.OK, "decode takes latents as encode gives them")
        return
    trials = {f"undoing the scale {s:g} of {family}": (1 / s, m) for family, (s, m) in SCALES.items()}
    trials |= {f"the scale {s:g} of {family}": (s, -m * s) for family, (s, m) in SCALES.items()}
    found = {what: reached(*trial) for what, trial in trials.items()}
    best = max(found, key=found.__getitem__)
    if found[best] >= known + MARGIN_DB:
        message = f"PSNR changes by {found[best] - known:+.2f} dB after {best} between encode and decode"
        mend = "let encode and decode of the factory's network both apply the scale, or neither"
        report.add("latent scale", Status.REFUSED, message, mend)
    else:
        report.add("latent scale", Status.OK, "no published scale between encode and decode does better")
