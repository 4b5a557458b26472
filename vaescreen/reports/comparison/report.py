"""A comparison in words, rows and JSON."""

import dataclasses
import math
from collections.abc import Iterator
from typing import Any

from typing_extensions import TypedDict

from vaescreen.images.dataset import IN_WORDS
from vaescreen.metrics.agreement import Agreement
from vaescreen.metrics.optional import Missing
from vaescreen.ranking.columns import number
from vaescreen.ranking.comparison.analysis import BANDS, PRIMARY, MetricResult, quantity
from vaescreen.ranking.comparison.decomposition import Decomposition
from vaescreen.ranking.comparison.run import Report
from vaescreen.statistics.comparison import Comparison
from vaescreen.statistics.intervals import Estimate

PROTOCOL = "compare-1"
_STATISTICS = ("difference", "95 % interval", "p", "d", "d_z", "Cliff's δ")
_BANDS_IN_TABLE = tuple(f"haar_psnr_{band}" for band in BANDS)
_ALPHA = 0.05
_METHOD = (
    "Differences are first less second, with 95 % intervals of a bootstrap of patients; p is of the paired t test of "
    "patient means, corrected for all pairs by Holm; d is Cohen's with pooled SD, over images."
)


class CompareJson(TypedDict):
    """What `vaescreen compare --format json` prints."""

    title: str
    verdict: str
    protocol: str
    candidates: list[str]
    compared: str
    data: dict[str, Any]
    margin: float
    level: float
    metrics: dict[str, Any]
    power: list[Any]
    psnr_of_mean_mse: dict[str, float | None]
    agreement: dict[str, Any]
    distribution: dict[str, Any]
    band_shares: dict[str, Any]
    spectra: dict[str, Any]
    decomposition: dict[str, Any] | None
    missing: list[Missing]
    warnings: list[str]


def title(report: Report) -> str:
    """Name what was compared on what."""
    images, side = report.measured.images, report.data.size
    return (
        f"{report.data.name}: {' against '.join(report.candidates)}, {report.what} of {len(images)} "
        f"{IN_WORDS[report.data.kind]} test images of {images['patient_id'].nunique()} patients, "
        f"{f'{side}x{side} px' if side else 'native size'}"
    )


def verdict(report: Report) -> str:
    """Say the outcome in one sentence: told apart or not, by how much, and whether shown to be equivalent."""
    result = report.analysis.metrics[PRIMARY]
    if not result.pairs:
        ahead = max(result.means, key=result.means.__getitem__)
        return (
            f"{ahead} has the highest PSNR ({number(result.means[ahead])} dB), on the images of one patient: what "
            "holds for others takes test images of two or more."
        )
    if len(report.candidates) == 2:
        return _verdict_of_two(result.pairs[0], report.analysis.margin)
    best = [standing for standing in result.standings if standing.rank == 1]
    names = " and ".join(standing.candidate for standing in best)
    others = len(result.standings) - len(best)
    if len(best) == 1:
        return f"{names} has the best PSNR ({number(best[0].mean)} dB) and is told apart from all {others} others."
    rest = f", told apart from the other {others}" if others else ""
    return f"{names} share the first rank by PSNR: this many patients do not tell them apart{rest}."


def headers(report: Report) -> list[str]:
    """Names of the columns: of two candidates a column each, of more the pair; of one patient no statistics."""
    if not _is_tested(report):
        return ["metric", *report.candidates]
    if len(report.candidates) == 2:
        return ["metric", *report.candidates, *_STATISTICS]
    return ["pair", "metric", "first", "second", *_STATISTICS]


def text_columns(report: Report) -> int:
    """How many of the first columns are words."""
    return 1 if len(report.candidates) == 2 or not _is_tested(report) else 2


def rows(report: Report) -> list[list[str]]:
    """Cells of the table under `headers`, a row a pair and metric."""
    if not _is_tested(report):
        return [
            [quantity(metric).label, *(_scaled(metric, result.means[name]) for name in report.candidates)]
            for metric, result in report.analysis.metrics.items()
            if _is_shown(metric)
        ]
    pair = len(report.candidates) > 2
    return [
        [f"{found.first} − {found.second}"] * pair + _cells(result, found)
        for place in range(len(report.analysis.metrics[PRIMARY].pairs))
        for result in report.analysis.metrics.values()
        if _is_shown(result.metric)
        for found in [result.pairs[place]]
    ]


def records(report: Report) -> list[dict[str, Any]]:
    """Flat rows, one a pair and metric, of every metric; of one patient, one a metric with the means."""
    if not _is_tested(report):
        return [{"metric": metric, **result.means} for metric, result in report.analysis.metrics.items()]
    return [_record(result, found) for result in report.analysis.metrics.values() for found in result.pairs]


def payload(report: Report) -> dict[str, Any]:
    """Give the whole report as JSON-able values; what is not finite is null."""
    measured, analysis = report.measured, report.analysis
    found: dict[str, Any] = _plain(
        {
            "title": title(report),
            "verdict": verdict(report),
            "protocol": PROTOCOL,
            "candidates": report.candidates,
            "compared": report.what,
            "data": {
                "name": report.data.name,
                "kind": report.data.kind,
                "fingerprint": report.data.fingerprint,
                "description": report.data.description,
            },
            "margin": analysis.margin,
            "level": analysis.level,
            "metrics": analysis.metrics,
            "power": analysis.power,
            "psnr_of_mean_mse": analysis.pooled_psnr,
            "agreement": analysis.agreement,
            "distribution": measured.distances,
            "band_shares": band_shares(report),
            "spectra": {
                name: {key: value.flatten().tolist() for key, value in spectrum._asdict().items()}
                for name, spectrum in measured.spectra.items()
            },
            "decomposition": report.decomposition,
            "missing": analysis.missing,
            "warnings": report.data.warnings,
        }
    )
    return found


def asked_and_missing(report: Report) -> list[str]:
    """Why each metric is not there that was asked for by name; LPIPS is looked for unasked."""
    distances = (value for each in report.measured.distances.values() for value in each.values())
    absent = [*report.analysis.missing, *(value for value in distances if isinstance(value, Missing))]
    return [str(each) for each in absent if not each.metric.lower().startswith("lpips")]


def band_shares(report: Report) -> dict[str, dict[str, dict[str, float]]]:
    """Share of each band in a candidate's squared error over all images, by wavelet."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for wavelet, prefix in (("haar", "band"), ("sym4", "smooth")):
        for name, table in report.measured.tables.items():
            errors = {band: float(table[f"{prefix}_{band}"].mean()) for band in BANDS}
            total = sum(errors.values())
            shares = {band: error / total if total else math.nan for band, error in errors.items()}
            found.setdefault(wavelet, {})[name] = shares
    return found


def notes(report: Report) -> Iterator[str]:
    """What stands below the table."""
    analysis = report.analysis
    if _is_tested(report):
        yield _METHOD
    for found, power in zip(analysis.metrics[PRIMARY].pairs, analysis.power, strict=True):
        yield from _pair_notes(found)
        if power:
            yield (
                f"  Power: these patients show a difference of {number(power.detectable, 3)} dB with 80 %; "
                f"{analysis.margin} dB would take {power.for_difference}, to show equivalence within it "
                f"{power.for_equivalence}."
            )
    for result in analysis.metrics.values():
        for found, h in zip(result.pairs, result.cohens_h, strict=False):
            ends = f"{number(h.low, 3, signed=True)} to {number(h.high, 3, signed=True)}"
            yield (
                f"Cohen's h of {quantity(result.metric).label.removesuffix(' (%)')}, {found.first} less "
                f"{found.second}: {number(h.value, 3, signed=True)} ({ends})."
            )
    pooled = ", ".join(f"{name} {number(value)}" for name, value in analysis.pooled_psnr.items())
    yield f"PSNR of the mean MSE (dB), another metric than the mean PSNR above: {pooled}."
    for name, intensity in analysis.agreement.items():
        yield f"Mean intensity of {name} against HR: {_agreement(intensity)}"
    if report.what == "reconstructions":
        yield "Of reconstructions, hallucination says how heavy the tail of the autoencoder's own error is."
    for name, distances in report.measured.distances.items():
        values = [f"{key} {number(value, 3)}" for key, value in distances.items() if isinstance(value, float)]
        if values:
            yield f"Distribution of {name}: {', '.join(values)}."
    if report.decomposition:
        yield from _decomposition_notes(report.decomposition)
    lacking = {str(each): None for each in analysis.missing}
    lacking |= {
        str(value): None
        for distances in report.measured.distances.values()
        for value in distances.values()
        if isinstance(value, Missing)
    }
    yield from lacking


def _is_tested(report: Report) -> bool:
    """Whether there are the patients that tests take."""
    return bool(report.analysis.metrics[PRIMARY].pairs)


def _verdict_of_two(found: Comparison, margin: float) -> str:
    ahead, behind, ends = found.first, found.second, (found.difference.low, found.difference.high)
    if found.difference.value < 0:
        ahead, behind, ends = behind, ahead, (-ends[1], -ends[0])
    size = number(abs(found.difference.value))
    same = found.equivalence is not None and found.equivalence.equivalent
    if found.p_holm <= _ALPHA:
        spread = f"95 % interval {number(ends[0])} to {number(ends[1])}, {found.patients} patients"
        small = f", but by less than the margin of {margin} dB" if same else ""
        return f"{ahead} beats {behind} by {size} dB PSNR ({spread}, {p_text(found.p_holm)}){small}."
    pair = f"{found.first} and {found.second}"
    if same:
        return f"{pair} are equivalent in PSNR within {margin} dB ({found.patients} patients)."
    low, high = number(found.difference.low, signed=True), number(found.difference.high, signed=True)
    return (
        f"{pair} cannot be told apart in PSNR by {found.patients} patients ({low} to {high} dB, "
        f"{p_text(found.p_holm)}), nor are they shown to be equivalent within {margin} dB."
    )


def p_text(p: float) -> str:
    """Write `p = 0.012` or `p = 3e-10`."""
    return f"p = {p:.2g}" if p >= 1e-300 else "p < 1e-300"


def _is_shown(metric: str) -> bool:
    return metric in _BANDS_IN_TABLE or not metric.startswith(("haar_", "smooth_", "published_"))


def _scaled(metric: str, value: float) -> str:
    read = quantity(metric)
    return number(value * (100 if "(%)" in read.label else 1), read.digits)


def _cells(result: MetricResult, found: Comparison) -> list[str]:
    metric, difference = result.metric, found.difference
    return [
        quantity(metric).label,
        _scaled(metric, result.means[found.first]),
        _scaled(metric, result.means[found.second]),
        _scaled(metric, difference.value),
        f"{_scaled(metric, difference.low)} to {_scaled(metric, difference.high)}",
        f"{found.p_holm:.2g}",
        number(found.cohens_d.value),
        number(found.d_z),
        number(found.cliffs_delta.value),
    ]


def _record(result: MetricResult, found: Comparison) -> dict[str, Any]:
    record: dict[str, Any] = {
        "metric": result.metric,
        "first": found.first,
        "second": found.second,
        "images": found.images,
        "patients": found.patients,
        "first_mean": result.means[found.first],
        "second_mean": result.means[found.second],
        "p_t": found.t.p,
        "p_t_holm": found.p_holm,
        "p_wilcoxon": found.wilcoxon.p,
        "p_wilcoxon_holm": found.wilcoxon_p_holm,
        "p_wilcoxon_images": found.wilcoxon_images.p,
        "p_mixed": found.mixed.p,
        "d_z": found.d_z,
        "rank_biserial": found.rank_biserial,
        "p_equivalence": found.equivalence.p if found.equivalence else None,
    }
    for name in ("difference", "cohens_d", "cliffs_delta"):
        estimate: Estimate = getattr(found, name)
        record |= {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
    return record


def _pair_notes(found: Comparison) -> Iterator[str]:
    mixed = found.mixed
    yield (
        f"{found.first} less {found.second}, PSNR: Wilcoxon {p_text(found.wilcoxon.p)} by patient, "
        f"{p_text(found.wilcoxon_images.p)} by image as if independent; mixed model "
        f"{number(mixed.difference, signed=True)} dB ({number(mixed.low)} to {number(mixed.high)}, "
        f"{p_text(mixed.p)}{'; ' + mixed.note if mixed.note else ''})."
    )
    same = found.equivalence
    if same:
        shown = "shown" if same.equivalent else "not shown"
        yield f"  Equivalent within {same.margin} dB: {shown} (two one-sided tests, {p_text(same.p)})."


def _agreement(found: Agreement | Missing) -> str:
    if isinstance(found, Missing):
        return f"{found.reason}."
    return (
        f"bias {number(found.bias, 4, signed=True)}, limits of agreement {number(found.lower, 4, signed=True)} to "
        f"{number(found.upper, 4, signed=True)}, slope on intensity {number(found.slope, 4, signed=True)} "
        f"({p_text(found.slope_p) if math.isfinite(found.slope_p) else 'patients are at one level'})."
    )


def _decomposition_notes(found: Decomposition) -> Iterator[str]:
    def text(estimate: Estimate) -> str:
        ends = (number(end, signed=True) for end in (estimate.low, estimate.high))
        return f"{number(estimate.value, signed=True)} ({' to '.join(ends)})"

    if found.parts:
        parts = ", ".join(f"{part} {text(estimate)}" for part, estimate in found.parts.items())
        yield f"Gap of {text(found.gap)} dB: {parts}; {found.note}."
    else:
        yield f"Gap not split: {found.note}."
    if found.matched:
        for path in found.paths:
            steps = ", ".join(f"{step.part} {number(step.gain.value, signed=True)}" for step in path)
            yield f"  {' → '.join([path[0].start, *(step.end for step in path)])}: {steps}"


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
