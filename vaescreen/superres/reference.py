"""A reference point: one candidate trained by one recipe on one data set, as a result file."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from vaescreen.autoencoders import fingerprint_of, open_autoencoder
from vaescreen.autoencoders.standardisation import Standardisation
from vaescreen.candidate import Candidate
from vaescreen.environment import command_line, environment
from vaescreen.errors import DataError
from vaescreen.images.dataset import DataSet
from vaescreen.storage import cache_dir, digest, read_json, write_json, write_parquet
from vaescreen.superres.evaluation import evaluate
from vaescreen.superres.latents import LatentPairs, training_pairs
from vaescreen.superres.paths import point_path
from vaescreen.superres.recipes import Recipe
from vaescreen.superres.training import Trained, train

PROTOCOL = "reference-1"

OnStep = Callable[[str, int, int], None]


def make_reference(
    candidate: Candidate,
    data: DataSet,
    recipe: Recipe,
    results: Path,
    *,
    seed: int = 0,
    device: str = "cpu",
    on_step: OnStep = lambda phase, done, total: None,
) -> dict[str, Any]:
    """Train and evaluate, or read the result where it is there already.

    Parameters
    ----------
    candidate, data, recipe
        What to train; `data` was opened at the size of the recipe.
    results
        Folder of result files.
    seed
        Of training and sampling noise.
    device
        Where the diffusion model is trained and sampled.
    on_step
        Called with the phase ("train" or "evaluate"), how much of it is done, and its total.

    Raises
    ------
    DataError
        If the data has another size than the recipe.
    CandidateError
        If the autoencoder cannot be used, or training diverges.
    CacheError
        If results or checkpoints cannot be written.
    """
    if data.size != recipe.size:
        raise DataError(
            f"{data.name}: recipe {recipe.name} needs images of {recipe.size} pixels, these have {data.size}; "
            f"open the data with size {recipe.size}"
        )
    path = point_path(results, recipe.name, data.name, candidate.name, seed)
    identity = {
        "protocol": PROTOCOL,
        "candidate": candidate.name,
        "fingerprint": fingerprint_of(candidate, data),
        "family": candidate.family,
        "domain": candidate.domain,
        "geometry": candidate.geometry._asdict(),
        "data": data.record,
        "recipe": recipe.description(),
        "seed": seed,
    }
    if path.is_file():
        known: dict[str, Any] = read_json(path)
        if all(known.get(key) == value for key, value in identity.items()):
            return known

    autoencoder = open_autoencoder(candidate, data, device)
    raw = training_pairs(autoencoder, data, recipe.degradation)
    scale = Standardisation.of(raw.hr)
    pairs = LatentPairs(scale.apply(raw.hr).to(device), scale.apply(raw.condition).to(device))
    scale = Standardisation(scale.mean.to(device), scale.sd.to(device))
    checkpoint = cache_dir() / "training" / f"{digest(identity)}.pt"
    trained = train(
        recipe,
        pairs,
        autoencoder.geometry.factor,
        checkpoint,
        seed=seed,
        on_step=lambda step, loss: on_step("train", step, recipe.steps),
    )
    total, done = len(data.ids("test")), 0

    def count(images: int) -> None:
        nonlocal done
        done += images
        on_step("evaluate", done, total)

    table = evaluate(recipe, trained, autoencoder, data, scale, seed=seed, on_batch=count)
    summary = {
        name: float(values.mean()) for name, values in table.items() if name not in ("image_id", "patient_id")
    }
    result = identity | {
        "summary": summary,
        "training": _cost(recipe, trained),
        "environment": environment(device) | {"training_dtype": "bfloat16 autocast"},
        "command": command_line(),
    }
    write_parquet(path.with_suffix(".parquet"), table)
    write_json(path, result)
    checkpoint.unlink(missing_ok=True)
    return result


def _cost(recipe: Recipe, trained: Trained) -> dict[str, Any]:
    return {
        "samples": recipe.steps * recipe.batch,
        "seconds": round(trained.seconds, 1),
        "samples_per_second": round(recipe.steps * recipe.batch / max(trained.seconds, 1e-9), 1),
        "losses": trained.losses,
        "parallel_threads": torch.get_num_threads(),
    }
