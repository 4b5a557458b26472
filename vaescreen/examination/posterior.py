"""How sure a network is of its latents: the spread of its posterior, and what a sample of it costs."""

from vaescreen.autoencoders.contract import Autoencoder
from vaescreen.autoencoders.networks import NetworkAutoencoder
from vaescreen.examination.findings import Examination, Status
from vaescreen.examination.subject import Failure, Subject, mean_psnr, reconstruct


def check_posterior(report: Examination, subject: Subject, autoencoder: Autoencoder) -> None:
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
        images = subject.images
        at_mean, sampled = (
            mean_psnr(images, reconstruct(autoencoder.run_as(settings), images))
            for settings in (
                autoencoder.settings.model_copy(update={"posterior": kind}) for kind in ("mean", "sample")
            )
        )
    except Failure as failure:
        report.add("posterior", Status.WARNING, f"a sample of it cannot be used: {failure}", "use the mean")
        return
    share = float(sd.square().mean().sqrt() / mean.std())
    report.measured |= {"posterior_sd_share": share, "sampling_psnr_gain": sampled - at_mean}
    message = (
        f"SD {share:.2g} of that of the latents, a sample in place of the mean {sampled - at_mean:+.2f} dB"
    )
    report.add("posterior", Status.OK, message)
