"""Dead-leaves images: opaque shapes of power-law size that cover each other (Lee, Mumford & Huang, 2001).

Their edges, occlusions and scale-free sizes give the statistics of photographs without any photograph, so an
autoencoder trained on them is a generic one with nothing to license.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Array = NDArray[np.float32]

SMALLEST_RADIUS, LARGEST_RADIUS = 1.5 / 256, 0.35
RADIUS_EXPONENT = 2.0
LEAVES = 500


def draw_dead_leaves(index: int, size: int, seed: int = 0) -> Array:
    """Draw one image.

    Parameters
    ----------
    index
        Which image, 0 or more; images do not depend on the order in which they are asked for.
    size
        Height and width in pixels.
    seed
        Which population, 0 or more.

    Returns
    -------
    numpy.ndarray
        float32 [size, size] in [0, 1].
    """
    rng = np.random.default_rng([0x1EAF, seed, index])
    image = np.full((size, size), rng.uniform(), dtype=np.float32)
    for radius in np.sort(_radii(rng))[::-1] * size:
        _cover(image, rng, max(float(radius), 1.0))
    image = ndimage.gaussian_filter(image, rng.uniform(0.3, 0.8))
    image += rng.normal(0, rng.uniform(0, 0.01), image.shape).astype(np.float32)
    clipped: Array = np.clip(image, 0, 1)
    return clipped


def _radii(rng: np.random.Generator) -> NDArray[np.float64]:
    """Sizes of density r^-2 between the limits, by inversion."""
    low, high = SMALLEST_RADIUS ** (1 - RADIUS_EXPONENT), LARGEST_RADIUS ** (1 - RADIUS_EXPONENT)
    radii: NDArray[np.float64] = (low + rng.uniform(size=LEAVES) * (high - low)) ** (
        1 / (1 - RADIUS_EXPONENT)
    )
    return radii


def _cover(image: Array, rng: np.random.Generator, radius: float) -> None:
    """Put one shaded, textured ellipse or rectangle over the image; edges are one pixel soft."""
    size = image.shape[0]
    cy, cx = rng.uniform(-0.05, 1.05, 2) * size
    reach = int(np.ceil(radius)) + 2
    top, left = max(0, int(cy) - reach), max(0, int(cx) - reach)
    bottom, right = min(size, int(cy) + reach + 1), min(size, int(cx) + reach + 1)
    angle, aspect, is_box = rng.uniform(0, np.pi), rng.uniform(0.35, 1), rng.uniform() < 0.4
    shade, slope = rng.beta(0.9, 0.9), rng.normal(0, 0.15, 2)
    contrast = rng.uniform(0, 0.08) if rng.uniform() < 0.5 else 0.0
    wavelength, phase = rng.uniform(2.5, 16), rng.uniform(0, 2 * np.pi)
    if top >= bottom or left >= right:
        return
    y, x = np.mgrid[top:bottom, left:right].astype(np.float32)
    u = (x - cx) * np.cos(angle) + (y - cy) * np.sin(angle)
    v = (y - cy) * np.cos(angle) - (x - cx) * np.sin(angle)
    half = radius * aspect
    if is_box:
        inside = np.minimum(0.7 * radius - np.abs(u), 0.7 * half - np.abs(v))
    else:
        inside = (1 - np.hypot(u / radius, v / half)) * half
    alpha = np.clip(inside + 0.5, 0, 1)
    shading = shade + (slope[0] * u + slope[1] * v) / max(radius, 1) * 0.5
    if contrast and radius > wavelength:
        shading = shading + contrast * np.sin(2 * np.pi * v / wavelength + phase)
    window = image[top:bottom, left:right]
    window += alpha * (np.clip(shading, 0, 1) - window)
