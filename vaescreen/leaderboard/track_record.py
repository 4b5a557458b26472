"""How predictions fared that were made before the training they are of: the running figures of a recipe."""

from collections.abc import Sequence

from vaescreen.leaderboard.columns import ABSENT, number
from vaescreen.leaderboard.markdown import table
from vaescreen.predictor.record import Record, TrackRecord, summarise

_KINDS = {
    False: "new: no reference point of it was known",
    True: "known from other data sets",
}


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
        "Each was stored when the training began and is compared with what it reached; hits are outcomes inside the "
        f"90 % interval. One by one: `vaescreen predictor show --record --recipe {recipe}`.",
        table(["candidate", "target", "predictions", "hits", "hit rate", "MAE", "bias", "tau"], lines, 2),
    ]


def _cells(track: TrackRecord) -> list[str]:
    return [
        track.target,
        str(track.predictions),
        f"{track.hits} of {track.bounded}",
        number(track.hit_rate),
        number(track.mae),
        number(track.bias, signed=True),
        ABSENT if track.tau is None else number(track.tau),
    ]
