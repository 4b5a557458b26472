"""A reference point: one candidate trained by one recipe on one data set, as a result file."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from vaescreen.autoencoders import fingerprint_of, open_autoencoder
from vaescreen.autoencoders.contract import Autoencoder
from vaescreen.environment import command_line, environment
from vaescreen.errors import DataError, ResultError
from vaescreen.images.dataset import DataSet
from vaescreen.registry.candidate import Candidate
from vaescreen.storage import (
    TABLE_SEAL,
    ensure_writable,
    locked,
    make_way,
    read_json,
    write_json,
    write_table,
)
from vaescreen.superres.evaluation import evaluate
from vaescreen.superres.finished import (
    PROTOCOL,
    Wanted,
    checkpoint_path,
    finished_point,
    training_key,
    weights_path,
)
from vaescreen.superres.kept import keep, recall
from vaescreen.superres.latents import LatentPairs, training_pairs
from vaescreen.superres.outputs import OUTPUTS, OUTPUTS_SEAL, OutputsWriter, outputs_path
from vaescreen.superres.paths import point_path
from vaescreen.superres.recipe import Recipe
from vaescreen.superres.scaling import Scale
from vaescreen.superres.team import Team
from vaescreen.superres.training import Trained, train

OnStep = Callable[[str, int, int], None]
OnLoss = Callable[[float], None]


def make_reference(
    candidate: Candidate,
    data: DataSet,
    recipe: Recipe,
    results: Path,
    *,
    seed: int = 0,
    device: str = "cpu",
    team: Team | None = None,
    wanted: Wanted | None = None,
    on_step: OnStep = lambda phase, done, total: None,
    on_loss: OnLoss = lambda loss: None,
) -> dict[str, Any]:
    """Train and evaluate, or read the result where it is there already, or once another process has made it.

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
    team
        Processes that train together; its device is then the one that counts.
    wanted
        What is asked beyond the summary.
    on_step
        Called with the phase ("encode", "train" or "evaluate"), how much of it is done, and its total.
    on_loss
        Called with the loss before each call of `on_step` for a step of training.

    Raises
    ------
    DataError
        If the data has another size than the recipe.
    CandidateError
        If the autoencoder cannot be used, or training diverges.
    CacheError
        If results or checkpoints cannot be written.
    ResultError
        If weights were to be used that were not kept.
    """
    if data.size != recipe.size:
        raise DataError(
            f"{data.name}: recipe {recipe.name} needs images of {recipe.size} pixels, these have {data.size}; "
            f"open the data with size {recipe.size}"
        )
    team, wanted = team or Team(device), wanted or Wanted()
    path = point_path(results, recipe.name, data.name, candidate.name, seed)
    identity = _identity(candidate, data, recipe, seed, wanted)
    key = training_key(identity["fingerprint"], data, recipe, seed)
    known = finished_point(candidate, data, recipe, results, seed, wanted)
    if team.agree(known is not None):
        return known or _read(path)
    checkpoint = checkpoint_path(key)
    if team.leads:
        ensure_writable(results)
    with locked(checkpoint) if team.leads else nullcontext():
        known = finished_point(candidate, data, recipe, results, seed, wanted) if team.leads else None
        if team.agree(known is not None):
            return known or _read(path)
        work = _Work(candidate, data, recipe, seed, team, on_step, on_loss)
        trained = recall(weights_path(key), team.device)
        if not team.agree(trained is not None):
            if not wanted.training:
                raise ResultError(
                    f"no weights are kept of {candidate.name} on {data.name}, recipe {recipe.name}, seed {seed}; "
                    "train it with --keep-weights"
                )
            trained = None
        autoencoder, pairs, scale = work.prepare()
        if trained is None:
            trained = work.train(autoencoder, pairs, checkpoint)
            if wanted.weights and team.leads:
                keep(weights_path(key), trained)
        if team.leads:
            work.evaluate(autoencoder, trained, scale, wanted, path, identity)
            checkpoint.unlink(missing_ok=True)
        team.wait()
        return _read(path)


def _identity(
    candidate: Candidate, data: DataSet, recipe: Recipe, seed: int, wanted: Wanted
) -> dict[str, Any]:
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
    return identity | ({"samples": wanted.samples} if wanted.samples > 1 else {})


def _read(path: Path) -> dict[str, Any]:
    point: dict[str, Any] = read_json(path)
    return point


@dataclass(frozen=True)
class _Work:
    candidate: Candidate
    data: DataSet
    recipe: Recipe
    seed: int
    team: Team
    on_step: OnStep
    on_loss: OnLoss

    def prepare(self) -> tuple[Autoencoder, LatentPairs, Scale]:
        """Open the autoencoder, encode the train split or read its latents, and scale them."""
        candidate = self.candidate
        if self.recipe.latent_scaling == "native":
            native = candidate.settings.model_copy(update={"scaling": "native"})
            candidate = candidate.model_copy(update={"settings": native})
        autoencoder = open_autoencoder(candidate, self.data, self.team.device)
        total = len(self.data.ids("train"))

        def encode() -> LatentPairs:
            return training_pairs(
                autoencoder,
                self.data,
                self.recipe,
                on_images=lambda done: self.on_step("encode", done, total),
            )

        raw = encode() if self.team.leads else None
        self.team.wait()
        raw = raw or encode()
        scale = Scale.of(self.recipe, raw)
        scaled = scale.apply(raw)
        pairs = LatentPairs(scaled.hr.to(self.team.device), scaled.condition.to(self.team.device))
        return autoencoder, pairs, scale.to(self.team.device)

    def train(self, autoencoder: Autoencoder, pairs: LatentPairs, checkpoint: Path) -> Trained:
        """Train, or go on from the checkpoint."""
        steps = self.recipe.steps_on(len(self.data.ids("train")))

        def tell(step: int, loss: float) -> None:
            self.on_loss(loss)
            self.on_step("train", step, steps)

        factor = autoencoder.geometry.factor
        return train(self.recipe, pairs, factor, checkpoint, seed=self.seed, team=self.team, on_step=tell)

    def evaluate(
        self,
        autoencoder: Autoencoder,
        trained: Trained,
        scale: Scale,
        wanted: Wanted,
        path: Path,
        identity: dict[str, Any],
    ) -> None:
        """Score the test split and write the result; its JSON comes last."""
        total, done = len(self.data.ids("test")), 0

        def count(images: int) -> None:
            nonlocal done
            done += images
            self.on_step("evaluate", done, total)

        writer = OutputsWriter() if wanted.outputs else None
        table = evaluate(
            self.recipe,
            trained,
            autoencoder,
            self.data,
            scale,
            seed=self.seed,
            samples=wanted.samples,
            outputs=writer,
            on_batch=count,
        )
        numbers = table.drop(columns=["image_id", "patient_id"])
        result = identity | {
            "summary": {name: float(values.mean()) for name, values in numbers.items()},
            "training": self._cost(trained),
            "environment": self._environment(),
            "command": command_line(private=self.data.private),
        }
        make_way(path, self.data.fingerprint, ".parquet", OUTPUTS)
        if writer:
            result[OUTPUTS_SEAL] = writer.write(outputs_path(path))
        result[TABLE_SEAL] = write_table(path.with_suffix(".parquet"), table)
        write_json(path, result)

    def _environment(self) -> dict[str, Any]:
        mixed = self.recipe.precision == "bfloat16"
        dtype = "bfloat16 autocast" if mixed else "float32"
        return environment(self.team.device) | {"training_dtype": dtype, "processes": self.team.size}

    def _cost(self, trained: Trained) -> dict[str, Any]:
        samples = trained.steps * self.recipe.batch
        return {
            "samples": samples,
            "seconds": round(trained.seconds, 1),
            "samples_per_second": round(samples / max(trained.seconds, 1e-9), 1),
            "losses": trained.losses,
            "parallel_threads": torch.get_num_threads(),
            "crops_at_a_time": trained.part,
            "parameters": sum(value.numel() for value in trained.weights.values()),
        }
