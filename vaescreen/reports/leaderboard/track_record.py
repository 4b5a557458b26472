"""How predictions fared that were made before the training they are of: the running figures of a recipe."""

from collections.abc import Sequence

from vaescreen.predictor.track_record import Record, TrackRecord, summarise
from vaescreen.ranking.columns import number
from vaescreen.reports.markdown import table

_KINDS = {
    False: "new",
    True: "known from other data",
}
_OF_THE_RULE = ("MAE of the published rule", "its tau")


def track_record(recipe: str, entries: Sequence[Record]) -> list[str]:
    """Render the running figures of a recipe's predictions, new candidates apart; nothing without predictions."""
    if not entries:
        return []
    lines = [
        [kind, *_cells(track)]
        for seen, kind in _KINDS.items()
        for track in summarise([entry for entry in entries if entry["prediction"]["candidate_seen"] is seen])
    ]
    return [
        f"### Track record: {len(entries)} predictions made before the training",
        "Each was made when the training began and is compared with what it reached; of a new candidate no reference "
        "point was known. The published rule had the same reference points. Hits are outcomes inside the "
        f"90 % interval. One by one: `vaescreen predictor show --record --recipe {recipe} --results "
        "leaderboards/results`.",
        table(
            ["candidate", "target", "predictions", "hits", "hit rate", "MAE", "bias", "tau", *_OF_THE_RULE],
            lines,
            2,
        ),
    ]


def _cells(track: TrackRecord) -> list[str]:
    return [
        track.target,
        str(track.predictions),
        f"{track.hits} of {track.bounded}",
        number(track.hit_rate),
        number(track.mae),
        number(track.bias, signed=True),
        number(track.tau),
        number(track.published_mae),
        number(track.published_tau),
    ]
