"""What a score card costs beside the training that it foresees.

python -m benchmarks.probe_cost

All times are processor seconds of one thread in one run, so that their ratios hold on a shared machine too. Of the
training a few steps are timed, at the recipe's own batch and with its own network.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vaescreen.autoencoders import open_autoencoder
from vaescreen.autoencoders.contract import Autoencoder, Geometry
from vaescreen.environment import command_line, environment
from vaescreen.images import open_data
from vaescreen.ranking.scoring import view_of
from vaescreen.registry.catalogue import Registry
from vaescreen.screening.scorer import score
from vaescreen.storage import write_json
from vaescreen.superres.diffusion import predict
from vaescreen.superres.networks import fit_network
from vaescreen.superres.recipe import Recipe
from vaescreen.superres.recipes import recipe_named

OUT = Path("benchmarks/results/probe_cost.json")
TIMED_STEPS = 5


@dataclass
class Timed:
    """An autoencoder that keeps account of its seconds."""

    autoencoder: Autoencoder
    seconds: float = 0.0

    @property
    def geometry(self) -> Geometry:
        """That of the autoencoder."""
        return self.autoencoder.geometry

    @property
    def fingerprint(self) -> str:
        """That of the autoencoder."""
        return self.autoencoder.fingerprint

    def encode(self, images: Tensor) -> Tensor:
        """Encode by the autoencoder, and count."""
        return self._counted(lambda: self.autoencoder.encode(images))

    def decode(self, latents: Tensor, size: tuple[int, int]) -> Tensor:
        """Decode by the autoencoder, and count."""
        return self._counted(lambda: self.autoencoder.decode(latents, size))

    def _counted(self, call: Callable[[], Tensor]) -> Tensor:
        began = time.process_time()
        made = call()
        self.seconds += time.process_time() - began
        return made


def training_seconds(recipe: Recipe, geometry: Geometry, told: int, images: int) -> float:
    """Seconds of all training steps of a recipe on latents with `told` channels beside them, from a few steps."""
    cells, channels = recipe.crop // geometry.factor, geometry.channels
    network = fit_network(recipe.network, cells, cells, recipe.name).build(channels + told, channels, cells)
    optimizer = torch.optim.AdamW(network.train().parameters(), fused=True)
    clean = torch.randn(recipe.batch, channels, cells, cells)
    condition = torch.randn(recipe.batch, told, cells, cells)
    level = torch.zeros(recipe.batch, dtype=torch.long)

    def step() -> None:
        loss = (predict(network, clean, condition, level, recipe.precision) - clean).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    step()
    return recipe.steps_on(images) * _seconds(step, TIMED_STEPS)


def measure(candidate: str, recipe: str, train: int, test: int) -> dict[str, Any]:
    """Make one card of phantoms and set its cost in proportion."""
    chosen, entry, view = recipe_named(recipe), Registry.load().candidate(candidate), view_of(recipe)
    data = open_data("chest", size=view.size, train_images=train, test_images=test)
    timed = Timed(open_autoencoder(entry, data))
    pictures = next(view.batches(data, "train", 1)).images
    size = (pictures.shape[-2], pictures.shape[-1])
    told = view.conditioning.told(timed, view.degradation.apply(pictures), size, view.degradation).shape[1]
    for split in ("train", "test"):  # drawn now, and from then on in memory
        list(data.batches(split, 1))
    timed.seconds = 0.0
    with tempfile.TemporaryDirectory() as folder:
        began = time.process_time()
        score(entry, data, view, results=Path(folder), autoencoder=timed)
        card = time.process_time() - began
    probes = card - timed.seconds
    training = training_seconds(chosen, entry.geometry, told, train)
    return {
        "candidate": candidate,
        "recipe": recipe,
        "train_images": train,
        "test_images": test,
        "card_s": round(card, 1),
        "card_without_autoencoder_s": round(probes, 1),
        "training_s": round(training),
        "card_over_training": round(card / training, 4),
        "probes_over_training": round(probes / training, 4),
        "environment": environment(),
        "command": command_line(),
    }


def _seconds(action: Callable[[], None], times: int) -> float:
    began = time.process_time()
    for _ in range(times):
        action()
    return (time.process_time() - began) / times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--candidate", default="medical-f8c4")
    parser.add_argument("--recipe", default="compact", help="whose training is foreseen")
    parser.add_argument("--train-images", type=int, default=200)
    parser.add_argument("--test-images", type=int, default=60)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    torch.set_num_threads(1)
    result = measure(options.candidate, options.recipe, options.train_images, options.test_images)
    write_json(options.out, result)
    print({name: value for name, value in result.items() if name != "environment"})


if __name__ == "__main__":
    main()
