"""Screening against the limit, which is to encode and decode the images, and against screening as it is published.

    python benchmarks/screening_speed.py --images 4 --size 128

Two networks: an AutoencoderKL as Stable Diffusion has it (f8c4, 83.7 M parameters) with random weights, which decide
nothing about time, and a small bundled one. Three ways take turns on the same images, processor time of one thread is
counted, and sums over the turns are compared:

- `bare`: the network's own encode and decode, in the batches that screening uses;
- `ours`: the same images through what screening puts about the network, with the metrics of a score card;
- `published`: an image at a time, each output written as PNG and read again, each metric a torchmetrics module.

Probes are apart: what they cost is asked by `benchmarks/probe_cost.py`. `metrics` is the part of ours that measures.
"""

import argparse
import io
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL
from PIL import Image
from torch import Tensor
from torchmetrics.image import (
    MultiScaleStructuralSimilarityIndexMeasure,
    PeakSignalNoiseRatio,
    StructuralSimilarityIndexMeasure,
)

from vaescreen.autoencoders import open_autoencoder
from vaescreen.autoencoders.networks import NetworkAutoencoder
from vaescreen.autoencoders.outputs import images_of, latents_of
from vaescreen.environment import command_line, environment
from vaescreen.images.degradation import Degradation
from vaescreen.images.phantoms import generate
from vaescreen.metrics import image_metrics
from vaescreen.metrics.fidelity import psnr
from vaescreen.metrics.wavelets import detail_kept
from vaescreen.registry.catalogue import Registry
from vaescreen.screening.guarded import GuardedAutoencoder
from vaescreen.screening.scorer import PIXELS_PER_BATCH
from vaescreen.storage import write_json

OUT = Path("benchmarks/results/screening_speed.json")
DEGRADATION = Degradation("lanczos", 4)


def full_size() -> AutoencoderKL:
    """The network of Stable Diffusion's autoencoder, untrained."""
    return AutoencoderKL(
        block_out_channels=(128, 256, 512, 512),
        layers_per_block=2,
        latent_channels=4,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
    ).eval()


@torch.no_grad()
def passed(autoencoder: NetworkAutoencoder, images: Tensor) -> Tensor:
    """The network's own encode and decode, nothing about them."""
    network = autoencoder.network
    latents, _ = latents_of(network.encode(images.expand(-1, autoencoder.image_channels, -1, -1)), "")
    return images_of(network.decode(latents), "")


def bare(autoencoder: NetworkAutoencoder, images: Tensor, batch: int) -> None:
    for part in images.split(batch):
        passed(autoencoder, part)


def ours(autoencoder: GuardedAutoencoder, images: Tensor, batch: int) -> None:
    """Encode, decode and measure as `vaescreen.screening.measurement` does for every test image."""
    size = (images.shape[-2], images.shape[-1])
    for part in images.split(batch):
        decoded = autoencoder.decode(autoencoder.encode(part), size)
        measure(part, decoded)


def measured(images: Tensor, batch: int) -> None:
    for part in images.split(batch):
        measure(part, part.flip(-1))


def measure(images: Tensor, decoded: Tensor) -> None:
    """What a score card says of an image, probes apart."""
    image_metrics(images, decoded)
    detail_kept(images, decoded)
    reduced = DEGRADATION.apply(images)
    psnr(images, DEGRADATION.upsample(reduced, (images.shape[-2], images.shape[-1])))


def published(autoencoder: NetworkAutoencoder, images: Tensor) -> None:
    metrics = (
        PeakSignalNoiseRatio(data_range=1.0),
        StructuralSimilarityIndexMeasure(data_range=1.0),
        MultiScaleStructuralSimilarityIndexMeasure(data_range=1.0, betas=(0.3, 0.4, 0.3)),
    )
    for image in images.split(1):
        gray = passed(autoencoder, image).mean(dim=1, keepdim=True).clamp(0, 1)
        pair = [from_png(to_png(each)) for each in (gray, image)]
        for metric in metrics:
            metric(*pair)


def to_png(image: Tensor) -> bytes:
    held = io.BytesIO()
    Image.fromarray((image[0, 0].numpy() * 255).round().astype(np.uint8)).save(held, "png")
    return held.getvalue()


def from_png(png: bytes) -> Tensor:
    return torch.from_numpy(np.asarray(Image.open(io.BytesIO(png)), np.float32) / 255)[None, None]


def seconds(action: Callable[[], None]) -> float:
    began = time.process_time()
    action()
    return time.process_time() - began


def compare(autoencoder: NetworkAutoencoder, pictures: Tensor, turns: int) -> dict[str, Any]:
    batch = max(PIXELS_PER_BATCH["cpu"] // pictures.shape[-1] ** 2, 1)
    guarded = GuardedAutoencoder(autoencoder, "", batch)
    ways: dict[str, Callable[[], None]] = {
        "bare": lambda: bare(autoencoder, pictures, batch),
        "ours": lambda: ours(guarded, pictures, batch),
        "published": lambda: published(autoencoder, pictures),
        "metrics": lambda: measured(pictures, batch),
    }
    spent = dict.fromkeys(ways, 0.0)
    ours(guarded, pictures[:batch], batch)  # warms up
    for _ in range(turns):
        for name, way in ways.items():
            spent[name] += seconds(way)
    return {
        "ms_per_image": {
            name: round(1000 * total / turns / len(pictures), 1) for name, total in spent.items()
        },
        "bare_over_ours": round(spent["bare"] / spent["ours"], 3),
        "published_over_ours": round(spent["published"] / spent["ours"], 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--candidate", default="medical-f8c4")
    parser.add_argument("--images", type=int, default=4)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    torch.set_num_threads(1)
    small = open_autoencoder(Registry.load().candidate(options.candidate))
    assert isinstance(small, NetworkAutoencoder)
    networks = {
        "AutoencoderKL of 83.7 M parameters": NetworkAutoencoder(full_size(), "full-size", "random"),
        options.candidate: small,
    }
    pictures = torch.from_numpy(np.stack([generate("chest", i, options.size) for i in range(options.images)]))
    result = {
        "images": options.images,
        "size": options.size,
        "turns": options.turns,
        "networks": {
            name: compare(network, pictures[:, None], options.turns) for name, network in networks.items()
        },
        "environment": environment(),
        "command": command_line(),
    }
    write_json(options.out, result)
    print(json.dumps(result["networks"], indent=1))


if __name__ == "__main__":
    main()
