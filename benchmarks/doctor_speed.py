"""How long `vaescreen registry check` examines autoencoders of the architectures of TAESD and of Stable Diffusion.

    python -m benchmarks.doctor_speed --out benchmarks/results/doctor_speed.json

Processor seconds of one thread, on phantoms of the size that the command takes. The networks have random weights and do
all their work; but what they give is set aside, and latents are the means of blocks of pixels, so that images come back
and no check is left out.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vaescreen.autoencoders.classes import NetworkClass
from vaescreen.autoencoders.contract import Geometry
from vaescreen.autoencoders.networks import NetworkAutoencoder
from vaescreen.autoencoders.scaling import unscaled
from vaescreen.environment import environment
from vaescreen.images import open_data
from vaescreen.registry.settings import Settings
from vaescreen.screening.doctor.examine import IMAGES, examine
from vaescreen.storage import write_json

SIZE, FACTOR, CHANNELS = 128, 8, 4
LIMITS = {"AutoencoderTiny": 10.0, "AutoencoderKL": 30.0}
"""CPU seconds that an examination should take at most, by class."""


class Blocks(nn.Module):
    """A network whose work is done, and the means of blocks of pixels in place of what it gives."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def encode(self, images: Tensor) -> Any:
        """Posterior or latents of `[B, 3, H, W]`, their mean set to the means of the blocks."""
        encoded = self.network.encode(images)
        means = F.avg_pool2d(images[:, :1], FACTOR).expand(-1, CHANNELS, -1, -1)
        if not hasattr(encoded, "latent_dist"):
            return {"latents": means.clone()}
        encoded.latent_dist.mean = means.clone()
        return encoded

    def decode(self, latents: Tensor) -> Tensor:
        """Images `[B, 3, H, W]` of blocks of one value."""
        self.network.decode(latents)
        return F.interpolate(latents[:, :1], scale_factor=FACTOR).expand(-1, 3, -1, -1)


def networks() -> dict[str, Callable[[], Any]]:
    """A small and a large architecture, by the name of their class."""
    from diffusers import AutoencoderKL, AutoencoderTiny

    return {
        "AutoencoderTiny": AutoencoderTiny,
        "AutoencoderKL": lambda: AutoencoderKL(
            block_out_channels=(128, 256, 512, 512),
            layers_per_block=2,
            latent_channels=CHANNELS,
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
        ),
    }


def measure(make: Callable[[], Any]) -> dict[str, Any]:
    """Examine one network: CPU seconds in all, and wall seconds by check."""
    torch.manual_seed(0)
    network = Blocks(make()).eval()
    description = NetworkClass(
        factor=lambda _: FACTOR,
        latent_channels=lambda _: CHANNELS,
        image_channels=lambda _: 3,
        native=unscaled,
    )
    images = next(open_data("chest", size=SIZE, train_images=2, test_images=3).batches("test", IMAGES)).images

    def opened(settings: Settings) -> NetworkAutoencoder:
        return NetworkAutoencoder(network, "timed", "0", settings=settings, description=description)

    began = time.process_time()
    report = examine("timed", Geometry(CHANNELS, FACTOR), opened, images, multiple=FACTOR)
    seconds = time.process_time() - began
    if report.refused:
        sys.exit(report.refusal)
    return {
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "cpu_s": round(seconds, 1),
        "verdict": report.verdict,
        "check_s": {finding.check: round(finding.seconds, 2) for finding in report.findings},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    timed = {name: measure(make) for name, make in networks().items()}
    command = "python -m benchmarks.doctor_speed --out benchmarks/results/doctor_speed.json"
    result = {"command": command, "size": SIZE, "networks": timed, "environment": environment()}
    if options.out:
        write_json(options.out, result)
    for name, found in timed.items():
        print(
            f"{name} of {found['parameters'] / 1e6:.1f} M parameters: {found['cpu_s']} s "
            f"(at most {LIMITS[name]:g} s is aimed at); {found['verdict']}"
        )


if __name__ == "__main__":
    main()
