"""Holm's correction: many pairs are compared, and the chance of any false finding stays below the level.

References
----------
Holm: A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics 6(2), 1979.
"""

import numpy as np
from numpy.typing import ArrayLike

from vaescreen.errors import DataError
from vaescreen.statistics.clusters import Vector


def holm(p: ArrayLike) -> Vector:
    """Adjust p values for the number of tests, in the order given.

    Raises
    ------
    DataError
        If a value is outside [0, 1] or not a number.
    """
    values = np.asarray(p, dtype=np.float64)
    if not ((values >= 0) & (values <= 1)).all():
        raise DataError(f"Holm: p values {values.tolist()} are not all between 0 and 1")
    order = np.argsort(values)
    stepped = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(stepped, 1)
    return adjusted
