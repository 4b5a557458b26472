"""Patients, never images, are split; the same patients and seed always split the same way."""

import itertools
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaescreen.images.splits import sampling_order, split_by_patient

PATIENTS = st.lists(st.text(min_size=1, max_size=6), min_size=1, max_size=60)


@given(PATIENTS, st.integers(0, 2**32))
def test_every_patient_is_in_one_split_whatever_the_order_of_the_images(
    patients: list[str], seed: int
) -> None:
    splits = split_by_patient(patients, seed)
    assert set(splits) == set(patients)
    shuffled = patients * 2
    random.Random(0).shuffle(shuffled)
    assert split_by_patient(shuffled, seed) == splits


@given(PATIENTS, st.integers(0, 2**32))
def test_every_split_that_can_be_non_empty_is(patients: list[str], seed: int) -> None:
    used = set(split_by_patient(patients, seed).values())
    assert used == {1: {"train"}, 2: {"train", "test"}}.get(len(set(patients)), {"train", "val", "test"})


@given(PATIENTS, st.integers(0, 2**32))
def test_sampling_takes_whole_patients_and_every_image_once(patients: list[str], seed: int) -> None:
    order = sampling_order(patients, seed)
    assert sorted(order) == list(range(len(patients)))
    drawn = [patients[place] for place in order]
    changes = sum(a != b for a, b in itertools.pairwise(drawn))
    assert changes == len(set(patients)) - 1


def test_shares_are_70_10_20() -> None:
    counts = Counter(split_by_patient([f"p{number}" for number in range(100)], seed=0).values())
    assert counts == {"train": 70, "val": 10, "test": 20}


def test_another_seed_gives_another_split() -> None:
    patients = [f"p{number}" for number in range(100)]
    assert split_by_patient(patients, 0) != split_by_patient(patients, 1)
    assert sampling_order(patients, 0) != sampling_order(patients, 1)


@pytest.mark.parametrize(
    ("seed", "test_patients"),
    [(0, {"p03", "p07", "p12", "p15"}), (1, {"p08", "p09", "p13", "p19"})],
)
def test_splits_stay_as_they_were_published(seed: int, test_patients: set[str]) -> None:
    splits = split_by_patient([f"p{number:02d}" for number in range(20)], seed)
    assert {patient for patient, split in splits.items() if split == "test"} == test_patients
