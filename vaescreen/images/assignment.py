"""Which split every image of a folder goes to: as the files or folders say, or drawn by patient."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from vaescreen.errors import DataError
from vaescreen.images.patients import SAID, Image
from vaescreen.images.split_folders import named_by_folders
from vaescreen.images.splits import RULE, split_by_patient

FOLDERS = "sub-folders"
_VAL_TESTS = "; for want of test, val is for testing"


class Assigned(NamedTuple):
    """Split by image id, the rule in words, and what of it the user should know."""

    splits: dict[str, str]
    rule: str
    warnings: tuple[str, ...] = ()


def assign_splits(folder: Path, images: Sequence[Image], patients: Mapping[str, str], seed: int) -> Assigned:
    """Take the splits from the files or from folders, or make them by patient; and name the rule.

    Raises
    ------
    DataError
        If some images are said to be for a split and others are not, or a patient is in two splits.
    """
    if any(frame.split for _, frame, _ in images):
        named = {id_: frame.split for _, frame, id_ in images}
        problem, rule = "does not say which split it is for, as others do", SAID
    else:
        by_file = named_by_folders(list(dict.fromkeys(file for file, _, _ in images)))
        named = {id_: by_file.splits[file] for file, _, id_ in images}
        problem = "is outside the folders that name a split, such as train and test; move it into one"
        rule = FOLDERS
    said = {split for split in named.values() if split}
    if not said:
        return draw_splits(folder, images, patients, seed)
    if said == {"train", "val"}:
        named = {id_: "test" if split == "val" else split for id_, split in named.items()}
        rule += _VAL_TESTS
    elif not said >= {"train", "test"}:
        drawn = draw_splits(folder, images, patients, seed)
        only = " and ".join(sorted(said))
        return drawn._replace(
            warnings=(f"only {only} is named by {rule}, so that all images are split anew, by patient",)
        )
    given: dict[str, str] = {}
    split_of_patient: dict[str, str] = {}
    for file, _, id_ in images:
        split = named[id_]
        if not split:
            raise DataError(f"{folder / file} {problem}")
        known = split_of_patient.setdefault(patients[id_], split)
        if known != split:
            raise DataError(f"patient {patients[id_]} is in both {known} and {split} of {folder}; choose one")
        given[id_] = split
    return Assigned(given, rule)


def draw_splits(folder: Path, images: Sequence[Image], patients: Mapping[str, str], seed: int) -> Assigned:
    """Make the splits by patient.

    Raises
    ------
    DataError
        If all images are one patient's.
    """
    if images and len(set(patients.values())) < 2:
        raise DataError(f"all images of {folder} belong to one patient; {_way_out(images, patients)}")
    drawn = split_by_patient(patients.values(), seed)
    return Assigned({id_: drawn[patients[id_]] for _, _, id_ in images}, RULE)


def _way_out(images: Sequence[Image], patients: Mapping[str, str]) -> str:
    files = {file for file, _, _ in images}
    if len(files) < 2:
        return "at least 2 are needed, to train and test: add images of another"
    name = next(iter(patients.values()))
    return (
        f"all {len(files)} files say {name!r}: if that is not so, name them by --patients REGEX, whose first group is "
        "the patient in the file's name; --patients '(.+)' takes every file for a patient of its own"
    )
