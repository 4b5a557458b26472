"""Is the network given the values it was trained on? Other ranges and normalisations are tried, and must not do better.

What a network was trained on cannot be read from it, but it can be tried: values it was not trained on come back
distorted. Each trial maps [0, 1] to a range or a normalisation in use, and takes the PSNR of what comes back. A
network that saturates shows its range itself: given values far outside, it gives the ends. And one whose output has
another range than its input shows it by a straight line from input to output.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import torch
from torch import Tensor

from vaescreen.autoencoders.contract import Autoencoder
from vaescreen.autoencoders.networks import NetworkAutoencoder
from vaescreen.errors import VaescreenError
from vaescreen.registry.settings import Settings
from vaescreen.screening.doctor.behaviour import MARGIN_DB, flat_images
from vaescreen.screening.doctor.findings import Examination, Status
from vaescreen.screening.doctor.subject import Failure, Subject, Use, encode, mean_psnr, reconstruct

RANGES = ((-1.0, 1.0), (0.0, 1.0), (-0.5, 0.5))
WIDE_RANGES = ((0.0, 255.0), (-1000.0, 1000.0), (-1024.0, 1024.0), (0.0, 4095.0))
"""Tried where images hardly come back: what rounds its latents does better the wider its range."""
HARDLY_DB = 6.0
"""Less than this above a flat gray image is hardly."""
NORMALISATIONS = {
    "ImageNet's mean and SD": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "ImageNet's mean and SD, BGR": ((0.406, 0.456, 0.485), (0.225, 0.224, 0.229)),
    "Caffe's mean, BGR, of [0, 255]": ((0.40760, 0.45795, 0.48502), (1 / 255,) * 3),
}
"""Mean and SD of [0, 1], in the order of the network's channels."""
_BEYOND = (-20_000.0, 20_000.0)
"""A range that drives a saturating network to both of its ends."""
_SAME_DB = 0.5
"""Trials this near to each other are not told apart by their PSNR."""
_NARROW = 0.01
"""A range less wide is none."""
_ALIKE = 0.02
"""Ends that differ by less than this share of the range are the same; so are means and SDs."""
_TELLING_DB = 0.25
"""A range or normalisation in use that does better by this is worth a word, if less than the margin."""
_NEAR = 0.1
"""An end that lies this near to a known one, by the width of the range, is taken for it."""


@dataclass(frozen=True)
class _Trial:
    """Another way to feed the network, what it reaches, and what would make it the stated way."""

    what: str
    psnr: float
    mend: str
    settings: dict[str, Any]
    is_read: bool = False


def check_value_range(report: Examination, subject: Subject, autoencoder: Autoencoder, usual: Use) -> None:
    """Refuse the candidate if another range of values, or a normalisation, wins by 1 dB or more.

    A network of vaescreen's own adapters is run with each. Any other autoencoder is fed squeezed images,
    (x + 1) / 2, which undoes a map to [-1, 1] that its network does not want. The opposite mistake cannot be seen from
    outside: an autoencoder clamps what it gives at black, and one that is given [0, 1] in place of [-1, 1] works on,
    at half the contrast.
    """
    known = mean_psnr(subject.images, usual.decoded)
    flat = mean_psnr(subject.images, flat_images(subject.images))
    read: dict[str, Any] = {}
    if isinstance(autoencoder, NetworkAutoencoder):
        read = _saturation(subject.images, autoencoder)
        ranges = RANGES + (WIDE_RANGES if known < flat + HARDLY_DB else ())
        trials = list(_otherwise(subject.images, autoencoder, ranges, read))
    else:
        trials = _squeezed(subject.images, autoencoder)
    best = _best(trials)
    if best is None:
        report.add("value range", Status.NOT_MEASURED, "it does not work with another range")
        return
    found = f"PSNR changes by {best.psnr - known:+.2f} dB with {best.what}"
    rivals = [
        t.what for t in trials if t is not best and abs(t.psnr - best.psnr) < _SAME_DB and not t.is_read
    ]
    if rivals:
        found += f" (nearly the same with {', or '.join(rivals[:3])}: gray images tell these hardly apart)"
    is_its_own = best.is_read and "mean" in best.settings and best.psnr >= known - MARGIN_DB
    if is_its_own or best.psnr >= max(known, flat) + MARGIN_DB:
        report.measured["better_settings"] = best.settings
        report.add("value range", Status.REFUSED, found, best.mend)
    elif best.psnr >= max(known, flat) + _TELLING_DB and not (
        best.is_read or _is_confirmed(read, autoencoder)
    ):
        report.add("value range", Status.WARNING, found, f"if it was trained so, {best.mend}")
    else:
        report.add("value range", Status.OK, f"{found}, the best of {len(trials)} others")


def _otherwise(
    images: Tensor,
    autoencoder: NetworkAutoencoder,
    ranges: tuple[tuple[float, float], ...],
    read: dict[str, Any],
) -> Iterator[_Trial]:
    """Trials of every range and normalisation, and of what was `read` off the output, but for what is stated."""
    plain = _plain(autoencoder)
    choices: list[tuple[str, dict[str, Any]]] = [
        (f"values in {_text(limits)}", {"value_range": limits}) for limits in ranges
    ]
    if autoencoder.image_channels == 3:
        choices += [(name, {"mean": mean, "sd": sd}) for name, (mean, sd) in NORMALISATIONS.items()]
    if read and read not in [choice for _, choice in choices]:
        choices.append((f"values in {_text(read['value_range'])}", read))
    for what, choice in choices:
        settings = plain.model_copy(update=choice)
        raw = _raw(images, autoencoder, settings)
        if raw is None:
            continue
        for trial in _unless_current(what, choice, images, raw, autoencoder):
            yield replace(trial, is_read=choice == read)
        ends = _fitted_ends(images, raw, settings)
        if ends is not None:
            other = {**choice, "output_range": ends}
            again = _raw(images, autoencoder, plain.model_copy(update=other))
            if again is not None:
                yield from _unless_current(
                    f"{what}, and {_text(ends)} at its output", other, images, again, autoencoder
                )


def _best(trials: list[_Trial]) -> _Trial | None:
    """The trial that wins: a normalisation read off the output, else of those that do best the most usual kind."""
    ordered = sorted(trials, key=lambda trial: -trial.psnr)
    near = [trial for trial in ordered if trial.psnr >= ordered[0].psnr - _SAME_DB]
    normalised = [t for t in ordered if "mean" in t.settings and "output_range" not in t.settings]
    wanted = (
        *(trial for trial in normalised if trial.is_read),
        *(trial for trial in normalised if trial in near),
        *(trial for trial in near if trial.is_read),
        *(trial for trial in trials if trial in near),
    )
    return next(iter(wanted), None)


def _unless_current(
    what: str, choice: dict[str, Any], images: Tensor, raw: Tensor, autoencoder: NetworkAutoencoder
) -> Iterator[_Trial]:
    settings = autoencoder.settings
    current = {key: getattr(settings, key) for key in ("value_range", "output_range", "mean", "sd")}
    if current["mean"] is None:
        current["value_range"] = autoencoder.value_range
    if current != dict.fromkeys(current) | choice:
        yield _Trial(what, mean_psnr(images, raw), _mend(choice), _listed(choice))


def _raw(images: Tensor, autoencoder: NetworkAutoencoder, settings: Settings) -> Tensor | None:
    """Images as they come back with these settings, not clamped; None if they do not."""
    try:
        run = autoencoder.run_as(settings)
        found = run.decode_unclamped(encode(run, images), (images.shape[-2], images.shape[-1]))
    except (Failure, VaescreenError):
        return None
    return found if found.isfinite().all() else None


def _plain(autoencoder: NetworkAutoencoder) -> Settings:
    """Settings of a network without what is stated of its values."""
    return autoencoder.settings.model_copy(
        update=dict.fromkeys(("value_range", "output_range", "mean", "sd"))
    )


def _saturation(images: Tensor, autoencoder: NetworkAutoencoder) -> dict[str, Any]:
    """Settings of a network that clamps or squashes: its smallest and largest values, given far larger ones.

    Those of a known normalisation if each channel ends as that does. Empty if it does not saturate.
    """
    low, high = _BEYOND
    ramp = torch.linspace(0, 1, images.shape[-1]).expand_as(images[:1])
    try:
        run = autoencoder.run_as(_plain(autoencoder).model_copy(update={"value_range": _BEYOND}))
        values = run.decode_raw(encode(run, ramp), (ramp.shape[-2], ramp.shape[-1]))[:, :3]
    except (Failure, VaescreenError):
        return {}
    black, white = values.amin(dim=(0, 2, 3)), values.amax(dim=(0, 2, 3))
    width = white - black
    if not (
        black.min() > low / 2 and white.max() < high / 2 and width.min() > _NARROW
    ):  # nor where any is NaN
        return {}
    for known in NORMALISATIONS.values():
        pairs = zip(chain(*known), chain((-black / width).tolist(), (1 / width).tolist()), strict=True)
        if len(width) == 3 and all(math.isclose(one, other, rel_tol=_ALIKE) for one, other in pairs):
            return {"mean": known[0], "sd": known[1]}
    return {"value_range": (round(float(black.mean()), 3), round(float(white.mean()), 3))}


def _is_confirmed(read: dict[str, Any], autoencoder: Autoencoder) -> bool:
    """Whether the output ends where it is stated to."""
    if not isinstance(autoencoder, NetworkAutoencoder) or "value_range" not in read:
        return False
    levels = autoencoder.levels
    stated = float(levels.black_out.mean()), float(levels.white_out.mean())
    near = _ALIKE * (stated[1] - stated[0])
    return all(abs(one - other) < near for one, other in zip(read["value_range"], stated, strict=True))


def _fitted_ends(images: Tensor, raw: Tensor, settings: Settings) -> tuple[float, float] | None:
    """Range of the output in which it would be the input, if it is one in use and not the input's."""
    x, y = images.double().flatten(), raw.double().flatten()
    slope = float(((x - x.mean()) * (y - y.mean())).mean() / x.var(correction=0).clamp(min=1e-12))
    offset = float(y.mean() - slope * x.mean())
    limits = settings.value_range
    if limits is None:
        if settings.mean is None or settings.sd is None:
            return None
        mean, sd = (sum(values) / len(values) for values in (settings.mean, settings.sd))
        limits = -mean / sd, (1 - mean) / sd
    black, white = (limits[0] + (limits[1] - limits[0]) * end for end in (offset, offset + slope))
    for known in RANGES:
        near = _NEAR * (known[1] - known[0])
        if known != limits and abs(known[0] - black) < near and abs(known[1] - white) < near:
            return known
    return None


def _squeezed(images: Tensor, autoencoder: Autoencoder) -> list[_Trial]:
    try:
        decoded = 2 * reconstruct(autoencoder, (images + 1) / 2) - 1
    except Failure:
        return []
    mend = "the network wants [0, 1]: do not map images to [-1, 1] before it"
    return [_Trial("values in [0, 1]", mean_psnr(images, decoded), mend, {"value_range": [0.0, 1.0]})]


def _listed(choice: dict[str, Any]) -> dict[str, Any]:
    return {key: list(value) for key, value in choice.items()}


def _mend(choice: dict[str, Any]) -> str:
    settings = ", ".join(f"{key}: {_text(values)}" for key, values in choice.items())
    return f"write `settings: {{{settings}}}`"


def _text(values: tuple[float, ...]) -> str:
    return f"[{', '.join(f'{value:g}' for value in values)}]"
