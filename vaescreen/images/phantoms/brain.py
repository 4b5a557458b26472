"""Axial T1-weighted MR slice of the head after contrast agent.

Layers from the skin inwards follow a depth map of the head; the cortex follows a folded level set, the
signed distance to the nearest cerebrospinal fluid, be it on the surface or in a sulcus. Signals are relative
to scalp fat; a coil's bias field and Rician noise come last.
"""

from typing import NamedTuple

import numpy as np
from scipy import ndimage

from vaescreen.images.phantoms.fields import (
    Array,
    Pose,
    Rng,
    curve,
    fractal_field,
    noise,
    sample_table,
    smooth_field,
    soft_step,
)

FLUID, GRAY, WHITE, VEIN = 0.1, 0.36, 0.46, 0.95
"""Signal of fluid, gray and white matter and enhancing veins where that of fat is about 1."""


class Lesion(NamedTuple):
    """A tumour: where it is and how large; radius 0 stands for none."""

    x: float
    y: float
    radius: float


def draw(rng: Rng, size: int) -> Array:
    """Draw one patient, [size, size] in [0, 1]."""
    shape, texture, grain = rng.spawn(3)
    pose = Pose(
        angle=shape.normal(0, 0.09),
        scale=shape.uniform(0.9, 1.1),
        shift=(shape.normal(0, 0.03), shape.normal(0, 0.03)),
    )
    x, y = pose.grid(size)
    pixel = 2 / size / pose.scale
    depth, theta = _head(shape, texture, x, y, size)
    lesion = _choose_lesion(shape)
    high = shape.random() < 0.4
    image, cavity = _skull(shape, texture, depth, theta, pixel)
    inner_x, inner_y = _displaced(texture, x, y, lesion, size)
    tissue = _cortex(shape, texture, cavity, theta, pixel)
    if not high:
        tissue = _deep(shape, inner_x, inner_y, tissue, pixel)
    tissue = _midline(shape, inner_x, inner_y, tissue, cavity, whole=high)
    if lesion.radius:
        tissue = _tumour(shape, texture, np.hypot(x - lesion.x, y - lesion.y), lesion.radius, tissue)
    tissue = tissue * (1 + 0.03 * fractal_field(texture, size, 10, 5, 0.85))
    image += (tissue - image) * soft_step(cavity, max(0.012, 1.5 * pixel))
    return _acquire(shape, texture, grain, image)


def _head(rng: Rng, texture: Rng, x: Array, y: Array, size: int) -> tuple[Array, Array]:
    """Depth below the skin (about a distance) and angle from the back of the head, each [size, size]."""
    a, b = rng.uniform(0.64, 0.7), rng.uniform(0.76, 0.84)
    egg = 1 + rng.uniform(0.04, 0.14) * y
    wobble = 0.012 * smooth_field(texture, size, 3)
    radius = ((np.abs(x) * (2 - egg) / a) ** 2.2 + (np.abs(y) / b) ** 2.2) ** (1 / 2.2)
    return (1 - radius) * (a + b) / 2 + wobble, np.arctan2(x, -y)


def _skull(rng: Rng, texture: Rng, depth: Array, theta: Array, pixel: float) -> tuple[Array, Array]:
    """Signal of scalp, bone and marrow, and depth below the inner table."""
    uneven = smooth_field(texture, depth.shape[0], 7)
    side = np.sin(theta) ** 2
    fat = rng.uniform(0.03, 0.06) * (1 + 0.25 * np.cos(theta - np.pi) - 0.25 * side) + 0.004 * uneven
    marrow = rng.uniform(0.015, 0.05) * (1 - 0.4 * side)
    layers: list[tuple[Array | float, Array | float]] = [
        (0.0, 0.55),
        (0.012, rng.uniform(0.85, 1.1) * (1 + 0.14 * uneven)),
        (fat, 0.18),
        (fat + 0.014, 0.06),
        (fat + 0.026, rng.uniform(0.3, 0.75) * (1 + 0.25 * smooth_field(texture, depth.shape[0], 16))),
        (fat + 0.026 + marrow, 0.05),
        (fat + 0.046 + marrow, rng.uniform(0.25, 0.75)),
        (fat + 0.055 + marrow, FLUID),
    ]
    image = np.zeros_like(depth)
    for start, signal in layers:
        image += (signal - image) * soft_step(depth - start, max(0.014, 1.5 * pixel))
    return image, depth - fat - 0.055 - marrow


def _choose_lesion(rng: Rng) -> Lesion:
    if rng.random() < 0.35:
        return Lesion(0, 0, 0)
    angle, far = rng.uniform(0, 2 * np.pi), rng.uniform(0.1, 0.42)
    return Lesion(far * np.cos(angle), far * 1.15 * np.sin(angle), rng.uniform(0.05, 0.17))


def _displaced(texture: Rng, x: Array, y: Array, lesion: Lesion, size: int) -> tuple[Array, Array]:
    """Coordinates of the anatomy, made asymmetric, and pushed aside by a tumour (mass effect)."""
    x = x + 0.018 * smooth_field(texture, size, 4)
    y = y + 0.018 * smooth_field(texture, size, 4)
    if lesion.radius:
        dx, dy = x - lesion.x, y - lesion.y
        push = 0.5 * lesion.radius * np.exp(-(dx**2 + dy**2) / (3 * lesion.radius) ** 2)
        distance = np.hypot(dx, dy) + 0.05
        x, y = x - push * dx / distance, y - push * dy / distance
    return x, y


def _cortex(rng: Rng, texture: Rng, cavity: Array, theta: Array, pixel: float) -> Array:
    """Fluid, cortical ribbon and white matter from the folded level set, with veins in some sulci."""
    size = cavity.shape[0]
    atrophy = rng.uniform(0.0, 1.0)
    surface = cavity - 0.006 - 0.018 * atrophy
    around = (theta / (2 * np.pi) + 0.5) % 1
    inwards = np.clip(cavity / 0.7, 0, 1)
    folds = sample_table(smooth_field(texture, 512, 52), around, inwards * 0.24)
    folds = folds + 0.6 * smooth_field(texture, size, 20)
    fold_y, fold_x = np.gradient(folds, pixel)
    crease = np.abs(folds) / (np.hypot(fold_x, fold_y) + 3)
    reach = rng.uniform(0.08, 0.18) * (1 + 0.5 * smooth_field(texture, size, 6))
    open_ = (0.001 + 0.008 * atrophy) * (1 + 0.4 * smooth_field(texture, size, 8))
    sulcus = np.hypot(crease, np.maximum(surface - reach, 0)) - open_
    level = np.minimum(surface, sulcus)
    ribbon = rng.uniform(0.03, 0.045)
    tissue = FLUID + (GRAY - FLUID) * soft_step(level, max(0.008, 1.5 * pixel))
    contrast = rng.uniform(0.3, 1.2)
    tissue = tissue + contrast * (WHITE - GRAY) * soft_step(level - ribbon, max(0.02, 1.5 * pixel))
    veins = soft_step(smooth_field(texture, size, 9) - rng.uniform(0.5, 1.1), 0.3)
    thin = soft_step(0.008 - np.hypot(crease, np.maximum(surface - 1.2 * reach, 0)), max(0.008, 1.5 * pixel))
    return tissue + (VEIN * rng.uniform(0.6, 1.0) - tissue) * veins * thin


def _deep(rng: Rng, x: Array, y: Array, tissue: Array, pixel: float) -> Array:
    """Basal ganglia and thalami, insulae, lateral and third ventricles, choroid plexus."""
    wide = rng.uniform(0.35, 1.5)
    edge = max(0.012, 1.5 * pixel)
    far = np.abs(x)

    def blob(cx: float, cy: float, rx: float, ry: float, tilt: float) -> Array:
        u, v = far - cx, y - cy
        p, q = u * np.cos(tilt) + v * np.sin(tilt), v * np.cos(tilt) - u * np.sin(tilt)
        return soft_step((1 - np.hypot(p / rx, q / ry)) * min(rx, ry), 2 * edge)

    for region, signal in (
        (blob(0.1, 0.1, 0.075, 0.12, -0.35), GRAY + 0.03),
        (blob(0.15, -0.18, 0.04, 0.09, -0.5), GRAY),
        (blob(0.26, -0.03, 0.045, 0.14, -0.3), GRAY + 0.01),
    ):
        tissue = tissue + (signal - tissue) * region
    insula = 0.4 + 0.05 * np.sin(5 * y + 0.5) + 0.015 * np.sin(31 * y + 20 * x) - far
    gap = np.hypot(insula, np.maximum(np.abs(y + 0.03) - 0.15, 0))
    tissue = tissue + (GRAY - tissue) * soft_step(0.035 - gap, edge)
    tissue = tissue + (FLUID - tissue) * soft_step(rng.uniform(0.004, 0.014) - gap, edge)
    middle = curve([-0.42, -0.3, -0.05, 0.12, 0.3, 0.5], [0.13, 0.1, 0.04, 0.1, 0.17, 0.17], y)
    half = curve(
        [-0.42, -0.33, -0.22, -0.05, 0.1, 0.24, 0.36, 0.5],
        [-0.05, 0.015, 0.04, 0.02, 0.024, 0.045, 0.01, -0.05],
        y,
    )
    ventricle = np.where(half > 0, wide, 1) * half - np.abs(far - middle)
    third = 0.012 * wide - np.hypot(x, np.maximum(np.abs(y - 0.08) - 0.08, 0))
    fluid = soft_step(np.maximum(ventricle, third), edge)
    tissue = tissue + (FLUID - tissue) * fluid
    plexus = soft_step(0.014 - np.hypot(far - 0.15, (y - 0.24) * 0.4), edge) * fluid
    return tissue + (rng.uniform(0.35, 0.75) - tissue) * plexus


def _midline(rng: Rng, x: Array, y: Array, tissue: Array, cavity: Array, *, whole: bool) -> Array:
    """Interhemispheric fissure with the enhancing falx, and the sagittal sinus at the back."""
    edge = max(0.008, 3 / x.shape[0])
    off = np.abs(x + 0.008 * np.sin(9 * y + rng.uniform(0, 6)))
    along = np.zeros_like(y) if whole else np.maximum(np.minimum(y + 0.42, 0.44 - y), 0)
    gap = np.hypot(off, along)
    tissue = tissue + (GRAY - tissue) * soft_step(0.035 - gap, 2 * edge)
    tissue = tissue + (FLUID - tissue) * soft_step(rng.uniform(0.006, 0.016) - gap, edge)
    tissue = tissue + (rng.uniform(0.4, 0.8) - tissue) * soft_step(0.004 - gap, edge)
    sinus = np.where(y > 0, 0.035, 0.016) - off - 0.6 * np.maximum(cavity - 0.005, 0)
    return tissue + (VEIN - tissue) * soft_step(sinus, edge)


def _tumour(rng: Rng, texture: Rng, distance: Array, radius: float, tissue: Array) -> Array:
    """Oedema in the white matter, an enhancing rim or a solid mass, a necrotic core."""
    size = tissue.shape[0]
    ragged = fractal_field(texture, size, 7, 4, 0.6)
    distance = distance - radius * (1 + 0.22 * ragged)
    oedema = soft_step(rng.uniform(0.03, 0.16) * (1 + 0.5 * ragged) - distance, 0.05)
    tissue = tissue * (1 - rng.uniform(0.15, 0.4) * oedema * soft_step(tissue - GRAY, 0.08))
    enhancing = rng.uniform(0.6, 1.05) * (1 + 0.1 * fractal_field(texture, size, 16, 3, 0.8))
    edge = max(0.012, 3 / size)
    tissue = tissue + (enhancing - tissue) * soft_step(-distance, edge)
    if rng.random() < 0.65:
        rim = rng.uniform(0.014, 0.04) * (1 + 0.5 * smooth_field(texture, size, 10))
        core = rng.uniform(0.12, 0.3) * (1 + 0.15 * ragged)
        tissue = tissue + (core - tissue) * soft_step(-distance - rim, edge)
    return tissue


def _acquire(rng: Rng, texture: Rng, grain: Rng, image: Array) -> Array:
    """Voxel blur, bias field, faint ghost along the phase-encoding direction, Rician noise, window."""
    size = image.shape[0]
    image = ndimage.gaussian_filter(image, max(0.0016 * size, 0.4), truncate=3)
    signal = image * np.exp(rng.uniform(0.05, 0.16) * smooth_field(texture, size, 2.5))
    signal = signal + rng.uniform(0.004, 0.02) * np.roll(image, size // 2, axis=int(rng.integers(2)))
    level = rng.uniform(0.008, 0.022) * np.sqrt(size / 256)
    real, imaginary = noise(grain, size, 0.0016 * size), noise(grain, size, 0.0016 * size)
    magnitude = np.hypot(signal + level * real, level * imaginary)
    shown: Array = np.clip(magnitude * rng.uniform(0.5, 0.84), 0, 1).astype(np.float32)
    return shown
