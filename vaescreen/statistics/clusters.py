"""Per-image values and whose images they are: the patient is the independent unit of every statistic here."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vaescreen.errors import DataError

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Patients:
    """Which patient each image is of.

    Attributes
    ----------
    names : tuple of str
        The patients, sorted.
    owner : ndarray of int
        Place in `names` of each image's patient, `[images]`.
    sizes : ndarray
        Number of images of each patient, `[patients]`.
    """

    names: tuple[str, ...]
    owner: NDArray[np.intp]
    sizes: Vector

    @classmethod
    def of(cls, patients: Sequence[str]) -> "Patients":
        """Group images by the patient named for each."""
        names, owner = np.unique(np.asarray(patients, dtype=str), return_inverse=True)
        return cls(tuple(names.tolist()), owner, np.bincount(owner, minlength=len(names)).astype(float))

    def __len__(self) -> int:
        return len(self.names)

    def totals(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Sum `[images, ...]` over the images of each patient, `[patients, ...]`."""
        sums = np.zeros((len(self), *values.shape[1:]))
        np.add.at(sums, self.owner, values)
        return sums

    def means(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Average `[images, ...]` over the images of each patient, `[patients, ...]`."""
        return self.totals(values) / self.sizes.reshape(-1, *[1] * (values.ndim - 1))


@dataclass(frozen=True)
class Pairs:
    """Values of two candidates on the same images.

    Attributes
    ----------
    first, second : ndarray
        Finite values, `[images]`.
    patients : Patients
        Whose images they are.
    """

    first: Vector
    second: Vector
    patients: Patients

    @property
    def differences(self) -> Vector:
        """First less second, `[images]`."""
        return self.first - self.second

    @property
    def patient_differences(self) -> Vector:
        """Mean difference of each patient, `[patients]`."""
        return self.patients.means(self.differences)


def pair(first: ArrayLike, second: ArrayLike, patients: Sequence[str]) -> Pairs:
    """Pair values that stand in the same order of images.

    Parameters
    ----------
    first, second : array_like
        Finite values, `[images]`.
    patients : sequence of str
        Patient of each image.

    Raises
    ------
    DataError
        If lengths differ, there are no images, or a value is not finite.
    """
    values = checked(np.column_stack([_vector(first), _vector(second)]), patients, "pair")
    return Pairs(values[:, 0], values[:, 1], Patients.of(patients))


def checked(values: NDArray[np.floating], patients: Sequence[str], what: str) -> Matrix:
    """Return `[images, candidates]` as float64, refusing what has no finite mean by patient.

    Raises
    ------
    DataError
        If there are no images, the patients do not match the rows, or a value is not finite.
    """
    if values.ndim != 2 or len(values) == 0 or len(values) != len(patients):
        raise DataError(
            f"{what}: values of shape {values.shape} for {len(patients)} patients; "
            "give [images, candidates] with one patient for each of at least one image"
        )
    if not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values))[0]
        raise DataError(
            f"{what}: value {values[row, column]} of image {row}, candidate {column}, has no finite mean; "
            "leave that image or candidate out"
        )
    return values.astype(np.float64)


def at_least(patients: Patients, needed: int, what: str) -> None:
    """Refuse fewer patients than a statistic needs.

    Raises
    ------
    DataError
        If there are fewer than `needed`.
    """
    if len(patients) < needed:
        raise DataError(
            f"{what} needs at least {needed} patients and has {len(patients)}; images of one patient do not "
            "replace another patient"
        )


def _vector(values: ArrayLike) -> Vector:
    vector = np.asarray(values, dtype=np.float64)
    if vector.ndim != 1:
        raise DataError(f"pair: values of shape {vector.shape}; give one value an image")
    return vector
