"""What a reference point is asked for, and whether it is there: known before any work is sent anywhere."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vaescreen.autoencoders import fingerprint_of
from vaescreen.images.dataset import DataSet
from vaescreen.registry.candidate import Candidate
from vaescreen.storage import cache_dir, digest, read_json
from vaescreen.superres.outputs import outputs_path
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

    None if there is none, it is of other weights, images or choices, or it lacks something wanted.

    Raises
    ------
    CandidateError
        If the candidate is not on this machine.
    ResultError
        If the file is damaged.
    """
    wanted = wanted or Wanted()
    path = point_path(results, recipe.name, data.name, candidate.name, seed)
    if not path.is_file() or (wanted.outputs and not outputs_path(path).is_file()):
        return None
    fingerprint = fingerprint_of(candidate, data)
    if wanted.weights and not weights_path(training_key(fingerprint, data, recipe, seed)).is_file():
        return None
    point: dict[str, Any] = read_json(path)
    asked = (PROTOCOL, fingerprint, data.fingerprint, recipe.description(), seed)
    made = (
        point["protocol"],
        point["fingerprint"],
        point["data"]["fingerprint"],
        point["recipe"],
        point["seed"],
    )
    return point if made == asked and point.get("samples", 1) >= wanted.samples else None
