from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh cache for every test."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("VAESCREEN_CACHE", str(folder))
    return folder


@pytest.fixture
def write_images(tmp_path: Path) -> Callable[..., Path]:
    """Write 8-bit gray noise under the given names; the same names give the same pixels."""

    def write(*names: str, folder: str = "data", side: int = 32) -> Path:
        for name in names:
            path = tmp_path / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            pixels = np.random.default_rng(list(name.encode())).integers(0, 256, (side, side), np.uint8)
            Image.fromarray(pixels).save(path)
        return tmp_path / folder

    return write
