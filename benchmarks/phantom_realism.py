"""How near the phantoms come to real images in spectrum, sharpness of detail, background and level.

python benchmarks/phantom_realism.py --real ../shared/data/chest/train --anatomy chest --images 200
"""

import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from vaescreen.images.phantoms import ANATOMIES, generate

Pixels = npt.NDArray[np.floating]


class Realism(NamedTuple):
    """Figures of one image, or their means over several."""

    slope: float
    kurtosis: float
    background: float
    mean: float
    sd: float


def spectrum_slope(image: Pixels) -> float:
    """Slope of log power on log frequency between 0.05 and 0.4 cycles a pixel (Hann window, radial bins)."""
    size = image.shape[0]
    window = np.hanning(size)
    power = np.abs(np.fft.fft2((image - image.mean()) * window[:, None] * window)) ** 2
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.fftfreq(size))
    edges = np.geomspace(0.05, 0.4, 17)
    ring = np.digitize(frequency, edges)
    powers = [power[ring == k].mean() for k in range(1, len(edges))]
    centres = [frequency[ring == k].mean() for k in range(1, len(edges))]
    return float(np.polyfit(np.log(centres), np.log(powers), 1)[0])


def haar_kurtosis(image: Pixels) -> float:
    """Kurtosis (3 for a Gaussian) of the finest Haar details, the three bands pooled."""
    even = image[: image.shape[0] // 2 * 2, : image.shape[1] // 2 * 2].astype(np.float64)
    a, b, c, d = even[::2, ::2], even[::2, 1::2], even[1::2, ::2], even[1::2, 1::2]
    details = np.stack([a - b + c - d, a + b - c - d, a - b - c + d])
    centred = details - details.mean()
    return float((centred**4).mean() / (centred**2).mean() ** 2)


def realism(image: Pixels) -> Realism:
    """Measure one image ([H, H] in [0, 1])."""
    return Realism(
        slope=spectrum_slope(image),
        kurtosis=haar_kurtosis(image),
        background=float((image < 0.05).mean()),
        mean=float(image.mean()),
        sd=float(image.std()),
    )


def summary(rows: list[Realism]) -> Realism:
    """Mean over images; the median for kurtosis, which a few images would rule."""
    table = np.array(rows)
    means = dict(zip(Realism._fields, table.mean(axis=0), strict=True))
    return Realism(**{**means, "kurtosis": float(np.median(table[:, 1]))})


def read_folder(folder: Path, images: int, size: int) -> list[Pixels]:
    """Read up to `images` PNG files, spread evenly over the folder, as [size, size] in [0, 1]."""
    paths = sorted(folder.glob("*.png"))
    if not paths:
        raise SystemExit(f"no PNG files in {folder}: give --real a folder of 8-bit PNG images")
    chosen = [paths[k * len(paths) // min(images, len(paths))] for k in range(min(images, len(paths)))]
    return [_read(path, size) for path in chosen]


def _read(path: Path, size: int) -> Pixels:
    picture = Image.open(path).convert("L")
    if picture.size != (size, size):
        picture = picture.resize((size, size), Image.Resampling.LANCZOS)
    return np.asarray(picture, dtype=np.float32) / 255


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--real", type=Path, help="folder of real PNG images; without it only phantoms are shown"
    )
    parser.add_argument("--anatomy", choices=ANATOMIES, default="chest")
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rows = {}
    if options.real is not None:
        rows["real"] = summary([realism(x) for x in read_folder(options.real, options.images, options.size)])
    phantoms = (generate(options.anatomy, k, options.size, options.seed) for k in range(options.images))
    rows["phantom"] = summary([realism(x) for x in phantoms])
    print(f"{options.anatomy:8} {'slope':>7} {'kurtosis':>9} {'background':>11} {'mean':>6} {'SD':>6}")
    for name, r in rows.items():
        print(f"{name:8} {r.slope:7.2f} {r.kurtosis:9.1f} {r.background:11.3f} {r.mean:6.3f} {r.sd:6.3f}")


if __name__ == "__main__":
    main()
