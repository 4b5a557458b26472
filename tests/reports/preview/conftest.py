from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Texture = Callable[..., np.ndarray]


def quantised(image: np.ndarray) -> np.ndarray:
    """The image as an 8-bit file would hold it."""
    return (np.rint(255 * image.clip(0, 1)) / 255).astype(np.float32)


def make_texture(seed: int = 0, side: int = 256) -> np.ndarray:
    """Noise whose amplitude falls with frequency as that of photographs does, and 8 bits."""
    fy, fx = np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)
    noise = np.fft.rfft2(np.random.default_rng(seed).normal(size=(side, side)))
    image = np.fft.irfft2(noise / np.maximum(np.hypot(fy, fx), 1 / side) ** 1.2, s=(side, side))
    return quantised(0.5 + 0.14 * (image - image.mean()) / image.std())


@pytest.fixture(autouse=True)
def folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fresh cache and a fresh key for every test."""
    monkeypatch.setenv("VAESCREEN_CACHE", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setenv("VAESCREEN_CONFIG", str(tmp_path_factory.mktemp("config")))


@pytest.fixture
def texture() -> Texture:
    return make_texture


@pytest.fixture
def as_8_bit() -> Callable[[np.ndarray], np.ndarray]:
    return quantised


@pytest.fixture
def write_textures(tmp_path: Path) -> Callable[..., Path]:
    """Write textures of seeds 0, 1, 2, ... under the given names, with a manifest that keeps them in their splits."""

    def write(**names: list[str]) -> Path:
        folder = tmp_path / "kept"
        folder.mkdir()
        rows = ["file,split,patient_id"]
        everything = [(split, name) for split, listed in names.items() for name in listed]
        for seed, (split, name) in enumerate(everything):
            pixels = np.rint(255 * make_texture(seed, 128)).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name)
            rows.append(f"{name},{split},patient-of-{name}")
        (folder / "manifest.csv").write_text("\n".join(rows) + "\n")
        return folder

    return write
