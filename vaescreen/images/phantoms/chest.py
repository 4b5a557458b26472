"""Frontal chest X-ray: attenuation of soft tissue, air and bone added up along rays, then log and display.

Thickness maps (body, lungs, mediastinum with heart, abdomen) are heights over silhouettes; ribs, clavicles,
scapulae, vessels, airways and markers are tubes projected from space. Picture right is patient left.
"""

import numpy as np
from scipy import ndimage

from vaescreen.images.phantoms.fields import (
    Array,
    Points,
    Pose,
    Rng,
    Section,
    Tube,
    curve,
    fractal_field,
    lettering,
    noise,
    project_tubes,
    smooth_field,
    soft_step,
)

BONE = 3.2
"""Attenuation of cortical bone where that of soft tissue is 1."""


def draw(rng: Rng, size: int) -> Array:
    """Draw one patient, [size, size] in [0, 1]."""
    shape, texture, grain = rng.spawn(3)
    pose = Pose(
        angle=shape.normal(0, 0.025),
        scale=shape.uniform(0.98, 1.24),
        shift=(shape.normal(0, 0.04), shape.normal(0.04, 0.05)),
    )
    x, y = pose.grid(size)
    pixel = 2 / size / pose.scale
    build = shape.uniform(0.9, 1.08)
    lungs = _lungs(shape, x, y, build, pixel)
    heart = _mediastinum(shape, x, y, pixel)
    air = np.maximum(lungs - heart, 0.12 * lungs)
    air *= 1 - np.clip(_opacity(shape, texture, x, y, size), 0, 0.9)
    air += _stomach_bubble(shape, x, y)
    body = _body(shape, x, y, build)
    texture_of_tissue = fractal_field(texture, size, 6, 6, 0.8)
    tissue = body * (1 + 0.024 * texture_of_tissue) - air * (
        1 + 0.1 * fractal_field(texture, size, 10, 5, 0.95)
    )
    tubes = [
        *_ribs(shape, build),
        *_girdle(shape, build),
        *_spine(shape),
        *_airways(shape),
        *_vessels(shape, build),
    ]
    tubes = [t._replace(points=pose.project(t.points), radius=t.radius * pose.scale) for t in tubes]
    attenuation = tissue + project_tubes(tubes, size) + _vertebrae(shape, x, y, pixel)
    lead = project_tubes(_markers(shape), size)
    counts = shape.uniform(0.6, 1.6) * (256 / size) ** 2
    return _expose(shape, grain, np.maximum(attenuation, 0), lead, counts)


def _body(rng: Rng, x: Array, y: Array, build: float) -> Array:
    """Thickness of trunk, neck, shoulders, arms and sometimes breasts; the middle of the trunk is about 1."""
    shoulder = rng.uniform(-0.85, -0.68)
    knots = [-1.4, shoulder - 0.12, shoulder, shoulder + 0.16, shoulder + 0.4, 0.3, 1.4]
    girth = build * rng.uniform(0.9, 1.04)
    width = np.array([0.27, 0.38, 0.86, 1.16, 0.97 * girth, 0.94 * girth, 0.99 * girth])
    half = curve(knots, width + rng.normal(0, 0.012, 7), y)
    inside = np.clip(1 - (x / half) ** 2, 0, 1)
    depth = curve([-1.2, shoulder, -0.2, 0.5, 1.2], [0.5, 0.62, 0.94, 1.0, 1.08], y)
    trunk = depth * inside**0.42
    for side in (-1, 1):
        arm_x = side * (0.99 * build + rng.uniform(0, 0.06) + 0.12 * (y - shoulder))
        arm_r = rng.uniform(0.15, 0.2)
        arm = np.sqrt(np.clip(1 - ((x - arm_x) / arm_r) ** 2, 0, 1)) * soft_step(y - shoulder - 0.2, 0.35)
        trunk = np.maximum(trunk, 0.5 * arm) + 0.15 * arm * trunk
    if rng.random() < 0.45:
        low, fullness = rng.uniform(0.3, 0.6), rng.uniform(0.1, 0.22)
        for side in (-1, 1):
            r2 = ((x - side * rng.uniform(0.5, 0.58)) / 0.38) ** 2 + ((y - low + 0.3) / 0.32) ** 2
            trunk = trunk + fullness * np.clip(1 - r2, 0, 1) ** 0.6 * soft_step(y - low + 0.42, 0.4)
    return trunk


def _lungs(rng: Rng, x: Array, y: Array, build: float, pixel: float) -> Array:
    """Depth of air over both lung fields, from apex to diaphragm dome."""
    depth: Array = np.zeros_like(x)
    wide = rng.uniform(0.94, 1.04) * build
    lateral = [0.14, 0.3, 0.45, 0.57, 0.66, 0.7, 0.7]
    apex = rng.uniform(-0.86, -0.76)
    base = rng.uniform(0.3, 0.56)
    for side in (-1, 1):
        s = side * x
        knots = [apex, apex + 0.08, apex + 0.22, apex + 0.42, 0.0, 0.35, 1.0]
        outer = curve(knots, wide * (np.array(lateral) + rng.normal(0, 0.008, 7)), y)
        inner = 0.03 + 0.06 * soft_step(-0.45 - y, 0.5)
        across = (s - inner) / (outer - inner)
        profile = np.sqrt(np.clip(1 - np.abs(2 * across - 1) ** 3.2, 0, 1))
        top = wide * rng.uniform(0.27, 0.34)
        dome_y = base + (0.05 if side > 0 else -0.02) + rng.normal(0, 0.015)
        steep = np.where(s > top, rng.uniform(1.0, 1.9), rng.uniform(0.3, 0.8)).astype(np.float32)
        below = dome_y + steep * (s - top) ** 2 - y
        sulcus = 0.72 + 0.28 * np.clip(below / 0.35, 0, 1)
        apical = np.sqrt(np.clip((y - apex) / 0.22, 0, 1))
        depth += profile * sulcus * apical * soft_step(below, max(0.012, 1.5 * pixel))
    return rng.uniform(0.56, 0.68) * depth


def _mediastinum(rng: Rng, x: Array, y: Array, pixel: float) -> Array:
    """Depth of heart, great vessels and mediastinal tissue under one silhouette."""
    knots = [-1.0, -0.6, -0.42, -0.27, -0.1, 0.12, 0.32, 0.5, 0.75]
    big = rng.uniform(0.85, 1.2)
    left = np.array([0.12, 0.13, 0.19, 0.13, 0.2, 0.34 * big, 0.44 * big, 0.46 * big, 0.3])
    right = np.array([0.12, 0.13, 0.12, 0.12, 0.14, 0.19, 0.21 * big, 0.17, 0.14])
    left_edge = curve(knots, left + rng.normal(0, 0.012, 9), y)
    right_edge = curve(knots, right + rng.normal(0, 0.012, 9), y)
    edge = np.where(x > 0, left_edge, right_edge)
    inside = np.clip(1 - np.abs(x) / edge, 0, 1)
    return rng.uniform(0.5, 0.62) * np.minimum(inside / 0.3, 1) ** 0.45 * soft_step(inside, 6 * pixel)


def _opacity(rng: Rng, texture: Rng, x: Array, y: Array, size: int) -> Array:
    """Share of air replaced by consolidation or effusion, in about four patients of ten."""
    share = np.zeros_like(x)
    if rng.random() < 0.4:
        patchy = fractal_field(texture, size, 5, 5, 0.6)
        for _ in range(rng.integers(1, 4)):
            cx, cy = rng.choice([-1, 1]) * rng.uniform(0.2, 0.55), rng.uniform(-0.3, 0.4)
            r2 = ((x - cx) / rng.uniform(0.08, 0.3)) ** 2 + ((y - cy) / rng.uniform(0.1, 0.35)) ** 2
            share += rng.uniform(0.15, 0.6) * np.exp(-r2) * np.clip(0.8 + 0.5 * patchy, 0, 2)
    if rng.random() < 0.2:
        haze = smooth_field(texture, size, 3)
        share += rng.uniform(0.1, 0.35) * np.clip(0.7 + 0.4 * haze, 0, 1)
    return share


def _stomach_bubble(rng: Rng, x: Array, y: Array) -> Array:
    cx, cy = rng.uniform(0.25, 0.45), rng.uniform(0.62, 0.75)
    r2 = ((x - cx) / rng.uniform(0.1, 0.2)) ** 2 + ((y - cy) / rng.uniform(0.05, 0.1)) ** 2
    bubble: Array = np.float32(rng.choice([0.0, 0.12, 0.25])) * np.sqrt(np.clip(1 - r2, 0, 1))
    return bubble


def _ribs(rng: Rng, build: float) -> list[Tube]:
    """Ten pairs of ribs as arcs in space seen from the front: behind they run outwards, in front inwards."""
    phi = np.linspace(0.03, 1, 48) * np.pi
    lines, radii, weights = [], [], []
    top, spacing = rng.uniform(-0.86, -0.8), rng.uniform(0.128, 0.146)
    slant = rng.uniform(0.85, 1.15)
    for side in (-1, 1):
        for i in range(10):
            half = build * np.interp(i, [0, 1, 2, 4, 6, 9], [0.3, 0.44, 0.54, 0.66, 0.72, 0.72]) * 1.01
            drop = slant * np.interp(i, [0, 3, 9], [0.2, 0.42, 0.5])
            turn = phi / np.pi
            line_x = half * np.sin(phi * 0.88) ** 0.85 + 0.03
            line_y = top + spacing * i - 0.05 * np.sin(np.minimum(2 * phi, np.pi)) + drop * turn**1.6
            lines.append(np.stack([side * line_x, line_y + rng.normal(0, 0.006)], axis=1))
            radii.append((0.024 + 0.006 * turn**2) * rng.uniform(0.85, 1.1) * np.ones_like(turn))
            weights.append(rng.uniform(0.85, 1.15))
    points, radius, strength = np.stack(lines), np.stack(radii), np.array(weights)
    back, front = slice(0, 30), slice(29, 44)
    marrow = rng.uniform(0.5, 0.9)
    return [
        Tube(points[:, back], radius[:, back], 1.25 * BONE * strength, "shell"),
        Tube(points[:, back], radius[:, back], marrow * strength, "solid"),
        Tube(points[:, front], radius[:, front], 0.7 * BONE * strength, "shell"),
    ]


def _girdle(rng: Rng, build: float) -> list[Tube]:
    """Clavicles, scapulae and upper arms."""
    t = np.linspace(0, 1, 24)
    level, lift = rng.uniform(-0.68, -0.58), rng.uniform(0.04, 0.2)
    thick = rng.uniform(0.026, 0.034)
    tubes = []
    for side in (-1, 1):
        clavicle = [
            0.09 + 0.66 * build * t,
            level - lift * t - 0.045 * np.sin(2 * np.pi * t) + rng.normal(0, 0.01),
        ]
        edge_x = 0.6 * build + rng.normal(0, 0.03)
        border = [edge_x + 0.1 * t + 0.05 * np.sin(np.pi * t), level - 0.05 + 0.62 * t]
        spine = [edge_x + 0.02 + 0.3 * t, level + 0.03 - 0.22 * t]
        outer = [edge_x + 0.3 - 0.19 * t - 0.03 * np.sin(np.pi * t), level + 0.1 + 0.47 * t]
        humerus = [0.97 * build + 0.07 * t, level - 0.04 + 1.1 * t]
        blade = [edge_x + 0.16 - 0.02 * t, level + 0.02 + 0.5 * t]
        parts: list[tuple[list[Points], Points, float, Section]] = [
            (clavicle, thick * (1 + 0.25 * np.cos(2 * np.pi * t)), BONE, "shell"),
            (clavicle, thick * np.ones(24), 0.7, "solid"),
            (border, 0.011 * np.ones(24), 1.4, "solid"),
            (spine, 0.02 + 0.012 * t, 0.6 * BONE, "shell"),
            (outer, 0.016 * np.ones(24), 1.5, "solid"),
            (humerus, 0.055 + 0.045 * np.exp(-((t / 0.1) ** 2)), 0.45 * BONE, "shell"),
            (blade, 0.13 * (1 - 0.7 * t), 0.03, "flat"),
        ]
        for line, radius, density, section in parts:
            points = np.stack([side * line[0], line[1]], axis=1)[None]
            tubes.append(Tube(points, radius[None], density, section))
    return tubes


def _vertebrae(rng: Rng, x: Array, y: Array, pixel: float) -> Array:
    """Column of vertebral bodies with dense end plates."""
    height = rng.uniform(0.125, 0.145)
    lean = rng.normal(0, 0.012)
    middle = lean * np.sin(2.5 * y)
    half = 0.075 + 0.03 * np.clip((y + 1) / 2, 0, 1)
    phase = np.abs((y / height + rng.random()) % 1 - 0.5) * 2
    waist = half * (0.9 + 0.1 * phase**2)
    column = soft_step(waist - np.abs(x - middle), max(0.012, 2 * pixel))
    plates = np.exp(-(((phase - 0.78) / 0.1) ** 2)) - 0.6 * soft_step(phase - 0.9, 0.12)
    column_depth: Array = np.float32(rng.uniform(0.1, 0.17)) * column * (1 + 0.35 * plates)
    return column_depth


def _spine(rng: Rng) -> list[Tube]:
    """Pedicles (rings) and spinous processes along the column."""
    ring = np.linspace(0, 2 * np.pi, 20)
    levels = np.arange(-1.1, 1.1, rng.uniform(0.125, 0.145))
    rings = [
        np.stack([side * 0.055 + 0.016 * np.cos(ring), level + 0.022 * np.sin(ring)], axis=1)
        for level in levels
        for side in (-1, 1)
    ]
    processes = np.stack([np.stack([0 * ring, v + 0.03 + 0.004 * ring], axis=1) for v in levels])
    return [
        Tube(np.stack(rings), np.full((len(rings), 20), 0.006), 2.2),
        Tube(processes, np.full((len(levels), 20), 0.014), 0.6 * BONE, "shell"),
    ]


def _airways(rng: Rng) -> list[Tube]:
    """Trachea and main bronchi: air, so negative tissue."""
    t = np.linspace(0, 1, 24)
    carina = rng.uniform(-0.34, -0.26)
    bend = rng.normal(-0.01, 0.012)
    trachea = np.stack([bend * np.sin(np.pi * t), -1.3 + (carina + 1.3) * t], axis=1)
    bronchi = np.stack(
        [np.stack([s * 0.17 * t, carina + d * t**0.8], axis=1) for s, d in ((-1, 0.14), (1, 0.11))]
    )
    return [
        Tube(trachea[None], np.full((1, 24), 0.042), -1.1),
        Tube(bronchi, np.full((2, 24), 0.026), -1.1),
    ]


def _vessels(rng: Rng, build: float) -> list[Tube]:
    """Lung arteries and veins: trees that fork and taper from the hila outwards."""
    hilum = np.array([[s * rng.uniform(0.13, 0.17), rng.uniform(-0.16, -0.08)] for s in (-1, 1)])
    start = np.repeat(hilum, 9, axis=0) + rng.normal(0, 0.02, (18, 2))
    fan = np.tile(np.linspace(-1.35, 1.45, 9), 2) + rng.normal(0, 0.1, 18)
    side = np.repeat([-1.0, 1.0], 9)
    radius = rng.uniform(0.014, 0.027, 18)
    reach = rng.uniform(0.8, 1.1) * build
    tubes = []
    for generation in range(7):
        length = (
            reach
            * np.array([0.16, 0.14, 0.12, 0.1, 0.08, 0.06, 0.05])[generation]
            * rng.uniform(0.7, 1.3, len(fan))
        )
        bend = rng.normal(0, 0.3, len(fan))
        t = np.linspace(0, 1, 5)
        heading = fan[:, None] + bend[:, None] * t
        step = np.stack([side[:, None] * np.cos(heading), np.sin(heading)], axis=-1)
        line = start[:, None] + np.cumsum(step, axis=1) * (length / 5)[:, None, None]
        line = np.concatenate([start[:, None], line], axis=1)
        taper = radius[:, None] * np.linspace(1, 0.78, 6)
        tubes.append(Tube(line, taper, 2.0))
        start, fan = np.repeat(line[:, -1], 2, axis=0), np.repeat(fan + bend, 2)
        side, radius = np.repeat(side, 2), np.repeat(taper[:, -1], 2)
        unequal = rng.uniform(0.6, 0.95, len(fan))
        fan = fan + np.tile([-1, 1], len(fan) // 2) * rng.uniform(0.15, 0.6, len(fan))
        radius = radius * unequal
        inside = np.hypot(start[:, 0] / (0.68 * build), (start[:, 1] + 0.1) / 0.66) < 1
        start, fan, side, radius = start[inside], fan[inside], side[inside], radius[inside]
    return tubes


def _markers(rng: Rng) -> list[Tube]:
    """Side letter, sometimes burnt-in text, electrodes and their leads; in picture coordinates."""
    letter = rng.choice(["L", "R"])
    side = 1 if letter == "L" else -1
    corner = (side * rng.uniform(0.8, 0.92), rng.uniform(-0.95, -0.72))
    tubes = [lettering(letter, corner, rng.uniform(0.06, 0.12), rng.uniform(0.007, 0.012))]
    if rng.random() < 0.45:
        word = rng.choice(["AP", "PORTABLE", "PA"])
        place = (-side * rng.uniform(0.7, 0.8) - 0.1, rng.uniform(-0.95, -0.85))
        tubes.append(lettering(word, place, rng.uniform(0.04, 0.06), 0.006))
    if rng.random() < 0.35:
        tubes += [wire for _ in range(rng.integers(1, 4)) for wire in _electrode(rng)]
    return tubes


def _electrode(rng: Rng) -> list[Tube]:
    t = np.linspace(0, 1, 40)
    ring = np.linspace(0, 2 * np.pi, 24)
    knob = np.array([rng.uniform(-0.6, 0.6), rng.uniform(-0.5, 0.5)])
    leave = np.array([rng.choice([-1.05, 1.05]), rng.uniform(-0.6, 0.6)])
    sway = rng.normal(0, 0.2, 2) * np.sin(np.pi * t)[:, None]
    lead = knob + (leave - knob) * t[:, None] + sway
    disc = knob + 0.012 * np.stack([np.cos(ring), np.sin(ring)], axis=1)
    return [
        Tube(lead[None], np.full((1, 40), 0.004), 0.12, "flat"),
        Tube(disc[None], np.full((1, 24), 0.008), rng.uniform(0.15, 0.5), "flat"),
    ]


def _expose(rng: Rng, grain: Rng, attenuation: Array, lead: Array, counts: float) -> Array:
    """Beer-Lambert with scatter, detector blur, quantum noise, then log, display curve and collimator."""
    size = lead.shape[0]
    transmitted = np.exp(-3.2 * attenuation - 4 * lead)
    scatter = rng.uniform(0.006, 0.02)
    signal = ndimage.gaussian_filter(transmitted + scatter, 0.0011 * size, truncate=3)
    quanta = counts * 3.5e4
    signal += np.sqrt(signal / quanta) * noise(grain, size, 0.0011 * size)
    film = -np.log(np.maximum(signal, 1e-4)) / 3.2
    low, high = rng.uniform(-0.06, 0.05), rng.uniform(1.05, 1.4)
    level = np.clip((film - low) / (high - low), 0, 1.2)
    bend = rng.uniform(0.7, 2.0)
    shown: Array = np.clip(level * (1 + bend) / (level + bend), 0, 1).astype(np.float32)
    if rng.random() < 0.3:
        axis = (np.arange(size, dtype=np.float32) + 0.5) * (2 / size) - 1
        shutter = soft_step(rng.uniform(0.94, 0.995) - axis * rng.choice([-1, 1]), 3 / size)
        shown *= shutter[:, None] if rng.random() < 0.4 else shutter
    return shown
