"""Which split every image of a folder goes to: as the files or sub-folders say, or drawn by patient."""

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from vaescreen.errors import DataError
from vaescreen.images.patients import SAID, Image
from vaescreen.images.splits import RULE, SPLITS, split_by_patient


def assign_splits(
    folder: Path, images: Sequence[Image], patients: Mapping[str, str], seed: int
) -> tuple[dict[str, str], str]:
    """Take the splits from the files or from sub-folders, or make them by patient; and name the rule."""
    if any(frame.split for _, frame, _ in images):
        given = {id_: frame.split or "" for _, frame, id_ in images}
        problem, rule = "does not say which split it is for, as others do", SAID
        said = set(given.values())
        if len(said) == 1:
            return draw_splits(folder, images, patients, seed)
        if said == {"train", "val"}:
            given = {id_: "test" if split == "val" else split for id_, split in given.items()}
            rule = f"{SAID}; for want of test, val is for testing"
    else:
        given = {id_: PurePosixPath(file).parts[0] if "/" in file else "" for file, _, id_ in images}
        problem, rule = f"is outside the sub-folders {', '.join(SPLITS)}; move it into one", "sub-folders"
        if not set(given.values()) & set(SPLITS):
            return draw_splits(folder, images, patients, seed)
    split_of_patient: dict[str, str] = {}
    for file, _, id_ in images:
        split = given[id_]
        if split not in SPLITS:
            raise DataError(f"{folder / file} {problem}")
        known = split_of_patient.setdefault(patients[id_], split)
        if known != split:
            raise DataError(f"patient {patients[id_]} is in both {known} and {split} of {folder}; choose one")
    return given, rule


def draw_splits(
    folder: Path, images: Sequence[Image], patients: Mapping[str, str], seed: int
) -> tuple[dict[str, str], str]:
    """Make the splits by patient."""
    if images and len(set(patients.values())) < 2:
        raise DataError(
            f"all images of {folder} belong to one patient; at least 2 are needed, to train and test"
        )
    drawn = split_by_patient(patients.values(), seed)
    return {id_: drawn[patients[id_]] for _, _, id_ in images}, RULE
