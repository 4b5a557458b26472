"""How sure a network is of its latents: the spread of its posterior, and what a sample of it costs."""

from vaescreen.autoencoders.contract import Autoencoder
from vaescreen.autoencoders.networks import NetworkAutoencoder
from vaescreen.screening.doctor.findings import Examination, Status
from vaescreen.screening.doctor.subject import Failure, Subject, Use, mean_psnr, reconstruct


def check_posterior(report: Examination, subject: Subject, autoencoder: Autoencoder, usual: Use) -> None:
    """Report the SD of the posterior, as a share of the SD of the latents, and the PSNR of a sample against the mean.

    Scores use the mean; neither figure is a fault.
    """
    if not isinstance(autoencoder, NetworkAutoencoder):
        report.add("posterior", Status.NOT_MEASURED, "its adapter gives latents only")
        return
    mean, sd = autoencoder.posterior(subject.images)
    if not sd.any():
        report.add("posterior", Status.OK, "none: an image has one latent")
        return
    try:
        at_mean, sampled = (_psnr(subject, autoencoder, usual, kind) for kind in ("mean", "sample"))
    except Failure as failure:
        report.add("posterior", Status.WARNING, f"a sample of it cannot be used: {failure}", "use the mean")
        return
    share = float(sd.square().mean().sqrt() / mean.std())
    report.measured |= {"posterior_sd_share": share, "sampling_psnr_gain": sampled - at_mean}
    message = (
        f"SD {share:.2g} of that of the latents, a sample in place of the mean {sampled - at_mean:+.2f} dB"
    )
    report.add("posterior", Status.OK, message)


def _psnr(subject: Subject, autoencoder: NetworkAutoencoder, usual: Use, posterior: str) -> float:
    settings = autoencoder.settings
    if settings.posterior == posterior:
        return mean_psnr(subject.images, usual.decoded)
    other = autoencoder.run_as(settings.model_copy(update={"posterior": posterior}))
    return mean_psnr(subject.images, reconstruct(other, subject.images))
