"""Generated medical images: seeded, any number, any size.

Each image is drawn, not sampled from a model: an anatomy in normalised coordinates, varied from patient to
patient, goes through the physics of its modality. The same index at two sizes is the same patient.

How near they come to real images, 200 of each at 256 x 256 (slope of the radial power spectrum between 0.05
and 0.4 cycles a pixel; median kurtosis of the finest Haar details; share of pixels below 0.05; mean; SD)::

    python benchmarks/phantom_realism.py --real ../shared/data/chest/train --anatomy chest --images 200
    chest      slope  kurtosis  background   mean     SD
    real       -3.14     123.8       0.043  0.546  0.214
    phantom    -3.34     106.9       0.049  0.581  0.225

    python benchmarks/phantom_realism.py --real ../shared/data/brain/train --anatomy brain --images 200
    brain      slope  kurtosis  background   mean     SD
    real       -2.91      34.1       0.569  0.126  0.155
    phantom    -2.88      30.6       0.570  0.125  0.157

    python benchmarks/phantom_realism.py --anatomy knee --images 200
    knee       slope  kurtosis  background   mean     SD
    phantom    -3.14      26.8       0.263  0.338  0.267

At 128 x 128 the phantoms' slopes lie further off: chest -3.20 (real -2.85), brain -2.28 (real -2.50).
"""

import difflib
import zlib

import numpy as np

from vaescreen.errors import DataError
from vaescreen.images.phantoms import brain, chest, knee
from vaescreen.images.phantoms.fields import Array

ANATOMIES = ("chest", "brain", "knee")
SMALLEST, LARGEST = 32, 1024

_DRAW = {"chest": chest.draw, "brain": brain.draw, "knee": knee.draw}


def generate(anatomy: str, index: int, size: int, seed: int = 0) -> Array:
    """Draw one phantom.

    Parameters
    ----------
    anatomy
        One of `ANATOMIES`.
    index
        Which patient, 0 or more; images do not depend on the order in which they are asked for.
    size
        Height and width in pixels, 32 to 1024.
    seed
        Which population, 0 or more.

    Returns
    -------
    numpy.ndarray
        float32 [size, size] in [0, 1].

    Raises
    ------
    DataError
        For an unknown anatomy, or an index, size or seed out of range.
    """
    if anatomy not in _DRAW:
        near = difflib.get_close_matches(anatomy, ANATOMIES, n=1, cutoff=0.4)
        hint = f"did you mean '{near[0]}'?" if near else f"choose one of {', '.join(ANATOMIES)}"
        raise DataError(f"unknown phantom anatomy '{anatomy}': {hint}")
    if not SMALLEST <= size <= LARGEST:
        raise DataError(f"phantom size {size} is out of range: choose {SMALLEST} to {LARGEST} pixels")
    if index < 0 or seed < 0:
        raise DataError(f"phantom index {index} and seed {seed} must be 0 or more")
    rng = np.random.default_rng([zlib.crc32(anatomy.encode()), seed, index])
    return _DRAW[anatomy](rng, size)
