"""What the phantoms are drawn with: poses, smooth random fields, soft edges and projected tubes.

Coordinates are normalised: x to the right and y downwards, both from -1 to 1 over the picture, so that an
anatomy is the same at every size. One pixel is `2 / size` wide.
"""

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.interpolate import PchipInterpolator

Array = npt.NDArray[np.floating]
Points = npt.NDArray[np.float64]
Rng = np.random.Generator
Section = Literal["solid", "shell", "flat"]


class Pose(NamedTuple):
    """Where the patient lies in the picture: picture = scale * rotation(patient) + shift."""

    angle: float
    scale: float
    shift: tuple[float, float]

    def grid(self, size: int) -> tuple[Array, Array]:
        """Patient coordinates x and y of all pixel centres, each [size, size]."""
        axis = (np.arange(size, dtype=np.float32) + 0.5) * (2 / size) - 1
        u = (axis[None, :] - self.shift[0]) / self.scale
        v = (axis[:, None] - self.shift[1]) / self.scale
        c, s = np.cos(self.angle), np.sin(self.angle)
        return (c * u + s * v).astype(np.float32), (c * v - s * u).astype(np.float32)

    def project(self, points: Points) -> Points:
        """Picture coordinates of patient points [..., 2]."""
        c, s = np.cos(self.angle), np.sin(self.angle)
        placed: Points = self.scale * (points @ np.array([[c, s], [-s, c]])) + np.array(self.shift)
        return placed


class Tube(NamedTuple):
    """Tubes of equal sampling: centre lines [T, n, 2] and radii [T, n] in picture coordinates.

    `solid` absorbs in proportion to the chord of a ray through the round section; `shell` only in its rim of
    relative thickness 0.25, which gives a cortical bone its two bright edges; `flat` is a sheet.
    """

    points: Points
    radius: Points
    density: Points | float
    section: Section = "solid"


_BOWL = [[(0, 0), (0.5, 0)], [(0.5, 0), (0.5, 0.5)], [(0.5, 0.5), (0, 0.5)]]
_STEM, _FOOT, _ROOF = [[(0, 0), (0, 1)]], [[(0, 1), (0.5, 1)]], [[(0, 0), (0.5, 0)]]
_RIGHT, _MIDDLE = [[(0.5, 0), (0.5, 1)]], [[(0, 0.5), (0.5, 0.5)]]
_STROKES = {
    "A": _STEM + _ROOF + _RIGHT + _MIDDLE,
    "B": _STEM + _BOWL + _FOOT + [[(0.5, 0.5), (0.5, 1)]],
    "E": _STEM + _ROOF + _MIDDLE + _FOOT,
    "L": _STEM + _FOOT,
    "O": _STEM + _ROOF + _RIGHT + _FOOT,
    "P": _STEM + _BOWL,
    "R": _STEM + _BOWL + [[(0.2, 0.5), (0.55, 1)]],
    "T": [*_ROOF, [(0.25, 0), (0.25, 1)]],
}
"""Letters of film markers as straight strokes on a cell one high."""


def curve(knots: npt.ArrayLike, values: npt.ArrayLike, at: Array, samples: int = 1024) -> Array:
    """Monotone cubic curve through (knots, values), constant outside, evaluated at `at` from a table."""
    knots, values = np.asarray(knots, dtype=float), np.asarray(values, dtype=float)
    table = PchipInterpolator(knots, values)(np.linspace(knots[0], knots[-1], samples)).astype(np.float32)
    place = (at - knots[0]) * ((samples - 1) / (knots[-1] - knots[0]))
    found: Array = table[np.clip(place, 0, samples - 1).astype(np.int32)]
    return found


def soft_step(level: Array, width: float) -> Array:
    """Smooth step from 0 to 1 as `level` passes through 0, `width` being the length of the whole ramp."""
    t: Array = np.clip(level / width + 0.5, 0, 1)
    step: Array = t * t * (3 - 2 * t)
    return step


def smooth_field(rng: Rng, size: int, cells: float) -> Array:
    """Gaussian random field [size, size] of unit variance with bumps about 1/`cells` of the picture wide."""
    knots = int(np.ceil(cells)) + 4
    place = (np.arange(size) + 0.5) * (cells / size) + 1.5
    weights = np.exp(-1.5 * (place[:, None] - np.arange(knots)) ** 2)
    weights = (weights / np.linalg.norm(weights, axis=1, keepdims=True)).astype(np.float32)
    field: Array = weights @ rng.standard_normal((knots, knots), dtype=np.float32) @ weights.T
    return field


def fractal_field(rng: Rng, size: int, cells: float, octaves: int, gain: float) -> Array:
    """Sum of smooth fields, each octave twice as fine and `gain` times as strong, of unit variance in all.

    Octaves too fine for the size are left out; the coarse ones are the same at every size.
    """
    total: Array = np.zeros((size, size), dtype=np.float32)
    for k, child in enumerate(rng.spawn(octaves)):
        if cells * 2**k <= size / 1.5:
            total += gain**k * smooth_field(child, size, cells * 2**k)
    total /= np.sqrt(sum(gain ** (2 * k) for k in range(octaves)), dtype=np.float32)
    return total


def sample_table(table: Array, u: Array, v: Array) -> Array:
    """Bilinear value of `table` [N, N] at column u and row v, both from 0 to 1 over the table."""
    n = table.shape[0]
    across, down = np.clip(u, 0, 1) * (n - 1.001), np.clip(v, 0, 1) * (n - 1.001)
    column, row = across.astype(np.int32), down.astype(np.int32)
    fx, fy = across - column, down - row
    flat, index = table.ravel(), row * n + column
    upper = flat[index] * (1 - fx) + flat[index + 1] * fx
    lower = flat[index + n] * (1 - fx) + flat[index + n + 1] * fx
    value: Array = upper * (1 - fy) + lower * fy
    return value


def noise(rng: Rng, size: int, blur: float) -> Array:
    """White Gaussian noise blurred over `blur` pixels (standard deviation), of unit variance again."""
    white = rng.standard_normal((size, size), dtype=np.float32)
    if blur <= 0.2:
        return white
    blurred: Array = ndimage.gaussian_filter(white, blur, mode="wrap", truncate=3)
    blurred /= blurred.std()
    return blurred


def lettering(word: str, corner: tuple[float, float], high: float, thick: float) -> Tube:
    """Letters A, B, E, L, O, P, R, T of a film marker, from the upper left corner on, as flat strokes."""
    letters = [np.array(_STROKES[c], dtype=float) + np.array([0.9 * k, 0]) for k, c in enumerate(word)]
    strokes = np.concatenate(letters) * high + corner
    return Tube(strokes, np.full(strokes.shape[:2], thick), 1.5, "flat")


def project_tubes(tubes: list[Tube], size: int) -> Array:
    """Line integrals [size, size] of all tubes: sampled finer than pixels, shared out bilinearly."""
    places, masses = zip(*(_sample(tube, size) for tube in tubes), strict=True)
    place, mass = np.concatenate(places), np.concatenate(masses)
    inside = ((place > 0) & (place < size + 1)).all(axis=1)
    place, mass = place[inside], mass[inside]
    corner = place.astype(np.int32)
    fx, fy = (place - corner).T
    width = size + 2
    index = corner[:, 1] * width + corner[:, 0]
    canvas = np.zeros(width * width)
    for step, weight in (
        (0, (1 - fx) * (1 - fy)),
        (1, fx * (1 - fy)),
        (width, (1 - fx) * fy),
        (width + 1, fx * fy),
    ):
        canvas += np.bincount(index + step, weight * mass, width * width)
    return canvas.reshape(width, width)[1:-1, 1:-1].astype(np.float32)


def _sample(tube: Tube, size: int) -> tuple[Points, Points]:
    """Points [N, 2] in pixels of the padded canvas and the mass of each."""
    pixel = 2 / size
    length = np.linalg.norm(np.diff(tube.points, axis=1), axis=2).sum(axis=1).max()
    along = max(int(np.ceil(1.4 * length / pixel)), 3)
    across = max(int(np.ceil(1.4 * 2 * tube.radius.max() / pixel)), 8 if tube.section == "shell" else 2)
    spot = (np.arange(along) + 0.5) / along * (tube.points.shape[1] - 1)
    k = np.minimum(spot.astype(int), tube.points.shape[1] - 2)
    f = (spot - k)[:, None]
    centre = tube.points[:, k] * (1 - f) + tube.points[:, k + 1] * f
    radius = tube.radius[:, k] * (1 - f[:, 0]) + tube.radius[:, k + 1] * f[:, 0]
    tangent = (tube.points[:, k + 1] - tube.points[:, k]) * (tube.points.shape[1] - 1)
    speed = np.linalg.norm(tangent, axis=2, keepdims=True) + 1e-9
    normal = np.stack([-tangent[..., 1], tangent[..., 0]], axis=-1) / speed
    offset = (np.arange(across) + 0.5) / across * 2 - 1
    place = centre[:, :, None] + normal[:, :, None] * (radius[:, :, None] * offset)[..., None]
    area = (speed[..., 0] / along * radius * (2 / across))[:, :, None]
    chord = {
        "solid": 2 * np.sqrt(1 - offset**2),
        "shell": 2 * np.sqrt(1 - offset**2) - 1.5 * np.sqrt(np.maximum(1 - (offset / 0.75) ** 2, 0)),
        "flat": np.ones_like(offset),
    }[tube.section]
    thickness = radius if tube.section != "flat" else np.ones_like(radius)
    density = np.asarray(tube.density, dtype=float).reshape(-1, 1, 1)
    mass = density * thickness[:, :, None] * chord * area / pixel**2
    return ((place + 1) / pixel + 0.5).reshape(-1, 2), mass.reshape(-1)
