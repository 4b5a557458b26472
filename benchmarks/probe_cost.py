"""What a score card costs, beside encoding and decoding its images with a full-size VAE and beside a training.

python benchmarks/probe_cost.py --out benchmarks/results/probe_cost.json

All times are processor seconds of one thread in one run, so that their ratios hold on a shared machine too. The
full-size VAE has the architecture of Stable Diffusion's (f8c4, 83.7 M parameters) and random weights, which
decide nothing about time; so few images are timed, and what a card of such a candidate would cost is reckoned
from the number of pixels that a card encodes and decodes.
"""

import argparse
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vaescreen.autoencoders import open_autoencoder
from vaescreen.autoencoders.contract import Autoencoder, Geometry
from vaescreen.environment import environment
from vaescreen.images import open_data
from vaescreen.registry.catalogue import Registry
from vaescreen.screening.scorer import score
from vaescreen.storage import write_json
from vaescreen.superres.diffusion import predict
from vaescreen.superres.networks import fit_network
from vaescreen.superres.recipe import Recipe
from vaescreen.superres.recipes import recipe_named

TIMED_IMAGES = 2
TIMED_STEPS, TIMED_BATCH = 3, 8


@dataclass
class Use:
    """Seconds spent and images passed, counted in images of the size of the card."""

    seconds: float = 0.0
    images: float = 0.0


@dataclass
class Timed:
    """An autoencoder that keeps account of itself."""

    autoencoder: Autoencoder
    size: int
    encoding: Use = field(default_factory=Use)
    decoding: Use = field(default_factory=Use)

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
        began = time.process_time()
        latents = self.autoencoder.encode(images)
        self._count(self.encoding, began, len(images), images.shape[-2] * images.shape[-1])
        return latents

    def decode(self, latents: Tensor, size: tuple[int, int]) -> Tensor:
        """Decode by the autoencoder, and count."""
        began = time.process_time()
        images = self.autoencoder.decode(latents, size)
        self._count(self.decoding, began, len(latents), size[0] * size[1])
        return images

    def _count(self, use: Use, began: float, images: int, pixels: int) -> None:
        use.seconds += time.process_time() - began
        use.images += images * pixels / self.size**2


@torch.no_grad()
def full_size_seconds(size: int) -> tuple[float, float]:
    """Seconds to encode and to decode an image by the architecture of Stable Diffusion's VAE."""
    from diffusers import AutoencoderKL

    blocks = 4
    vae: Any = AutoencoderKL(
        block_out_channels=(128, 256, 512, 512),
        layers_per_block=2,
        latent_channels=4,
        down_block_types=("DownEncoderBlock2D",) * blocks,
        up_block_types=("UpDecoderBlock2D",) * blocks,
    ).eval()
    images = torch.rand(1, 3, size, size)
    latents = vae.encode(images).latent_dist.mode()
    vae.decode(latents)
    return (
        _seconds(lambda: vae.encode(images), TIMED_IMAGES),
        _seconds(lambda: vae.decode(latents), TIMED_IMAGES),
    )


def training_seconds(recipe: Recipe, geometry: Geometry, images: int) -> float:
    """Seconds of all training steps of a recipe, from a few steps of a small batch."""
    cells = recipe.crop // geometry.factor
    channels = geometry.channels
    network = fit_network(recipe.network, cells, cells, recipe.name).build(2 * channels, channels, cells)
    optimizer = torch.optim.AdamW(network.train().parameters(), fused=True)
    batch = min(recipe.batch, TIMED_BATCH)
    clean, condition = torch.randn(2, batch, channels, cells, cells)
    level = torch.zeros(batch, dtype=torch.long)

    def step() -> None:
        loss = (predict(network, clean, condition, level, recipe.precision) - clean).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    step()
    return recipe.steps_on(images) * recipe.batch / batch * _seconds(step, TIMED_STEPS)


def measure(candidate: str, recipe: str, size: int, train: int, test: int) -> dict[str, Any]:
    """Make one card of phantoms and set its cost in proportion."""
    chosen, entry = recipe_named(recipe), Registry.load().candidate(candidate)
    data = open_data("chest", size=size, train_images=train, test_images=test)
    timed = Timed(open_autoencoder(entry, data), size)
    list(data.batches("train", 16)), list(data.batches("test", 16))
    with tempfile.TemporaryDirectory() as folder:
        began = time.process_time()
        score(entry, data, replace(chosen.view, size=size), results=Path(folder), autoencoder=timed)
        card = time.process_time() - began
    probes = card - timed.encoding.seconds - timed.decoding.seconds
    encode, decode = full_size_seconds(size)
    once = (train + test) * (encode + decode)
    of_full_size = timed.encoding.images * encode + timed.decoding.images * decode + probes
    training = training_seconds(chosen, entry.geometry, train)
    return {
        "candidate": candidate,
        "size": size,
        "train_images": train,
        "test_images": test,
        "card_s": card,
        "card_without_autoencoder_s": probes,
        "images_encoded": timed.encoding.images,
        "images_decoded": timed.decoding.images,
        "full_size_vae": {"encode_s": encode, "decode_s": decode, "encode_and_decode_all_s": once},
        "card_over_full_size_vae": card / once,
        "card_of_full_size_vae_over_itself": of_full_size / once,
        "training": {"recipe": recipe, "seconds": training},
        "card_over_training": card / training,
        "environment": environment(),
    }


def _seconds(action: Any, times: int) -> float:
    began = time.process_time()
    for _ in range(times):
        action()
    return (time.process_time() - began) / times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--candidate", default="medical-f8c4")
    parser.add_argument("--recipe", default="fast", help="whose training is compared")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--train-images", type=int, default=200)
    parser.add_argument("--test-images", type=int, default=100)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    result = measure(
        options.candidate, options.recipe, options.size, options.train_images, options.test_images
    )
    if options.out:
        write_json(options.out, result)
    print(
        f"card of {result['candidate']}: {result['card_s']:.0f} s, "
        f"{result['card_without_autoencoder_s']:.0f} s of them without the autoencoder\n"
        f"  {result['card_over_full_size_vae']:.3f} of encoding and decoding the images with a full-size VAE\n"
        f"  {result['card_over_training']:.4f} of a training by recipe {result['training']['recipe']}\n"
        f"card of the full-size VAE itself: {result['card_of_full_size_vae_over_itself']:.2f} of encoding and "
        "decoding the images once"
    )


if __name__ == "__main__":
    main()
