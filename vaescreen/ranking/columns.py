"""Numbers as text, and the columns of a ranked table: the same in the terminal and on the pages."""

import math
from collections.abc import Callable

from vaescreen.ranking.table import FLOOR, Row

ABSENT = "—"
EXTRAPOLATED = "*"


def number(value: float | None, digits: int = 2, signed: bool = False) -> str:
    """Format with fixed decimals; a dash for None and for what is not finite; zero has no sign."""
    if value is None or not math.isfinite(value):
        return ABSENT
    rounded = round(value, digits) + 0.0
    return f"{rounded:{'+' if signed and rounded else ''}.{digits}f}"


def interval_text(interval: tuple[float, float] | None) -> str:
    """`low to high`, two decimals."""
    return f"{number(interval[0])} to {number(interval[1])}" if interval else ABSENT


def _prediction(row: Row) -> str:
    return number(row.predicted_sr_psnr) + (f" {EXTRAPOLATED}" if row.extrapolation else "")


def _name(row: Row) -> str:
    if not row.floor:
        return row.candidate
    return f"{row.candidate} ({'floor' if row.candidate == FLOOR else 'baseline'})"


COLUMNS: dict[str, Callable[[Row], str]] = {
    "rank": lambda row: ABSENT if row.rank is None else str(row.rank),
    "candidate": _name,
    "geometry": lambda row: str(row.geometry) if row.geometry else ABSENT,
    "domain": lambda row: row.domain or ABSENT,
    "predicted SR PSNR": _prediction,
    "90 % interval": lambda row: interval_text(row.interval),
    "best": lambda row: ABSENT if row.p_best is None else f"{100 * row.p_best:.0f} %",
    "posterior mean": lambda row: number(row.predicted_posterior_mean_psnr),
    "its interval": lambda row: interval_text(row.posterior_mean_interval),
    "detail": lambda row: number(row.predicted_detail, signed=True),
    "interval of detail": lambda row: interval_text(row.detail_interval),
    "undominated": lambda row: "yes" if row.undominated else ABSENT,
    "SR PSNR": lambda row: number(row.sr_psnr),
    "AE ceiling": lambda row: number(row.ae_ceiling),
    "foreground": lambda row: number(row.ae_ceiling_foreground),
    "SSIM": lambda row: number(row.ssim, 3),
    "probe PSNR": lambda row: number(row.probe_psnr),
    "ridge probe": lambda row: number(row.ridge_probe_psnr),
    "ms / image": lambda row: number(row.ms_per_image),
    "latent values": lambda row: ABSENT if row.latent_values is None else str(row.latent_values),
    "compression": lambda row: number(row.compression),
}
