"""Gains over patch PCA: the ceiling is a mean PSNR, and no test image is a training image."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio

from benchmarks.bundling.corpus import domain_images
from benchmarks.bundling.gains import ceiling
from vaescreen.autoencoders.linear import LinearCodec, haar_vectors

ROOT = Path(__file__).parents[3]


def test_ceiling_is_the_mean_psnr_of_the_round_trip():
    images = domain_images("generic", Path(), "val", 32)[:20]
    codec = LinearCodec(haar_vectors(4)[:1], 4, "haar-f4c1")
    blocks = images.numpy().reshape(20, 8, 4, 8, 4).mean((2, 4))
    expected = np.mean(
        [
            peak_signal_noise_ratio(image[0], block.repeat(4, 0).repeat(4, 1), data_range=1)
            for image, block in zip(images.numpy(), blocks, strict=True)
        ]
    )
    assert ceiling(codec, images) == pytest.approx(expected, abs=1e-4)


def test_the_splits_of_dead_leaves_share_no_image():
    val, test = (domain_images("generic", Path(), split, 32) for split in ("val", "test"))
    assert len(val) == len(test) == 100
    assert len(torch.unique(torch.cat([val, test]).flatten(1), dim=0)) == 200


def test_a_folder_that_is_not_there_is_one_line(tmp_path):
    command = [sys.executable, "-m", "benchmarks.bundling.gains", "--chest", str(tmp_path / "none")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert "none" in done.stderr
