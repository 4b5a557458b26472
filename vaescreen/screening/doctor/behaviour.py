"""Checks of an opened autoencoder: shapes, fidelity, sizes, repeatability, independence of the batch, latents."""

from torch import Tensor

from vaescreen.autoencoders.contract import Autoencoder
from vaescreen.screening.doctor.findings import Examination, Status
from vaescreen.screening.doctor.subject import (
    Failure,
    Subject,
    Use,
    decode,
    encode,
    mean_psnr,
    reconstruct,
    shape,
    use,
)

MARGIN_DB = 1.0
"""What counts as clearly better, in dB."""
SAME_PSNR = 60.0
"""Two decodings of one image differ only by rounding above this PSNR between them, in dB."""
REPEATABLE = 1e-5
"""Largest difference of two encodings of one image, relative to the largest latent."""
DEAD_SD = 1e-6
"""A channel varies less than this, relative to the largest: it carries nothing."""


def check_channels(report: Examination, subject: Subject, latents: Tensor, decoded: Tensor) -> bool:
    """Whether latents have the stated geometry and images their own shape; says which one would fit."""
    height, width = subject.images.shape[-2:]
    expected = subject.geometry.latent_shape(height, width)
    channels, rows, columns = latents.shape[1:]
    report.measured |= {"channels": channels, "factor": round(height / rows) if rows else None}
    if (channels, rows, columns) != expected:
        report.add(
            "channels",
            Status.REFUSED,
            f"latents of a {height}x{width} image are {shape(latents)}, where {subject.geometry} means "
            f"{'x'.join(map(str, expected))}",
            _geometry_mend(subject, channels, rows, columns),
        )
        return False
    if decoded.shape[1:] != subject.images.shape[1:]:
        report.add(
            "channels",
            Status.REFUSED,
            f"images come back as {shape(decoded)} where {shape(subject.images)} is due",
            "decode must give one gray channel, cropped to the size it is asked for",
        )
        return False
    report.add(
        "channels", Status.OK, f"latents {shape(latents)} ({subject.geometry}), images {shape(decoded)}"
    )
    return True


def check_finite(report: Examination, latents: Tensor, decoded: Tensor) -> bool:
    """Whether latents and images are finite in the stated precision."""
    for what, values in (("latents", latents), ("images", decoded)):
        broken = 1 - float(values.isfinite().float().mean())
        if broken:
            report.add(
                "finite",
                Status.REFUSED,
                f"{100 * broken:.3g} % of the values of its {what} are NaN or infinite",
                "fetch the weights again, and see that its code divides by nothing that may be zero",
            )
            return False
    report.add("finite", Status.OK, "latents and images are finite")
    return True


def check_fidelity(report: Examination, subject: Subject, decoded: Tensor) -> bool:
    """Whether images come back better than a flat gray of their own mean would be."""
    found = mean_psnr(subject.images, decoded)
    flat = mean_psnr(subject.images, flat_images(subject.images))
    report.measured |= {"psnr": found, "flat_psnr": flat}
    if found < flat + MARGIN_DB:
        report.add(
            "fidelity",
            Status.REFUSED,
            f"PSNR {found:.2f} dB, a flat gray image has {flat:.2f} dB: it does not reconstruct",
            "see that the weights are trained and are those of this configuration",
        )
        return False
    outside = float(((decoded < 0) | (decoded > 1)).float().mean())
    if outside:
        report.add(
            "fidelity",
            Status.REFUSED,
            f"{100 * outside:.3g} % of the pixels that come back are outside [0, 1]",
            "decode must clamp to [0, 1]",
        )
        return False
    report.add("fidelity", Status.OK, f"PSNR {found:.2f} dB (a flat gray image: {flat:.2f} dB)")
    return True


def check_sizes(report: Examination, subject: Subject, small: Subject, autoencoder: Autoencoder) -> None:
    """Whether sizes that the factor does not divide come back whole, and else of what they must be multiples.

    `small` has small images; only what fails on them is looked at on those of `subject`.
    """
    for tried in (small, subject):
        height, width = tried.images.shape[-2:]
        reason = _failure_at(autoencoder, tried.images[:1, :, : height - 1, : width - 1])
        if reason is None:
            report.measured["multiple"] = 1
            report.add("size multiple", Status.OK, f"any size: {height - 1}x{width - 1} comes back whole")
            return
    found = _multiple(subject, autoencoder)
    report.measured["multiple"] = found
    allowed = f"only sides that are multiples of {found} work" if found else f"only {height}x{width} works"
    stated = (
        subject.multiple % found == 0 if found else height % subject.multiple == width % subject.multiple == 0
    )
    if stated and subject.multiple > 1:
        report.add("size multiple", Status.WARNING, f"{allowed}, as its entry says")
    else:
        mend = "encode must pad images up to the multiple, and decode crop them to the size it is asked for"
        report.add("size multiple", Status.REFUSED, f"{allowed}: {reason}", mend)


def _failure_at(autoencoder: Autoencoder, images: Tensor) -> str | None:
    try:
        reconstruct(autoencoder, images)
    except Failure as failure:
        return str(failure)
    return None


def _multiple(subject: Subject, autoencoder: Autoencoder) -> int | None:
    """Smallest doubling of the factor whose odd multiples work; None if no smaller size does."""
    multiple = subject.geometry.factor
    while True:
        height, width = ((side // multiple - 1) * multiple for side in subject.images.shape[-2:])
        if min(height, width) < multiple:
            return None
        if _failure_at(autoencoder, subject.images[:1, :, :height, :width]) is None:
            return multiple
        multiple *= 2


def check_repeatability(report: Examination, subject: Subject, autoencoder: Autoencoder, usual: Use) -> None:
    """Whether an image comes back the same a second time, and alone as well as among others.

    Each image is used once more, alone, and all are encoded before any is decoded: decode may know nothing but its
    latents. Only where that differs is the batch used again, to tell chance from the batch.
    """
    size = (subject.images.shape[-2], subject.images.shape[-1])
    latents = [encode(autoencoder, image) for image in subject.images.split(1)]
    alone = Use.joined([Use(each, decode(autoencoder, each, size)) for each in latents])
    difference, between = _apart(usual, alone)
    again = None
    if difference > REPEATABLE or between < SAME_PSNR:
        again = use(autoencoder, subject.images)
    _note_determinism(report, *(_apart(usual, again) if again else (difference, between)))
    if not report.measured["deterministic"]:
        return
    report.measured["batch_psnr"] = between
    if between < SAME_PSNR:
        report.add(
            "batches",
            Status.REFUSED,
            f"an image comes back otherwise alone than in a batch (PSNR between them {between:.1f} dB)",
            "call eval() on the network, so that batch statistics play no part; decode may know its latents only",
        )
    else:
        count = len(subject.images)
        report.add("batches", Status.OK, f"an image alone and in a batch of {count} comes back the same")


def _apart(one: Use, other: Use) -> tuple[float, float]:
    """Largest difference of latents, relative to the largest latent, and PSNR in dB between the images least alike."""
    difference = (other.latents - one.latents).abs().max() / one.latents.abs().max().clamp(min=1e-30)
    pairs = zip(one.decoded.clamp(0, 1).split(1), other.decoded.split(1), strict=True)
    return float(difference), min(mean_psnr(*pair) for pair in pairs)


def _note_determinism(report: Examination, difference: float, between: float) -> None:
    report.measured["deterministic"] = difference <= REPEATABLE and between >= SAME_PSNR
    if difference > REPEATABLE:
        message = f"two encodings of the same images differ by {100 * difference:.2g} % of the largest latent"
        mend = "encode must give the posterior mean, not a sample; call eval() on the network"
        report.add("determinism", Status.REFUSED, message, mend)
    elif between < SAME_PSNR:
        message = f"two decodings of the same latents differ (PSNR between them {between:.1f} dB)"
        mend = "decode must not draw random numbers; call eval() on the network"
        report.add("determinism", Status.REFUSED, message, mend)
    else:
        report.add("determinism", Status.OK, "encoding and decoding again gives the same")


def check_latents(report: Examination, latents: Tensor) -> None:
    """Mean and SD of each latent channel; one that does not vary carries nothing."""
    work = latents.double()
    means, sds = work.mean(dim=(0, 2, 3)), work.std(dim=(0, 2, 3), correction=0)
    report.measured |= {"latent_mean": means.tolist(), "latent_sd": sds.tolist()}
    dead = int((sds <= DEAD_SD * work.abs().max()).sum())
    message = (
        f"mean {float(means.min()):.3g} to {float(means.max()):.3g}, "
        f"SD {float(sds.min()):.3g} to {float(sds.max()):.3g} by channel"
    )
    if dead:
        report.add("latents", Status.WARNING, f"{dead} of {len(sds)} channels do not vary; {message}")
    else:
        report.add("latents", Status.OK, message)


def flat_images(images: Tensor) -> Tensor:
    """Each image replaced by its mean."""
    return images.mean(dim=(1, 2, 3), keepdim=True).expand_as(images)


def _geometry_mend(subject: Subject, channels: int, rows: int, columns: int) -> str:
    height, width = subject.images.shape[-2:]
    for factor in (1, 2, 4, 8, 16, 32, 64, 128):
        if (-(-height // factor), -(-width // factor)) == (rows, columns):
            return f"write `geometry: {{channels: {channels}, factor: {factor}}}`"
    return "encode must give channels x height/factor x width/factor, with a power of two as the factor"
