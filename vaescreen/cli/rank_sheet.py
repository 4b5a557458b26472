"""What `vaescreen rank` prints: a table that fits 80 columns, what is not in it and why, and last the verdict."""

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence

from vaescreen.cli.printing import Sheet, skipped_notes, warning_notes
from vaescreen.predictor.fitted import Influence
from vaescreen.predictor.words import in_words
from vaescreen.ranking.columns import ABSENT, COLUMNS, EXTRAPOLATED, number
from vaescreen.ranking.rank import Missing, Ranking
from vaescreen.ranking.table import FLOOR, Row
from vaescreen.ranking.verdict import value_of

_ALL = (
    *(
        "rank",
        "candidate",
        "predicted SR PSNR",
        "90 % interval",
        "best",
        "posterior mean",
        "its interval",
        "detail",
    ),
    *("interval of detail", "undominated", "AE ceiling", "probe PSNR", "latent values", "ms / image"),
)
_BAR = "interval"
_SHORT_NAMES = {"sr_psnr": "SR PSNR", "posterior_mean_psnr": "one-step", "detail": "detail"}
_UNDOMINATED = "◆"
_LISTED = 3
_EFFECTS = 5
_WIDEST = 120
_BETWEEN = 2
_NARROWEST_BAR, _WIDEST_BAR = 8, 32


def rank_sheet(ranking: Ranking, explained: dict[str, tuple[Influence, ...]], columns: str) -> Sheet:
    """Lay a ranking out.

    Parameters
    ----------
    ranking
        What is printed.
    explained
        Influences on the prediction of some of its candidates.
    columns
        `short` for what fits the terminal, or `all`.
    """
    payload = ranking.as_json()
    if explained:
        payload["explanations"] = {
            name: [influence._asdict() for influence in influences] for name, influences in explained.items()
        }
    shown = _all(ranking.rows) if columns == "all" else _short(ranking)
    filled = {header: cells for header, cells in shown.items() if set(cells) - {ABSENT, ""}}
    return Sheet(
        headers=list(filled),
        cells=list(zip(*filled.values(), strict=True)),
        records=[row.flat() for row in ranking.rows],
        payload=payload,
        timings=ranking.timings,
        title=ranking.title,
        above=list(_above(ranking)),
        notes=[*_notes(ranking, _BAR in filled), *_explanation_notes(explained)],
        closing=ranking.verdict.told,
        text_columns=3 if _BAR in filled else 2,
        drawn=_BAR if _BAR in filled else "",
    )


def _all(rows: Sequence[Row]) -> dict[str, list[str]]:
    return {column: [COLUMNS[column](row) for row in rows] for column in _ALL}


def _short(ranking: Ranking) -> dict[str, list[str]]:
    """Columns by header; what is left of the terminal's width is the bar's."""
    rows, by = ranking.rows, ranking.by
    shared = Counter(row.rank for row in rows)
    others = [target for target in _SHORT_NAMES if target != by]
    names = {
        "rank": [_rank(row, shared) for row in rows],
        "candidate": [_name(row) for row in rows],
    }
    values = {
        _SHORT_NAMES[by]: [number(_value(row, by)) for row in rows],
        "±": [_half_width(row, by) for row in rows],
        **{_SHORT_NAMES[target]: [number(_value(row, target)) for row in rows] for target in others},
        "probe": [number(row.probe_psnr) if row.predicted_sr_psnr is None else ABSENT for row in rows],
        "values": [COLUMNS["latent values"](row) for row in rows],
        "ms": [number(row.ms_per_image, 1) for row in rows],
    }
    width = min(shutil.get_terminal_size().columns, _WIDEST)
    used = sum(
        _BETWEEN + max(len(header), *map(len, cells))
        for header, cells in (names | values).items()
        if set(cells) - {ABSENT, ""}
    )
    room = min(width - used - _BETWEEN, _WIDEST_BAR)
    bars = {_BAR: _bars(rows, by, room)} if room >= _NARROWEST_BAR else {}
    return names | bars | values


def _rank(row: Row, shared: Counter[int | None]) -> str:
    if row.rank is None:
        return ""
    return f"{row.rank}{'=' if shared[row.rank] > 1 else ''}"


def _name(row: Row) -> str:
    marks = _UNDOMINATED * row.undominated + EXTRAPOLATED * row.extrapolation
    return " ".join(filter(None, (COLUMNS["candidate"](row), marks)))


def _value(row: Row, target: str) -> float | None:
    if row.floor:
        return None if target == "detail" else row.sr_psnr
    return value_of(row, target)[0]


def _half_width(row: Row, target: str) -> str:
    _, interval = value_of(row, target)
    return ABSENT if interval is None else number((interval[1] - interval[0]) / 2)


def _bars(rows: Sequence[Row], by: str, width: int) -> list[str]:
    """Each interval as a line with a dot at the prediction, all on one scale; where bicubic stands is dotted."""
    floor = next((row.sr_psnr for row in rows if row.candidate == FLOOR and by != "detail"), None)
    ends = [end for row in rows if (interval := value_of(row, by)[1]) for end in interval]
    if not ends:
        return [ABSENT] * len(rows)
    low, high = min([*ends, *([floor] if floor else [])]), max([*ends, *([floor] if floor else [])])

    def place(value: float) -> int:
        return round((value - low) / (high - low) * (width - 1)) if high > low else 0

    bars = []
    for row in rows:
        value, interval = value_of(row, by)
        bar = [" "] * width
        if floor is not None:
            bar[place(floor)] = "┊"
        if value is not None and interval is not None:
            for cell in range(place(interval[0]), place(interval[1]) + 1):
                bar[cell] = "─"
            bar[place(value)] = "●"
        bars.append("".join(bar))
    return bars


def _above(ranking: Ranking) -> Iterator[str]:
    if ranking.doubt:
        yield f"Doubtful: {ranking.doubt}."
    new = {row.novelty for row in ranking.rows}
    if "data set" in new:
        yield "No reference point is of these images: the intervals are those of data sets left out."
    elif "geometry" in new:
        yield "Where no reference point has the geometry, the interval is that of geometries left out."


def _notes(ranking: Ranking, with_bar: bool) -> Iterator[str]:
    predictor = ranking.predictor
    if predictor is None:
        yield (
            f"No predictor is shipped for recipe {ranking.recipe}: ranked by the convolutional probe, dB; candidates "
            "that the test patients cannot tell apart share a rank."
        )
    else:
        data_sets = ", ".join(dict.fromkeys(point.data for point in predictor.points))
        candidates = len({point.candidate for point in predictor.points})
        bicubic = "┊ bicubic; " if with_bar else ""
        yield (
            f"Predicted in dB for recipe {predictor.recipe} from {len(predictor.points)} reference points: "
            f"{candidates} candidates, trained on {data_sets}. ± half the 90 % interval; {bicubic}= cannot be told "
            f"apart; {_UNDOMINATED} no other is predicted better in all three."
        )
        yield (
            "SR PSNR: of one sample. one-step: of the one-step output, the mean of what is possible. detail: energy of "
            "a sample's finest bands over that of the true image."
        )
    extrapolated = [row for row in ranking.rows if row.extrapolation]
    if extrapolated:
        yield f"{EXTRAPOLATED} extrapolation: the score card is unlike those of the reference points:"
        yield from (f"  {row.candidate}: {row.extrapolation_reason}" for row in extrapolated[:_LISTED])
        if len(extrapolated) > _LISTED:
            yield f"  and {len(extrapolated) - _LISTED} more"
    yield from _missing_notes(ranking.missing)
    for failed in ranking.failed:
        yield f"Failed: {_reasoned(failed.candidate, failed.reason)}"
    yield from warning_notes(ranking.warnings)
    yield from skipped_notes(ranking.skipped)


def _missing_notes(missing: Sequence[Missing]) -> Iterator[str]:
    fetchable = [entry for entry in missing if entry.command]
    if fetchable:
        names = ", ".join(_with_size(entry.candidate, entry.size_mb) for entry in fetchable[:_LISTED])
        more = len(fetchable) - _LISTED
        yield (
            f"Not downloaded, so not scored: {names}{f' and {more} more' if more > 0 else ''}. Fetch one with "
            "`vaescreen registry pull NAME`; `vaescreen registry list --missing` names them."
        )
    absent = [entry.candidate for entry in missing if not entry.command]
    if absent:
        yield f"Files not found, so not scored: {', '.join(absent)}."


def _explanation_notes(explained: dict[str, tuple[Influence, ...]]) -> Iterator[str]:
    for name, influences in explained.items():
        total = number(sum(influence.effect for influence in influences), signed=True)
        parts = ", ".join(
            f"{in_words(each.feature)} {number(each.effect, signed=True)} ({number(each.value)}, mean "
            f"{number(each.mean)})"
            for each in influences[:_EFFECTS]
        )
        rest = number(sum(influence.effect for influence in influences[_EFFECTS:]), signed=True)
        yield f"Why {name}: {total} dB against the mean of the ranked: {parts}; others {rest}."


def _with_size(name: str, size_mb: float | None) -> str:
    return f"{name} ({size_mb:.0f} MB)" if size_mb else name


def _reasoned(name: str, reason: str) -> str:
    return reason if reason.startswith(f"{name}:") else f"{name}: {reason}"
