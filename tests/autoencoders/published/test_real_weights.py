"""Published networks with their published weights: the PSNR that their sources state, from the same files."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from vaescreen.autoencoders import fingerprint_of, open_autoencoder
from vaescreen.autoencoders.published.files import WEIGHTS_FOLDER
from vaescreen.autoencoders.weights import available, locate
from vaescreen.errors import CandidateError
from vaescreen.metrics.fidelity import psnr
from vaescreen.registry.catalogue import Registry, shipped_file

SHARED = Path(os.environ.get("VAESCREEN_TEST_MATERIAL", Path(__file__).parents[4] / "shared"))
STATED = {
    "cd16x-f2c32": (34.58, 34.10, 31.30),
    "cd16x-f4c64": (30.07, 29.91, 27.37),
    "cd16x-f8c128": (24.95, 26.01, 23.91),
    "celebahq-vq": (28.89, 25.46, 24.33),
    "eurosat-ae": (25.18, 19.68, 22.67),
    "firn-plus": (33.68, 29.00, 25.97),
    "vq-cifar": (33.11, 30.14, 27.56),
}
"""Mean PSNR (dB) of 16 chest, brain and photographic test images at 128 pixels, as published with the files."""


@pytest.fixture(autouse=True)
def weights(monkeypatch: pytest.MonkeyPatch) -> None:
    if not (SHARED / "weights").is_dir() or not (SHARED / "data").is_dir():
        pytest.skip(f"no published weights and images in {SHARED}")
    monkeypatch.setenv(WEIGHTS_FOLDER, str(SHARED / "weights"))


@pytest.fixture(scope="module")
def images() -> list[torch.Tensor]:
    batches = []
    for data in ("chest", "brain", "natural"):
        files = sorted((SHARED / "data" / data / "test").glob("*.png"))
        if not files:
            pytest.skip("needs the images of ../shared/data")
        chosen = files[: len(files) // 16 * 16 : len(files) // 16]
        gray = [Image.open(file).convert("L").resize((128, 128), Image.Resampling.BOX) for file in chosen]
        batches.append(torch.from_numpy(np.stack([np.asarray(g, np.float32) / 255 for g in gray])[:, None]))
    return batches


@pytest.mark.parametrize("name", STATED)
def test_reaches_what_its_source_states(name: str, images: list[torch.Tensor]) -> None:
    candidate = Registry.read(shipped_file()).candidate(name)
    autoencoder = open_autoencoder(candidate)
    assert autoencoder.geometry == candidate.geometry
    assert autoencoder.fingerprint == fingerprint_of(candidate)
    for batch, stated in zip(images, STATED[name], strict=True):
        decoded = autoencoder.decode(autoencoder.encode(batch), (128, 128))
        assert float(psnr(batch, decoded).mean()) == pytest.approx(stated, abs=0.006)


def test_without_the_folder_they_are_missing_and_say_how_to_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(WEIGHTS_FOLDER)
    candidate = Registry.read(shipped_file()).candidate("firn-plus")
    assert not available(candidate)
    with pytest.raises(
        CandidateError, match=r"registry pull firn-plus` fetches it \(1.6 MB\) from github.com/"
    ):
        locate(candidate)
