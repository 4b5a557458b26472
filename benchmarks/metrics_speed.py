"""Time of all metrics of a comparison against a plain loop over images with torchmetrics, PyWavelets and NumPy.

Both score the same reconstructions of generated images, one after the other in one process and with one thread,
in chunks that alternate, so that other work on the machine slows both; the ratio is what counts. Time is processor
time. The loop computes what its libraries have ready: PSNR, SSIM, MS-SSIM, NRMSE, two wavelet transforms of either
image, hallucination and the radial spectrum; `vaescreen` computes every column of `vaescreen compare`.

python benchmarks/metrics_speed.py --images 200 --output benchmarks/results/metrics_speed.json
"""

import argparse
import time
from pathlib import Path

import numpy as np
import pywt
import torch
from scipy import ndimage
from torch import Tensor
from torchmetrics.functional.image import (
    multiscale_structural_similarity_index_measure,
    peak_signal_noise_ratio,
    structural_similarity_index_measure,
)

from vaescreen.environment import command_line, environment
from vaescreen.metrics.hallucination import common_threshold, error_threshold, excess
from vaescreen.metrics.table import detailed_metrics
from vaescreen.storage import write_json

BATCH = 4


def pairs(count: int, size: int, seed: int) -> tuple[Tensor, Tensor]:
    """Smooth images with texture, and blurred noisy copies of them."""
    random = np.random.default_rng(seed)
    truth = ndimage.gaussian_filter(random.normal(size=(count, size, size)), (0, 3, 3))
    truth = 0.5 + 0.15 * truth / truth.std() + 0.02 * random.normal(size=truth.shape)
    made = ndimage.gaussian_filter(truth, (0, 1, 1)) + 0.005 * random.normal(size=truth.shape)
    first, second = (torch.from_numpy(each.clip(0, 1)).float()[:, None] for each in (truth, made))
    return first, second


def ours(truth: Tensor, made: Tensor) -> None:
    """Score as `vaescreen compare` does: with its batches, tables, and both thresholds of hallucination."""
    for first, second in zip(truth.split(BATCH), made.split(BATCH), strict=True):
        detailed_metrics(first, second)
        for threshold in (error_threshold(first, second), common_threshold(first, [second])):
            excess(first, second, threshold)


def plain(truth: Tensor, made: Tensor) -> None:
    """Score an image at a time with the usual libraries, in float64 as ours."""
    for first, second in zip(truth.double().split(1), made.double().split(1), strict=True):
        peak_signal_noise_ratio(second, first, data_range=1.0)
        structural_similarity_index_measure(second, first, data_range=1.0)
        multiscale_structural_similarity_index_measure(second, first, data_range=1.0)
        a, b = first[0, 0].numpy(), second[0, 0].numpy()
        np.sqrt(((a - b) ** 2).mean() / (a**2).mean())
        mask = ndimage.uniform_filter(a, 5) > 0.05
        np.log10(((a - b)[mask] ** 2).mean())
        for wavelet in ("haar", "sym4"):
            bands = [pywt.wavedec2(image, wavelet, mode="periodization", level=3) for image in (a, b)]
            for ours_, theirs in zip(*bands, strict=True):
                np.mean((np.asarray(ours_) - np.asarray(theirs)) ** 2)
        error = np.abs(a - b)
        for _ in range(2):
            threshold = error.mean() + 2 * error.std()
            for marked in (b - a > threshold, a - b > threshold):
                marked.mean()
        rows, columns = np.fft.fftfreq(a.shape[0]), np.fft.fftfreq(a.shape[1])
        place = np.ceil(np.hypot(rows[:, None], columns[None]) * 64).astype(int)
        for image in (a, b, a - b):
            np.bincount(place.ravel(), (np.abs(np.fft.fft2(image)) ** 2).ravel())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--chunk", type=int, default=20)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    spent = {"vaescreen": 0.0, "loop": 0.0}
    for score in (ours, plain):
        score(*pairs(BATCH, options.size, 0))
    for start in range(0, options.images, options.chunk):
        truth, made = pairs(min(options.chunk, options.images - start), options.size, start + 1)
        for name, score in (("vaescreen", ours), ("loop", plain)):
            before = time.process_time()
            score(truth, made)
            spent[name] += time.process_time() - before
    per_image = {name: seconds / options.images for name, seconds in spent.items()}
    result = {
        "images": options.images,
        "size": options.size,
        "ms_per_image": {name: round(1000 * seconds, 2) for name, seconds in per_image.items()},
        "ratio": round(per_image["loop"] / per_image["vaescreen"], 2),
        "seconds_for_1000_images_on_one_core": round(1000 * per_image["vaescreen"], 1),
        "environment": environment("cpu"),
        "command": command_line(),
    }
    for key in ("images", "size", "ms_per_image", "ratio", "seconds_for_1000_images_on_one_core"):
        print(f"{key}: {result[key]}")
    if options.output:
        write_json(options.output, result)


if __name__ == "__main__":
    main()
