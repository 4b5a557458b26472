"""Little work for whole commands: small made-up pictures, and a registry of codecs with tiny latents."""

import json
import signal
from pathlib import Path

import numpy as np
from PIL import Image

from vaescreen.predictor.files import shipped_path
from vaescreen.screening.cards import PROTOCOL
from vaescreen.storage import read_json

CODECS = ("dct-f16c4", "haar-f16c4", "pca-f16c4")

_CODEC = """
  {name}:
    adapter: linear
    source: {{basis: {basis}}}
    geometry: {{channels: {channels}, factor: 16}}
    domain: none
    family: linear-{basis}
    licence: Apache-2.0
    training_data: none
"""
_NETWORK = """
  {name}:
    adapter: diffusers
    source: {source}
    geometry: {{channels: 4, factor: 8}}
    domain: natural
    family: network
    licence: MIT
    training_data: natural images
    size_mb: 335
"""


def write_pictures(folder: Path, count: int = 12, side: int = 64) -> Path:
    """Write 8-bit gray PNGs `picture-00.png` and on: smooth blobs with an edge and some noise, always the same."""
    folder.mkdir(parents=True, exist_ok=True)
    y, x = np.mgrid[0:side, 0:side] / side
    for number in range(count):
        random = np.random.default_rng(number)
        values = np.zeros((side, side))
        for _ in range(6):
            cx, cy, width, height = random.uniform([0, 0, 0.05, 0.2], [1, 1, 0.3, 1])
            values += height * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * width**2))
        values += 0.3 * (x + y > random.uniform(0.6, 1.4)) + random.normal(0, 0.01, values.shape)
        pixels = (255 * values / values.max()).clip(0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"picture-{number:02}.png")
    return folder


def write_registry(folder: Path, **networks: str) -> Path:
    """Write `registry.yaml` with `CODECS`, a codec that cannot be made, and networks by name and source."""
    codecs = [_CODEC.format(name=name, basis=name.partition("-")[0], channels=4) for name in CODECS]
    impossible = _CODEC.format(name="impossible", basis="dct", channels=257)
    entries = [_NETWORK.format(name=name, source=source) for name, source in networks.items()]
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "registry.yaml"
    file.write_text("candidates:" + "".join([*codecs, impossible, *entries]))
    return file


def write_predictor(folder: Path) -> Path:
    """Write `predictor.json`: the shipped one, made to take score cards of the present protocol."""
    record = read_json(shipped_path("compact"))
    record["definition"]["protocol"] = PROTOCOL
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "predictor.json"
    file.write_text(json.dumps(record))
    return file


def hear_interrupts() -> None:
    """Run in a child before it starts: Ctrl-C counts there even where the test run itself is in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
