"""What a predictor is to those that validate it: something that fits a model to reference points."""

from collections.abc import Mapping
from typing import Protocol, TypeVar

from vaescreen.predictor.sample import Sample, Vector


class Model(Protocol):
    """What a fit gives."""

    def predict(self, columns: Mapping[str, Vector]) -> Vector:
        """Target in dB, `[m]`, from features by name, each `[m]`."""
        ...

    def spread(self, columns: Mapping[str, Vector]) -> Vector:
        """How far predictions may be off at these cards, `[m]`, in a unit that is the same for all cards."""
        ...


M_co = TypeVar("M_co", bound=Model, covariant=True)


class Fits(Protocol[M_co]):
    """A predictor before it has seen points. Whatever it chooses, it chooses by the points that it is given."""

    def fit(self, sample: Sample) -> M_co:
        """Model of the points, and of nothing else.

        Raises
        ------
        ResultError
            If the points do not determine it.
        """
        ...
