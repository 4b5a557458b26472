"""Which features make a prediction differ from others."""

from collections.abc import Mapping

import numpy as np

from vaescreen.predictor.kernel import KernelModel
from vaescreen.predictor.sample import Vector

_NODES, _SHARES = np.polynomial.legendre.leggauss(32)


def attribute(
    model: KernelModel, columns: Mapping[str, Vector], others: Mapping[str, Vector]
) -> dict[str, float]:
    """Split the difference between a prediction and the mean of others over the features, in dB.

    Each effect is the integral of the model's slope along the straight line from another card to this one
    (Sundararajan, Taly, Yan: Axiomatic attribution for deep networks, ICML 2017), averaged over the others; for
    a linear model it is slope times difference. They add up to the whole difference.

    Parameters
    ----------
    model : KernelModel
        Its `used` features are read.
    columns : mapping
        Features of one card by name, each `[1]`.
    others : mapping
        Those of the others, each `[m]`.
    """
    whole = {name: columns[name] - others[name] for name in model.used}
    place = (_NODES + 1) / 2
    way = {name: (others[name][:, None] + whole[name][:, None] * place).ravel() for name in model.used}
    return {
        name: float(np.mean(slopes.reshape(-1, len(place)) @ (_SHARES / 2) * whole[name]))
        for name, slopes in model.slopes(way).items()
    }
