"""Who goes into train, val and test: always whole patients, always the same for the same seed."""

import random
from collections.abc import Iterable, Sequence

SPLITS = ("train", "val", "test")
VAL_SHARE = 0.1
TEST_SHARE = 0.2
NAMES = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing", "eval", "evaluation"),
}
"""What splits are called in the files of published data sets; the words are those of the Hugging Face hub."""
RULE = "seeded, by patient: 70 % train, 10 % val, 20 % test"


def split_named(name: str) -> str | None:
    """Give the split that a data set calls by this name, in lower case; None if it is none."""
    return next((split for split, names in NAMES.items() if name in names), None)


def seeded_order(patients: Iterable[str], seed: int) -> list[str]:
    """Give the distinct patients in an order that depends on nothing but their set and the seed."""
    generator = random.Random(seed)
    return sorted(sorted(set(patients)), key=lambda _: generator.random())


def split_by_patient(patients: Iterable[str], seed: int) -> dict[str, str]:
    """Assign every patient to one split.

    The shares are of patients, rounded, and every split that can be non-empty is: with one patient train,
    with two train and test, with three or more all of them.

    Parameters
    ----------
    patients
        Patient ids, in any order, repeats allowed.
    seed
        Another seed gives another assignment.

    Returns
    -------
    dict[str, str]
        Patient id to "train", "val" or "test".
    """
    order = seeded_order(patients, seed)
    count = len(order)
    test = max(round(TEST_SHARE * count), 1) if count >= 2 else 0
    val = max(round(VAL_SHARE * count), 1) if count >= 3 else 0
    names = ["test"] * test + ["val"] * val + ["train"] * (count - test - val)
    return dict(zip(order, names, strict=True))


def sampling_order(patients: Sequence[str], seed: int) -> list[int]:
    """Order in which images are drawn when only some are wanted: whole patients, in seeded order.

    Parameters
    ----------
    patients
        Patient of each image.

    Returns
    -------
    list[int]
        Positions in `patients`; a patient's images are neighbours and keep their order.
    """
    rank = {patient: place for place, patient in enumerate(seeded_order(patients, seed))}
    return sorted(range(len(patients)), key=lambda position: rank[patients[position]])
