"""What a reference point is asked for, and whether it is there: known before any work is sent anywhere."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vaescreen.autoencoders import fingerprint_of
from vaescreen.errors import DamagedError
from vaescreen.images.dataset import DataSet
from vaescreen.registry.candidate import Candidate
from vaescreen.storage import (
    TABLE_SEAL,
    beside_namesakes,
    cache_dir,
    digest,
    read_json,
    recall,
    table_bytes,
)
from vaescreen.superres.outputs import OUTPUTS_SEAL, outputs_path
from vaescreen.superres.paths import point_path
from vaescreen.superres.recipe import Recipe

PROTOCOL = "reference-2"


@dataclass(frozen=True)
class Wanted:
    """What is asked of a reference point beyond its summary.

    Attributes
    ----------
    samples
        Draws of the sampler for each image.
    outputs
        Whether the images are kept (see `outputs`).
    weights
        Whether the trained weights are kept in the cache.
    training
        Whether to train where no weights are kept; an error otherwise.
    """

    samples: int = 1
    outputs: bool = False
    weights: bool = False
    training: bool = True


def training_key(fingerprint: str, data: DataSet, recipe: Recipe, seed: int) -> str:
    """Digest of all that decides trained weights, and of nothing else: of no name, and not of the sampling."""
    return digest("training-3", fingerprint, data.fingerprint, recipe.training_description(), seed)


def checkpoint_path(key: str) -> Path:
    """What an unfinished training goes on from; `key` is that of the training."""
    return cache_dir() / "training" / f"{key}.safetensors"


def weights_path(key: str) -> Path:
    """Where the weights of a training lie in the cache; `key` is that of the training."""
    return cache_dir() / "weights" / f"{key}.safetensors"


def finished_point(
    candidate: Candidate,
    data: DataSet,
    recipe: Recipe,
    results: Path,
    seed: int,
    wanted: Wanted | None = None,
) -> dict[str, Any] | None:
    """Give the point as it stands in its file.

    None if there is none, it is of other weights, images or choices, or it lacks something wanted. One that made way
    for a point of other images of the same name counts. A damaged one is put aside. What a run that was stopped at its
    very end has left of a finished point is deleted.

    Raises
    ------
    CandidateError
        If the candidate is not on this machine.
    """
    wanted = wanted or Wanted()
    path = point_path(results, recipe.name, data.name, candidate.name, seed)
    places = (path, beside_namesakes(path, data.fingerprint))
    found = (_finished(place, candidate, data, recipe, seed, wanted) for place in places)
    return next((point for point in found if point is not None), None)


def _finished(
    path: Path, candidate: Candidate, data: DataSet, recipe: Recipe, seed: int, wanted: Wanted
) -> dict[str, Any] | None:
    point = recall(path, lambda: _read(path, wanted))
    if point is None or (wanted.outputs and not outputs_path(path).is_file()):
        return None
    fingerprint = fingerprint_of(candidate, data)
    key = training_key(fingerprint, data, recipe, seed)
    if wanted.weights and not weights_path(key).is_file():
        return None
    asked = (PROTOCOL, fingerprint, data.fingerprint, recipe.description(), seed)
    if _identity(point) != asked or point.get("samples", 1) < wanted.samples:
        return None
    with suppress(OSError):
        checkpoint_path(key).unlink(missing_ok=True)
    return point


def _read(path: Path, wanted: Wanted) -> dict[str, Any]:
    """Read a point and check what lies beside it."""
    point: dict[str, Any] = read_json(path)
    try:
        _identity(point)
        table_bytes(path.with_suffix(".parquet"), point.get(TABLE_SEAL))
        if wanted.outputs and OUTPUTS_SEAL in point:
            table_bytes(outputs_path(path), point[OUTPUTS_SEAL])
    except (KeyError, TypeError, AttributeError) as error:
        raise DamagedError(f"{path} is no reference point ({error!r})") from error
    return point


def _identity(point: dict[str, Any]) -> tuple[Any, ...]:
    return (
        point["protocol"],
        point["fingerprint"],
        point["data"]["fingerprint"],
        point["recipe"],
        point["seed"],
    )
