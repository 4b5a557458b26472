"""What a ranking says in a few sentences: what to choose, how sure that is, what less costs, and what to do next."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from vaescreen.predictor.suggestion import Suggestion
from vaescreen.ranking.columns import interval_text, number
from vaescreen.ranking.table import FLOOR, TARGET_NAMES, Row

_NOTICED = 0.25
"""Difference of detail in dB that is worth a word."""
_ROOM = 1.0
"""Difference of what is left below the reconstruction limit, in dB, that is worth a word."""
_NAMED = 3
_LESS = "Less for less: "
_SMALLER = 0.75
"""Share of the best candidate's latent values up to which another is called smaller."""
_FASTER = 0.5
"""Share of the best candidate's time below which another is called faster."""


@dataclass(frozen=True)
class Verdict:
    """The first of the ranking, None if nothing can be ranked, and what that is worth, in at most five lines.

    `faster` names a candidate that takes less time, which another run may measure otherwise; `lines` do not say it.
    """

    choice: str | None
    lines: tuple[str, ...]
    faster: Annotated[str | None, Field(exclude=True)] = None

    @property
    def told(self) -> tuple[str, ...]:
        """The lines, with the faster candidate beside the smaller one."""
        if self.faster is None:
            return self.lines
        smaller = next((line for line in self.lines if line.startswith(_LESS)), None)
        if smaller is None:
            return (*self.lines[:1], f"{_LESS}{self.faster}.", *self.lines[1:])
        together = f"{smaller.removesuffix('.')}; {self.faster}."
        return tuple(together if line is smaller else line for line in self.lines)


def verdict_of(
    rows: Sequence[Row],
    by: str,
    *,
    tolerance: float | None = None,
    suggestion: Suggestion | None = None,
    options: str = "--data DATA",
    doubtful: bool = False,
    failed: Sequence[str] = (),
) -> Verdict:
    """Say in words what rows say in numbers.

    Parameters
    ----------
    rows
        Ranked, the best first, baselines among them.
    by
        The target that ranks.
    tolerance
        Difference of two predictions, in dB, that their errors alone exceed in one of ten pairs: half the width of the
        interval of a difference.
    suggestion
        The training that would narrow the ranking most.
    options
        What a command must be told to go on: the images, and recipe and registry where these are not the usual ones.
    doubtful
        Whether the images are unlike those of the reference points.
    failed
        Candidates that are not ranked because they failed.
    """
    ranked = [row for row in rows if row.rank is not None]
    if not ranked:
        return Verdict(None, ())
    best = ranked[0]
    floor = next((row.sr_psnr for row in rows if row.candidate == FLOOR), None)
    lines, faster = [], None
    if best.predicted_sr_psnr is not None:
        small = _smaller(best, ranked)
        if small:
            lines.append(
                f"{_LESS}{small.candidate} has {small.latent_values} latent values instead of {best.latent_values} and "
                f"costs {_cost(best, small, by, tolerance)}."
            )
        faster = _faster(best, ranked, small, by, tolerance)
        lines.extend(_bicubic(ranked, floor, "sr_psnr" if by == "detail" else by))
        lines.extend(filter(None, [blur_verdict(ranked)]))
    if suggestion is not None and suggestion.narrowing > 0:
        lines.append(
            f"Next: `vaescreen reference train {suggestion.candidate} {options}` would narrow the differences "
            f"that are predicted here by {suggestion.narrowing:.0f} %."
        )
    first = " ".join((_choice(best, ranked, by, floor), *_caveats(best, doubtful, failed)))
    return Verdict(best.candidate, (first, *lines), faster)


def _choice(best: Row, ranked: Sequence[Row], by: str, floor: float | None) -> str:
    name = best.candidate
    if best.predicted_sr_psnr is None:
        found, sure = f"{number(best.probe_psnr)} dB by the convolutional probe", ""
    else:
        value, interval = value_of(best, by)
        found = f"{TARGET_NAMES[by]} {number(value)} dB predicted ({interval_text(interval)})"
        sure = "" if best.p_best is None else f", first with a probability of {100 * best.p_best:.0f} %"
    alike = [row.candidate for row in ranked if row.rank == best.rank and row is not best]
    if len(ranked) == 1:
        return f"{name}: {found}. It is the only one ranked, so there is nothing to choose from."
    if floor is not None and by != "detail" and best.predicted_sr_psnr is not None and _beaten(floor, ranked):
        return f"{name} is first, but below bicubic upsampling: {found}{sure}."
    if len(alike) == len(ranked) - 1:
        return f"Any of the {len(ranked)} will do, none can be told apart: {name} has {found}{sure}."
    tied = f" It cannot be told apart from {_listed(alike)}." if alike else ""
    return f"Choose {name}: {found}{sure}.{tied}"


def _caveats(best: Row, doubtful: bool, failed: Sequence[str]) -> Iterator[str]:
    if doubtful or best.extrapolation:
        unlike = "these images are" if doubtful else "its score card is"
        yield f"Doubtful: {unlike} unlike those of the reference points."
    if failed:
        yield f"Not ranked, for {'they' if len(failed) > 1 else 'it'} failed: {_listed(failed)}."


def _smaller(best: Row, ranked: Sequence[Row]) -> Row | None:
    """Of the candidates with smaller latents the one that loses least."""
    limit = _SMALLER * (best.latent_values or 0)
    smaller = (row for row in ranked if (row.latent_values or math.inf) <= limit)
    return next(smaller, None)


def _faster(
    best: Row, ranked: Sequence[Row], small: Row | None, by: str, tolerance: float | None
) -> str | None:
    """Of the faster candidates the one that loses least, in words, unless it is the smaller one already."""
    limit = _FASTER * (best.ms_per_image or 0)
    quick = next((row for row in ranked if (row.ms_per_image or math.inf) < limit), None)
    if quick is None or quick is small:
        return None
    return (
        f"{quick.candidate} takes {number(quick.ms_per_image, 1)} ms an image instead of "
        f"{number(best.ms_per_image, 1)} and costs {_cost(best, quick, by, tolerance)}"
    )


def _cost(best: Row, other: Row, by: str, tolerance: float | None) -> str:
    lost = (value_of(best, by)[0] or 0.0) - (value_of(other, by)[0] or 0.0)
    if by == "detail":
        return f"{number(abs(lost))} dB of detail"
    doubt = "" if tolerance is None else f" ({interval_text((lost - tolerance, lost + tolerance))})"
    return f"{number(lost)} dB{doubt}"


def _beaten(floor: float, ranked: Sequence[Row]) -> bool:
    """Whether no candidate is predicted above interpolation, neither in a sample nor in the one-step output."""
    return not any(_above(floor, ranked, target)[1] for target in ("sr_psnr", "posterior_mean_psnr"))


def _bicubic(ranked: Sequence[Row], floor: float | None, by: str) -> Iterator[str]:
    """How many candidates are predicted above interpolation, and what it means if none is."""
    if floor is None:
        return
    best, above = _above(floor, ranked, by)
    are = "is" if above == 1 else "are"
    said = f"Bicubic upsampling reaches {number(floor)} dB: {above} of {len(ranked)} {are} predicted above it"
    if _beaten(floor, ranked):
        yield (
            f"{said}, in a sample's PSNR or that of the one-step output: by PSNR nothing here beats interpolation. "
            "Super-resolve in pixels, or adapt an autoencoder first (`vaescreen adapt`)."
        )
    elif above:
        yield f"{said}, {best.candidate} by {number((value_of(best, by)[0] or 0.0) - floor)} dB."
    else:
        best, above = _above(floor, ranked, "posterior_mean_psnr")
        gain = (best.predicted_posterior_mean_psnr or 0.0) - floor
        yield (
            f"{said} in a sample's PSNR but {above} in that of the one-step output, {best.candidate} by "
            f"{number(gain)} dB: samples pay in PSNR for the detail that they add."
        )


def _above(floor: float, ranked: Sequence[Row], by: str) -> tuple[Row, int]:
    """The row with the highest prediction of a target, and how many rows are predicted above the floor."""
    values = [value_of(row, by)[0] or -math.inf for row in ranked]
    return ranked[values.index(max(values))], sum(value > floor for value in values)


def blur_verdict(rows: Sequence[Row]) -> str | None:
    """Compare the candidate predicted best in SR PSNR with that predicted best in the posterior mean.

    The squared error of a sample is that of the posterior mean and, about it, the sample's own spread: an autoencoder
    that keeps less detail has less to spread, and gains PSNR by it. None without two predictions.
    """
    known = [row for row in rows if None not in (row.predicted_sr_psnr, row.predicted_posterior_mean_psnr)]
    if len(known) < 2:
        return None
    sampled = max(known, key=lambda row: row.predicted_sr_psnr or -math.inf)
    meant = max(known, key=lambda row: row.predicted_posterior_mean_psnr or -math.inf)
    if sampled is meant:
        return f"{sampled.candidate} is predicted best both in a sample's SR PSNR and in the one-step output."
    kept = (meant.predicted_detail or 0.0) - (sampled.predicted_detail or 0.0)
    gain = (meant.predicted_posterior_mean_psnr or 0.0) - (sampled.predicted_posterior_mean_psnr or 0.0)
    lead = (sampled.predicted_sr_psnr or 0.0) - (meant.predicted_sr_psnr or 0.0)
    if kept < _NOTICED:
        return (
            f"{sampled.candidate} is predicted best in SR PSNR of a sample, {meant.candidate} in the one-step output "
            f"(by {number(gain)} dB); neither keeps more detail than the other."
        )
    return (
        f"The order by SR PSNR prefers blur here: {sampled.candidate} leads by {number(lead)} dB in a sample's PSNR, "
        f"but {meant.candidate} keeps {number(kept)} dB more detail and is {number(gain)} dB better in the one-step "
        f"output, the best that each allows.{_longer(sampled, meant)}"
    )


def _longer(sampled: Row, meant: Row) -> str:
    """Who gains by more training than the recipe's: of seven trained with 16 times it, those with the most room did.

    docs/evidence.md has them: what the AE ceiling leaves above the one-step output goes with the gain.
    """
    left = [
        row.ae_ceiling - row.predicted_posterior_mean_psnr
        for row in (sampled, meant)
        if row.ae_ceiling is not None and row.predicted_posterior_mean_psnr is not None
    ]
    if len(left) < 2 or left[1] - left[0] < _ROOM:
        return ""
    return (
        f" Longer training favours {meant.candidate}: its reconstruction leaves {number(left[1])} dB of room above "
        f"that output, {sampled.candidate}'s {number(left[0])} dB."
    )


def value_of(row: Row, by: str) -> tuple[float | None, tuple[float, float] | None]:
    """Prediction of a target for a row, and its interval."""
    return {
        "sr_psnr": (row.predicted_sr_psnr, row.interval),
        "posterior_mean_psnr": (row.predicted_posterior_mean_psnr, row.posterior_mean_interval),
        "detail": (row.predicted_detail, row.detail_interval),
    }[by]


def _listed(names: Sequence[str]) -> str:
    rest = len(names) - _NAMED
    if rest > 1:
        return f"{', '.join(names[:_NAMED])} and {rest} more"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
