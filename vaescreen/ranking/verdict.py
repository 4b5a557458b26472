"""What a ranking says in a sentence: whether the PSNR of one sample prefers an autoencoder that keeps less detail."""

from collections.abc import Sequence

from vaescreen.ranking.columns import number
from vaescreen.ranking.table import Row

_NOTICED = 0.25
"""Difference of detail in dB that is worth a word."""


def blur_verdict(rows: Sequence[Row]) -> str | None:
    """Compare the candidate predicted best in SR PSNR with that predicted best in the posterior mean.

    The squared error of a sample is that of the posterior mean and, about it, the sample's own spread: an autoencoder
    that keeps less detail has less to spread, and gains PSNR by it.
    """
    known = [row for row in rows if None not in (row.predicted_sr_psnr, row.predicted_posterior_mean_psnr)]
    if len(known) < 2:
        return None
    sampled = max(known, key=lambda row: row.predicted_sr_psnr or 0.0)
    meant = max(known, key=lambda row: row.predicted_posterior_mean_psnr or 0.0)
    if sampled is meant:
        return f"{sampled.candidate} is predicted best both in SR PSNR of a sample and in the posterior mean."
    kept = (meant.predicted_detail or 0.0) - (sampled.predicted_detail or 0.0)
    gain = (meant.predicted_posterior_mean_psnr or 0.0) - (sampled.predicted_posterior_mean_psnr or 0.0)
    lead = (sampled.predicted_sr_psnr or 0.0) - (meant.predicted_sr_psnr or 0.0)
    if kept < _NOTICED:
        return (
            f"{sampled.candidate} is predicted best in SR PSNR of a sample, {meant.candidate} in the posterior mean "
            f"(by {number(gain)} dB); neither keeps more detail than the other."
        )
    return (
        f"The order by SR PSNR prefers blur here: {sampled.candidate} leads by {number(lead)} dB in a sample's PSNR, "
        f"but {meant.candidate} keeps {number(kept)} dB more detail and is {number(gain)} dB better in the posterior "
        "mean, the best that each allows."
    )
