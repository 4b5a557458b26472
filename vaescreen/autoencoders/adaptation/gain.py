"""What an adaptation gains on the test split, image by image, with intervals over patients."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vaescreen.autoencoders.adaptation.fitting import ceiling
from vaescreen.autoencoders.networks import load_network
from vaescreen.images import DataSet
from vaescreen.registry.candidate import Candidate
from vaescreen.statistics.bootstrap import interval, patient_bootstrap


@dataclass(frozen=True)
class Gain:
    """Mean of a PSNR before and after, dB, and the 95 % interval of the difference over patients."""

    before: float
    after: float
    low: float
    high: float

    @property
    def value(self) -> float:
        """Mean difference, dB."""
        return self.after - self.before


def paired_gain(before: NDArray[np.floating], after: NDArray[np.floating], patients: tuple[str, ...]) -> Gain:
    """Gain of values `[N]` over others of the same images."""
    draws = patient_bootstrap(np.stack([before, after], axis=1), patients)
    low, high = interval(draws[:, 1:] - draws[:, :1])
    return Gain(float(before.mean()), float(after.mean()), float(low[0]), float(high[0]))


def ceiling_gain(parent: Candidate, child: Candidate, data: DataSet, device: str = "cpu") -> Gain:
    """Gain in AE ceiling on the test split.

    Raises
    ------
    CandidateError
        If one of the two cannot be opened.
    """
    before, after = (ceiling(load_network(each, device), data, "test").numpy() for each in (parent, child))
    return paired_gain(before, after, data.patients("test"))
