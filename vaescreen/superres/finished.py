"""Reference points that need no work: asked before any is sent to another process or machine."""

from pathlib import Path
from typing import Any

from vaescreen.autoencoders import fingerprint_of
from vaescreen.candidate import Candidate
from vaescreen.images.dataset import DataSet
from vaescreen.storage import read_json
from vaescreen.superres.paths import point_path
from vaescreen.superres.recipes import Recipe
from vaescreen.superres.reference import PROTOCOL


def finished_point(
    candidate: Candidate, data: DataSet, recipe: Recipe, results: Path, seed: int
) -> dict[str, Any] | None:
    """Give the point as it stands in its file, or None: there is none, or of other weights, images or choices.

    Raises
    ------
    CandidateError
        If the candidate is not on this machine.
    ResultError
        If the file is damaged.
    """
    path = point_path(results, recipe.name, data.name, candidate.name, seed)
    if not path.is_file():
        return None
    point: dict[str, Any] = read_json(path)
    asked = (PROTOCOL, fingerprint_of(candidate, data), data.fingerprint, recipe.description(), seed)
    made = (
        point["protocol"],
        point["fingerprint"],
        point["data"]["fingerprint"],
        point["recipe"],
        point["seed"],
    )
    return point if made == asked else None
