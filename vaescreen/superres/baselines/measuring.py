"""A baseline that needs no training, by name or weight file: scored, or read where the result is there already."""

from pathlib import Path
from typing import Any

from vaescreen.images.dataset import DataSet
from vaescreen.images.degradation import INTERPOLATIONS
from vaescreen.superres.baselines.files import baseline_path, find_baseline, write_baseline
from vaescreen.superres.baselines.floors import open_floor
from vaescreen.superres.baselines.published import open_published
from vaescreen.superres.baselines.scoring import score_upscaler
from vaescreen.superres.recipe import Recipe


def measure(name: str, data: DataSet, recipe: Recipe, results: Path, device: str = "cpu") -> dict[str, Any]:
    """Score an interpolation or a published network on the test split.

    Parameters
    ----------
    name
        One of `INTERPOLATIONS`, or the path of a weight file.
    data
        Images of the size of the recipe.
    recipe
        Size and degradation.
    results
        Folder of result files.
    device
        Where a network runs.

    Raises
    ------
    CandidateError
        If the name is unknown, or the weights cannot be used.
    """
    view = recipe.view
    by = next((each for each in INTERPOLATIONS if each == name), None)
    if by is not None:
        baseline, upscale = open_floor(by, recipe.degradation)
    else:
        baseline, upscale = open_published(Path(name), recipe.degradation.scale, device)
    path = baseline_path(results, view, data.name, baseline.name)
    known = find_baseline(path, baseline, data, view)
    if known is not None:
        return known
    table = score_upscaler(upscale, data, recipe.degradation, baseline.name)
    return write_baseline(path, baseline, data, view, table, device=device if by is None else "cpu")
