"""Sagittal proton-density MR slice of the knee, the front of the leg on the left.

Each structure is a level set, positive inside and about a distance in size. The slice goes through a condyle
(with menisci) or through the notch (with cruciate ligaments). Signals are relative to fat; a surface coil's
bias field and Rician noise come last.
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

FAT, MUSCLE, TENDON, CARTILAGE, FLUID = 0.95, 0.33, 0.06, 0.55, 0.8
"""Signal of the soft tissues where that of pure fat is about 1."""


class Bones(NamedTuple):
    """Level sets of the bones."""

    femur: Array
    tibia: Array
    patella: Array


def draw(rng: Rng, size: int) -> Array:
    """Draw one patient, [size, size] in [0, 1]."""
    shape, texture, grain = rng.spawn(3)
    pose = Pose(
        angle=shape.normal(0, 0.06),
        scale=shape.uniform(1.0, 1.22),
        shift=(shape.normal(0, 0.04), shape.normal(0, 0.05)),
    )
    x, y = pose.grid(size)
    x = x + 0.012 * smooth_field(texture, size, 4)
    y = y + 0.012 * smooth_field(texture, size, 4)
    bones = _bones(shape, x, y)
    image = _soft_tissue(shape, texture, x, y, bones)
    image = _tendons(shape, x, y, image)
    image = _joint(shape, x, y, bones, image)
    image = _marrow(shape, texture, y, bones, image)
    return _acquire(shape, texture, grain, image)


def _lay(image: Array, signal: Array | float, level: Array, softness: float = 0.01) -> Array:
    """Cover the image with `signal` where `level` is positive, the edge at least 1.5 pixels soft."""
    covered: Array = image + (signal - image) * soft_step(level, max(softness, 3 / level.shape[0]))
    return covered


def _ellipse(
    x: Array, y: Array, centre: tuple[float, float], radii: tuple[float, float], tilt: float
) -> Array:
    u, v = x - centre[0], y - centre[1]
    p, q = u * np.cos(tilt) + v * np.sin(tilt), v * np.cos(tilt) - u * np.sin(tilt)
    level: Array = (1 - np.hypot(p / radii[0], q / radii[1])) * min(radii)
    return level


def _union(a: Array, b: Array, blend: float) -> Array:
    """Smooth union of two level sets (quadratic blend)."""
    overlap = np.maximum(blend - np.abs(a - b), 0) / blend
    joined: Array = np.maximum(a, b) + 0.25 * blend * overlap**2
    return joined


def _bones(rng: Rng, x: Array, y: Array) -> Bones:
    """Femur with a condyle, tibia with plateau and tubercle, patella."""
    axis, half = rng.uniform(0.0, 0.1), rng.uniform(0.15, 0.2)
    shaft = np.minimum(half + 0.07 * np.clip(y + 0.75, 0, 1) ** 2 - np.abs(x - axis), -0.2 - y)
    condyle = _ellipse(x, y, (axis + 0.05, -0.13), (rng.uniform(0.34, 0.39), 0.29), rng.normal(0.1, 0.06))
    trochlea = _ellipse(x, y, (axis - 0.16, -0.24), (0.17, 0.2), 0.3)
    femur = _union(_union(shaft, condyle, 0.25), trochlea, 0.08)
    top = 0.235 + rng.normal(0, 0.006) + 0.05 * (x - axis) + 0.06 * (x - axis - 0.05) ** 2
    width = curve([0.2, 0.3, 0.45, 0.7, 1.4], [0.3, 0.34, 0.27, 0.2, 0.19], y)
    tibia = _union(
        np.minimum(0.8 * (width + rng.normal(0, 0.01) - np.abs(x - axis - 0.05)), y - top),
        _ellipse(x, y, (axis - 0.2, 0.46), (0.07, 0.13), 0.3),
        0.06,
    )
    patella = _ellipse(x, y, (axis - 0.5, rng.uniform(-0.33, -0.24)), (0.095, rng.uniform(0.17, 0.21)), 0.12)
    return Bones(femur, tibia, patella)


def _soft_tissue(rng: Rng, texture: Rng, x: Array, y: Array, bones: Bones) -> Array:
    """Skin, lobulated fat under it, muscles with fibres and septa, fat around the joint, vessels."""
    size = x.shape[0]
    stout = rng.uniform(0.94, 1.12)
    front = curve(
        [-1.3, -0.6, -0.28, 0.0, 0.35, 1.3], stout * np.array([-0.56, -0.6, -0.66, -0.6, -0.5, -0.42]), y
    )
    back = curve([-1.3, -0.4, 0.05, 0.4, 1.3], stout * np.array([0.84, 0.74, 0.66, 0.72, 0.8]), y)
    depth = np.minimum(x - front, back - x)
    lobules = fractal_field(texture, size, 12, 4, 0.7)
    image = _lay(np.zeros_like(x), 0.5, depth)
    image = _lay(image, FAT * (1 + 0.06 * lobules), depth - 0.014)
    septa = np.abs(sample_table(smooth_field(texture, 256, 26), (x + 1) / 2, (y + 1) / 6))
    image = image * (1 - 0.4 * soft_step(0.06 - septa, 0.1) * soft_step(depth - 0.02, 0.02))
    bulk = depth - np.where(x < 0, rng.uniform(0.03, 0.06), rng.uniform(0.06, 0.16))
    fibres = sample_table(smooth_field(texture, 512, 70), (x + 0.12 * y + 1.2) / 2.4, (y + 1) / 14)
    muscle = MUSCLE * rng.uniform(0.8, 1.2) * (1 + 0.1 * fibres + 0.06 * lobules)
    streaks = np.abs(sample_table(smooth_field(texture, 256, 14), (x + 0.1 * y + 1.2) / 2.4, (y + 1) / 9))
    muscle = muscle + (0.8 * FAT - muscle) * soft_step(0.05 - streaks, 0.12)
    fascia = 0.008 - np.abs(bulk)
    image = _lay(_lay(image, muscle, bulk, 0.012), 0.15, fascia)
    pads = np.maximum(
        np.maximum(
            _ellipse(x, y, (0.42, -0.28), (0.16, 0.36), -0.15),
            _ellipse(x, y, (-0.32, 0.12), (0.21, 0.19), 0.0),
        ),
        np.maximum(
            _ellipse(x, y, (-0.3, -0.52), (0.1, 0.16), 0.1), _ellipse(x, y, (0.44, 0.14), (0.1, 0.2), 0.0)
        ),
    )
    image = _lay(image, FAT * (0.92 + 0.09 * lobules), np.minimum(pads + 0.03 * lobules, bulk), 0.03)
    pulse = 0.53 + 0.03 * np.sin(3 * y + rng.uniform(0, 6))
    image = _lay(image, 0.08, 0.02 - np.abs(x - pulse))
    image = _lay(image, 0.7, 0.014 - np.abs(x - pulse - 0.055))
    return _lay(image, FLUID, _ellipse(x, y, (-0.3, -0.42), (0.02, rng.uniform(0.05, 0.2)), 0.15))


def _tendons(rng: Rng, x: Array, y: Array, image: Array) -> Array:
    """Quadriceps and patellar tendons; they show faint fibres along their length."""
    path = curve([-1.3, -0.5, -0.3, -0.1, 0.2, 0.5, 0.6], [-0.4, -0.47, -0.52, -0.51, -0.38, -0.24, -0.21], y)
    half = rng.uniform(0.02, 0.034)
    tendon = np.minimum(half - np.abs(x - path), 0.5 - y)
    return _lay(image, TENDON + 0.05 * np.cos(90 * (x - path)), tendon)


def _joint(rng: Rng, x: Array, y: Array, bones: Bones, image: Array) -> Array:
    """Fluid film, cartilage of all three bones, then menisci or cruciate ligaments."""
    thick = rng.uniform(0.022, 0.036)
    femoral = np.minimum(bones.femur + thick, y + 0.36 + 0.5 * np.maximum(-x, 0))
    tibial = np.minimum(np.minimum(bones.tibia + 0.9 * thick, 0.3 - y), 0.33 - np.abs(x - 0.1))
    patellar = np.minimum(bones.patella + thick, x + 0.44)
    space = np.minimum(np.minimum(bones.femur + 0.12, bones.tibia + 0.1), 0.36 - np.abs(x - 0.1))
    image = _lay(image, rng.uniform(0.45, 0.7), np.minimum(space, 0.36 - np.abs(y - 0.1)), 0.02)
    image = _lay(image, FLUID, np.maximum(femoral, tibial) + 0.006)
    gap = np.minimum(-bones.femur - thick, -bones.tibia - 0.9 * thick)
    if rng.random() < 0.65:
        out = np.abs(x - rng.uniform(0.08, 0.12))
        inner, outer = rng.uniform(0.13, 0.18), rng.uniform(0.3, 0.35)
        rim = np.minimum(np.minimum(out - inner, outer - out), 0.13 - np.abs(y - 0.2))
        wedge = np.minimum(gap + 0.004, rim)
        image = _lay(image, 0.1, wedge)
        tear = np.abs(y - 0.19 - rng.uniform(-0.6, 0.6) * (out - 0.26))
        if rng.random() < 0.4:
            image = _lay(image, 0.65, np.minimum(0.006 - tear, np.minimum(wedge, x)))
    else:
        anterior = np.abs(y - 0.1 - 0.9 * (0.08 - x)) * 0.74
        posterior = np.abs(np.hypot(x - 0.14, y - 0.2) - 0.17)
        image = _lay(image, 0.2, np.minimum(0.035 - anterior, 0.17 - np.abs(x - 0.1)), 0.03)
        image = _lay(image, 0.08, np.minimum(0.03 - posterior, x - 0.12), 0.02)
    for level, signal in ((femoral, CARTILAGE), (tibial, 0.95 * CARTILAGE), (patellar, 1.05 * CARTILAGE)):
        image = _lay(image, signal * rng.uniform(0.9, 1.15), level)
    return image


def _marrow(rng: Rng, texture: Rng, y: Array, bones: Bones, image: Array) -> Array:
    """Dark cortical rims and fatty marrow with trabeculae and the scars of the growth plates."""
    size = y.shape[0]
    level = np.maximum(np.maximum(bones.femur, bones.tibia), bones.patella)
    shaft = np.clip((np.abs(y - 0.05) - 0.3) / 0.5, 0, 1)
    cortex = rng.uniform(0.012, 0.018) + rng.uniform(0.008, 0.02) * shaft
    coarse = fractal_field(texture, size, 4, 3, 0.7)
    fine = fractal_field(texture, size, 24, 4, 0.95)
    trabeculae = 1 - np.abs(fractal_field(texture, size, 64, 1, 1.0))
    bright = rng.uniform(0.68, 0.85) * (
        1 + 0.06 * coarse + 0.035 * fine + rng.uniform(0.03, 0.09) * trabeculae
    )
    scar_y = np.where(y < 0.1, -0.36, 0.42) + 0.03 * smooth_field(texture, size, 5)
    scar = soft_step(0.007 - np.abs(y - scar_y), max(0.012, 3 / size)) * soft_step(
        0.5 - bones.patella * 50, 1
    )
    if rng.random() < 0.3:
        oedema = soft_step(smooth_field(texture, size, 3) - 1.2, 0.8)
        bright = bright * (1 - 0.35 * oedema)
    image = _lay(image, 0.05, level)
    return _lay(image, bright * (1 - 0.3 * scar), level - cortex, 0.014)


def _acquire(rng: Rng, texture: Rng, grain: Rng, image: Array) -> Array:
    """Voxel blur, bias field of a surface coil, Rician noise, window."""
    size = image.shape[0]
    blurred = ndimage.gaussian_filter(image, max(0.0016 * size, 0.4), truncate=3)
    signal = blurred * np.exp(rng.uniform(0.08, 0.22) * smooth_field(texture, size, 2.5))
    level = rng.uniform(0.012, 0.035) * np.sqrt(size / 256)
    real, imaginary = noise(grain, size, 0.0016 * size), noise(grain, size, 0.0016 * size)
    magnitude = np.hypot(signal + level * real, level * imaginary)
    shown: Array = np.clip(magnitude * rng.uniform(0.62, 0.95), 0, 1).astype(np.float32)
    return shown
