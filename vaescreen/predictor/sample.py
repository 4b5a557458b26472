"""Reference points as columns of numbers, for whatever fits a model to them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import LeaveOneGroupOut

from vaescreen.errors import ResultError
from vaescreen.predictor.points import Point

Vector = NDArray[np.float64]
Labels = NDArray[np.str_]
Rows = NDArray[np.bool_] | NDArray[np.intp]


@dataclass(frozen=True)
class Sample:
    """Points as columns: features by name and the values of `target_name`, each `[n]`, in dB where they are PSNRs.

    `candidates`, `geometries` and `data` say what each point is of; models never see them, but what is left
    out of a fit is told by them.
    """

    columns: dict[str, Vector]
    target: Vector
    target_name: str
    candidates: Labels
    geometries: Labels
    data: Labels

    @classmethod
    def of(cls, points: Sequence[Point], target: str) -> "Sample":
        """Columns of the features that all points have, and of one of their targets."""
        names = [name for name in points[0].features if all(name in point.features for point in points)]
        return cls(
            columns={name: np.array([point.features[name] for point in points]) for name in names},
            target=np.array([point.targets[target] for point in points]),
            target_name=target,
            candidates=np.array([point.candidate for point in points]),
            geometries=np.array([str(point.geometry) for point in points]),
            data=np.array([point.data for point in points]),
        )

    def take(self, keep: Rows) -> "Sample":
        """Only the points of these rows."""
        return Sample(
            {name: column[keep] for name, column in self.columns.items()},
            self.target[keep],
            self.target_name,
            self.candidates[keep],
            self.geometries[keep],
            self.data[keep],
        )

    def __len__(self) -> int:
        return len(self.target)


def without_each(groups: Labels) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Rows of all other groups and rows of the group, for each in turn.

    Raises
    ------
    ResultError
        If there is one group alone.
    """
    if len(np.unique(groups)) < 2:
        raise ResultError(f"reference points of {groups[0]} alone foresee no other; train others")
    return list(LeaveOneGroupOut().split(groups, groups=groups))


def stack(names: Sequence[str], columns: Mapping[str, Vector]) -> Vector:
    """Features side by side, `[m, len(names)]`."""
    if not names:
        return np.empty((len(next(iter(columns.values()))), 0))
    return np.column_stack([columns[name] for name in names])
