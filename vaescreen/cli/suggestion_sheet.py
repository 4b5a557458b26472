"""What `vaescreen reference plan --suggest` prints: which training would narrow the user's ranking most."""

from collections.abc import Sequence
from pathlib import Path

from vaescreen.cli.printing import Sheet
from vaescreen.errors import ResultError

_SHOWN = 10


def suggestion_sheet(recipe: str, results: Path, data: Sequence[str], candidates: Sequence[str]) -> Sheet:
    """Rank the trainings that are open on the data sets named, by the shipped predictor of the recipe.

    Parameters
    ----------
    recipe
        Name of the recipe to train by.
    results
        Folder of score cards; those in the cache count too.
    data, candidates
        Names of data sets and of the candidates to be ranked on them.

    Raises
    ------
    ResultError
        If no predictor is shipped for the recipe, or nothing is open.
    """
    from vaescreen.predictor.files import load, shipped_path
    from vaescreen.predictor.suggestion import read_cards, suggest
    from vaescreen.ranking.columns import number
    from vaescreen.storage import cache_dir

    path = shipped_path(recipe)
    if not path.is_file():
        raise ResultError(f"no predictor is shipped for recipe {recipe!r}, so none to narrow; train any")
    cards = {
        (card["candidate"], card["data"]["fingerprint"]): card
        for folder in (cache_dir() / "results", results)
        for name in data
        for card in read_cards(folder, name)
        if card["candidate"] in candidates
    }
    suggestions = suggest(load(path), list(cards.values()))
    records = [each._asdict() | {"narrowing": each.narrowing} for each in suggestions]
    cells = [
        [each.data, each.candidate, number(each.before), number(each.after), f"{each.narrowing:.1f} %"]
        for each in suggestions[:_SHOWN]
    ]
    notes = [
        "Standard error in dB of the predicted differences between your candidates, before and after the training.",
        *([f"And {len(suggestions) - _SHOWN} more that narrow less."] if len(suggestions) > _SHOWN else []),
    ]
    headers = ["data", "candidate", "before", "after", "narrower by"]
    title = f"Which training by recipe {recipe} would narrow the ranking most"
    return Sheet(headers, cells, records, records, title, notes, text_columns=2)
