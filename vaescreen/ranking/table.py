"""Ranked rows from score cards, the bicubic floor among them, and the JSON object of `vaescreen rank`."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any

from pydantic import Field

from vaescreen.autoencoders.contract import Geometry
from vaescreen.images.degradation import Degradation
from vaescreen.predictor.fitted import Prediction
from vaescreen.predictor.points import TARGETS
from vaescreen.ranking.weak_points import images_phrase

FLOOR = "bicubic"

Record = Mapping[str, Any]
Forecast = Mapping[str, Mapping[str, Prediction]]
"""Predictions by target and candidate."""

_INTERVALS = ("interval", "posterior_mean_interval", "detail_interval")

TARGET_NAMES: dict[str, str] = {
    "sr_psnr": "SR PSNR",
    "posterior_mean_psnr": "SR PSNR of the one-step output",
    "detail": "detail kept",
}


@dataclass(frozen=True)
class Row:
    """One candidate on one data set, or a baseline such as the bicubic floor; None marks what is not known.

    PSNRs are in dB against the true HR image, means over images. `sr_psnr` was measured: after training for a
    candidate, by bicubic upsampling for the floor; `sr_rank`, its interval and `sr_p_best`, the probability of
    being best, are by it among the candidates measured (see `vaescreen.statistics.ranks`).
    `predicted_posterior_mean_psnr` is the prediction for the one-step posterior mean instead of the recipe's
    sampler, `predicted_detail` that for the energy of the finest Haar bands of a sample over that of the true image, in
    dB; `undominated` says that no other candidate is predicted better in all three. `p_best` is the probability that
    the candidate is the best of those ranked in what ranks them.
    `extrapolation_reason` says what of the score card is unlike the reference points, and `novelty` what of the
    candidate and data set is new to them. `probe_psnr` is the convolutional probe's, `latent_values` the numbers in
    the latent of one image, `compression` the pixels for each of them, and `ms_per_image` the time to encode and
    decode, which `vaescreen rank` prints among its timings. The floor and candidates without a score have no rank.
    """

    candidate: str
    rank: int | None = None
    floor: bool = False
    geometry: Geometry | None = None
    domain: str | None = None
    predicted_sr_psnr: float | None = None
    interval: tuple[float, float] | None = None
    extrapolation: bool = False
    extrapolation_reason: str | None = None
    novelty: str | None = None
    p_best: float | None = None
    predicted_posterior_mean_psnr: float | None = None
    posterior_mean_interval: tuple[float, float] | None = None
    predicted_detail: float | None = None
    detail_interval: tuple[float, float] | None = None
    undominated: bool = False
    sr_psnr: float | None = None
    sr_rank: int | None = None
    sr_rank_interval: tuple[int, int] | None = None
    sr_p_best: float | None = None
    ae_ceiling: float | None = None
    ae_ceiling_foreground: float | None = None
    ssim: float | None = None
    probe_psnr: float | None = None
    ridge_probe_psnr: float | None = None
    ms_per_image: Annotated[float | None, Field(exclude=True)] = None
    latent_values: int | None = None
    compression: float | None = None

    def as_json(self) -> dict[str, Any]:
        """JSON-able dictionary of all fields."""
        geometry = self.geometry._asdict() if self.geometry else None
        return asdict(self) | {
            "geometry": geometry,
            "interval": list(self.interval) if self.interval else None,
            "sr_rank_interval": list(self.sr_rank_interval) if self.sr_rank_interval else None,
            "posterior_mean_interval": (
                list(self.posterior_mean_interval) if self.posterior_mean_interval else None
            ),
            "detail_interval": list(self.detail_interval) if self.detail_interval else None,
        }

    def flat(self) -> dict[str, Any]:
        """Row of a CSV file: one value a cell, intervals as their two ends."""
        fields = self.as_json()
        geometry = fields.pop("geometry") or {"channels": None, "factor": None}
        ends = {
            f"{name}_{end}": value
            for name in _INTERVALS
            for end, value in zip(("low", "high"), fields.pop(name) or (None, None), strict=True)
        }
        return fields | ends | geometry


def build_rows(
    cards: Sequence[Record],
    references: Mapping[str, Record] | None = None,
    forecast: Forecast | None = None,
    by: str = "sr_psnr",
    p_best: Mapping[str, float] | None = None,
    baselines: Mapping[str, float] | None = None,
    indistinguishable: float | None = None,
) -> list[Row]:
    """Rank the candidates of one data set.

    The order is that of the predictions of `by`, or of convolutional probe PSNR if there are none. The
    floor stands where its own PSNR puts it; candidates without a value to rank by stand last.

    Parameters
    ----------
    cards
        Score cards of one data set and view.
    references
        Summaries of reference points by candidate.
    forecast
        Predictions by target and candidate.
    by
        The target that ranks.
    p_best
        Probability of being best by candidate.
    baselines
        SR PSNR in dB of what goes through no candidate, by name; they stand where the floor would, unranked.
    indistinguishable
        Difference of predictions in dB up to which two candidates cannot be told apart: one joins the rank above
        unless told apart from any who has it, and the next rank counts them all (1, 1, 3). None ranks each alone.

    Returns
    -------
    list of Row
        Best first.
    """
    references, forecast = references or {}, forecast or {}
    rows = [_candidate_row(card, references, forecast, p_best or {}) for card in cards]
    rows = [replace(row, undominated=_undominated(row, rows)) for row in rows]
    key = _KEYS[by] if forecast.get(by) else _probe
    scored = [(key(row), row) for row in rows]
    floor = next(
        (psnr for card in cards if (psnr := _number(card["summary"], "bicubic_psnr")) is not None), None
    )
    known = ({} if floor is None else {FLOOR: floor}) | {
        name: psnr for name, psnr in (baselines or {}).items() if name != FLOOR
    }
    last = -math.inf if by == "detail" else None
    scored.extend(
        (psnr if last is None else last, Row(name, floor=True, sr_psnr=psnr)) for name, psnr in known.items()
    )
    scored.sort(key=lambda pair: (math.inf if pair[0] is None else -pair[0], pair[1].candidate))
    ranked: list[Row] = []
    place, rank, first = 0, 0, math.inf
    for score, row in scored:
        if score is None or row.floor:
            ranked.append(row)
            continue
        place += 1
        if indistinguishable is None or first - score > indistinguishable:
            rank, first = place, score
        ranked.append(replace(row, rank=rank))
    return ranked


def doubt_of_the_images(rows: Sequence[Row]) -> tuple[list[Row], str | None]:
    """Take a doubt that most candidates share from them: it lies in the images, and is told once.

    Returns
    -------
    tuple
        The rows, marked only where a candidate is unlike the others, and the doubt in words, None if there is none.
    """
    predicted = [row for row in rows if row.predicted_sr_psnr is not None]
    doubtful = [row for row in predicted if row.extrapolation]
    if 2 * len(doubtful) <= len(predicted):
        return list(rows), None
    first = doubtful[0]
    doubt = (
        f"these images are unlike those of the reference points: {len(doubtful)} of {len(predicted)} candidates are "
        f"outside what they show, such as {first.candidate}: {first.extrapolation_reason}"
    )
    return [replace(row, extrapolation=False, extrapolation_reason=None) for row in rows], doubt


def title(cards: Sequence[Record], rows: Sequence[Row], recipe: str | None, by: str = "sr_psnr") -> str:
    """One line: which images, real or generated, how many, at what size, and what ranks them."""
    card = cards[0]
    view = card["view"]
    degradation = Degradation.from_description(view["degradation"])
    size = f"{view['size']}x{view['size']} px" if view["size"] else "native size"
    name = recipe or "this size and degradation"
    order = (
        f"ranked by {TARGET_NAMES[by]} predicted for recipe {recipe}"
        if any(row.predicted_sr_psnr is not None for row in rows)
        else f"ranked by convolutional probe PSNR (no predictor for {name})"
    )
    seen = images_phrase(card["data"], card["counts"])
    return f"{card['data']['name']}: {seen}, {size}, {degradation}, {order}"


def rank_payload(
    cards: Sequence[Record],
    rows: Sequence[Row],
    recipe: str | None,
    missing: Sequence[Record] = (),
    skipped: Sequence[Record] = (),
    by: str = "sr_psnr",
) -> dict[str, Any]:
    """Give the JSON object that `vaescreen rank --format json` prints.

    Parameters
    ----------
    cards
        The score cards behind the rows, at least one.
    rows
        Result of `build_rows`.
    recipe
        Name of the recipe predicted for, if any.
    missing, skipped
        JSON-able records of candidates without a score card, and of images set aside.
    by
        The target that ranks.

    Returns
    -------
    dict
        Keys `title`, `data`, `recipe`, `by`, `protocol`, `rows`, `missing`, `skipped`.
    """
    card = cards[0]
    return {
        "title": title(cards, rows, recipe, by),
        "data": {**card["data"], "counts": card["counts"], "view": card["view"]},
        "recipe": recipe,
        "by": by,
        "protocol": card["protocol"],
        "rows": [row.as_json() for row in rows],
        "missing": [dict(record) for record in missing],
        "skipped": [dict(record) for record in skipped],
    }


def _candidate_row(
    card: Record, references: Mapping[str, Record], forecast: Forecast, p_best: Mapping[str, float]
) -> Row:
    name, summary = card["candidate"], card["summary"]
    geometry = Geometry(**card["geometry"])
    size = card["view"]["size"]
    prediction, mean, detail = (forecast.get(target, {}).get(name) for target in TARGETS)
    times = [_number(summary, "encode_ms"), _number(summary, "decode_ms")]
    return Row(
        candidate=name,
        geometry=geometry,
        domain=card["domain"],
        predicted_sr_psnr=prediction.value if prediction else None,
        interval=_bounded(prediction),
        extrapolation=prediction is not None and prediction.extrapolation,
        extrapolation_reason=prediction.reason or None if prediction else None,
        novelty=prediction.novelty.value if prediction else None,
        p_best=p_best.get(name),
        predicted_posterior_mean_psnr=mean.value if mean else None,
        posterior_mean_interval=_bounded(mean),
        predicted_detail=detail.value if detail else None,
        detail_interval=_bounded(detail),
        sr_psnr=_number(references.get(name, {}), "sr_psnr"),
        ae_ceiling=_number(summary, "psnr"),
        ae_ceiling_foreground=_number(summary, "psnr_foreground"),
        ssim=_number(summary, "ssim"),
        probe_psnr=_number(summary, "conv_probe_psnr"),
        ridge_probe_psnr=_number(summary, "ridge_probe_psnr"),
        ms_per_image=None if None in times else sum(time for time in times if time is not None),
        latent_values=math.prod(geometry.latent_shape(size, size)) if size else None,
        compression=geometry.factor**2 / geometry.channels,
    )


def _probe(row: Row) -> float | None:
    return row.probe_psnr


def _nearness(row: Row) -> float | None:
    """Grain is no better than blur: the nearer to the detail of the true image, the better."""
    return None if row.predicted_detail is None else -abs(row.predicted_detail)


_KEYS: dict[str, Callable[[Row], float | None]] = {
    "sr_psnr": lambda row: row.predicted_sr_psnr,
    "posterior_mean_psnr": lambda row: row.predicted_posterior_mean_psnr,
    "detail": _nearness,
}


def _undominated(row: Row, rows: Sequence[Row]) -> bool:
    """Whether no other is predicted as good in every target and better in one; without predictions nobody is."""
    own = _values(row)
    return None not in own and not any(
        None not in (values := _values(other))
        and values != own
        and all(theirs >= ours for theirs, ours in zip(values, own, strict=True))  # type: ignore[operator]
        for other in rows
    )


def _values(row: Row) -> tuple[float | None, ...]:
    return tuple(key(row) for key in _KEYS.values())


def _bounded(prediction: Prediction | None) -> tuple[float, float] | None:
    if prediction is None or not math.isfinite(prediction.high - prediction.low):
        return None
    return prediction.low, prediction.high


def _number(summary: Record, name: str) -> float | None:
    value = summary.get(name)
    return float(value) if value is not None and math.isfinite(value) else None
