"""A folder of image files: what is in it, which split each belongs to, whose it is."""

import os
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from vaescreen.errors import DataError
from vaescreen.images.decoding import LUMA, SUFFIXES, FloatImage, read_image
from vaescreen.images.framing import frame, framing_description
from vaescreen.images.manifest import MANIFEST, Entry, read_manifest
from vaescreen.images.scanning import Item, natural_key
from vaescreen.images.splits import RULE, SPLITS, split_by_patient

MIN_IMAGES = 3


class FolderSource:
    """Images under a folder, at any depth.

    Splits come from `manifest.csv` if there is one, else from sub-folders named train, val and test, else
    from a seeded choice by patient. An image's id is its path in the folder without the suffix, with it where
    two files would share an id. Hidden files and folders and `__MACOSX` are passed over.

    Parameters
    ----------
    folder
        The folder.
    size
        Side of the images delivered, or None for native size (see `frame`).
    patient_pattern
        Regular expression whose first group is the patient, searched in the file name, or in the path within
        the folder if the pattern contains a slash. None: every image is its own patient.
    seed
        Seed of the split by patient.

    Raises
    ------
    DataError
        If the folder is missing or has too few images, the manifest or the pattern is wrong, or a patient
        would be in two splits.
    """

    kind: Literal["real", "phantom"] = "real"

    def __init__(self, folder: Path, *, size: int | None, patient_pattern: str | None, seed: int) -> None:
        if not folder.is_dir():
            problem = "is a file, not a folder" if folder.exists() else "does not exist"
            raise DataError(f"{folder} {problem}; give a folder of images")
        self._folder = folder
        self._size = size
        files = _image_files(folder)
        unlisted = 0
        if (folder / MANIFEST).exists():
            if patient_pattern is not None:
                raise DataError(
                    f"{folder / MANIFEST} already names the patients; leave the patient pattern out"
                )
            entries = read_manifest(folder)
            _require_images(folder, len(entries))
            unlisted = len(set(files) - {entry.file for entry in entries})
            split_rule, patient_rule = MANIFEST, MANIFEST
        else:
            _require_images(folder, len(files))
            patients = _patients(files, patient_pattern)
            patient_rule = (
                f"pattern {patient_pattern}" if patient_pattern else "every image is its own patient"
            )
            entries, split_rule = _split(folder, files, patients, seed)
        ids = _ids([entry.file for entry in entries])
        self.items = tuple(
            Item(id=ids[entry.file], patient=entry.patient, split=entry.split, key=entry.file)
            for entry in sorted(entries, key=lambda entry: natural_key(ids[entry.file]))
        )
        self.description: dict[str, Any] = {
            "source": "folder",
            "folder": folder.resolve().name,
            "gray": {"range": "full scale of the file's format", "luma": list(LUMA)},
            **framing_description(size),
            "split_rule": split_rule,
            "patient_rule": patient_rule,
            "seed": seed if split_rule == RULE else None,
            "files_not_in_manifest": unlisted,
        }

    def load(self, item: Item) -> FloatImage:
        """Decode, crop and resize one image."""
        return frame(read_image(self._folder / str(item.key)), self._size)

    def stamps(self) -> list[Any]:
        """Path, split, patient, size and times of every file: it cannot change and keep them all."""
        return [
            [item.key, item.split, item.patient, *_file_stamp(self._folder / str(item.key))]
            for item in self.items
        ]


def _file_stamp(path: Path) -> tuple[int, ...]:
    """Size and times of a file; empty for a link that leads nowhere, which decoding will report."""
    try:
        status = path.stat()
    except OSError:
        return ()
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _require_images(folder: Path, count: int) -> None:
    if count < MIN_IMAGES:
        raise DataError(
            f"{folder} holds {count} image{'' if count == 1 else 's'}; give at least {MIN_IMAGES} "
            f"({', '.join(sorted(SUFFIXES))}), so that there are some to train on and some to test on"
        )


def _image_files(folder: Path) -> list[str]:
    """Paths of all image files, relative to the folder, with forward slashes."""
    found = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".") and name != "__MACOSX"]
        relative = Path(parent).relative_to(folder)
        images = (name for name in names if not name.startswith("."))
        found += [(relative / name).as_posix() for name in images if Path(name).suffix.lower() in SUFFIXES]
    return found


def _ids(files: Iterable[str]) -> dict[str, str]:
    """Give every file an id that is unique: without suffix where possible."""
    short = {file: str(PurePosixPath(file).with_suffix("")) for file in files}
    uses = Counter(short.values())
    ids = {file: stem if uses[stem] == 1 else file for file, stem in short.items()}
    return ids if len(set(ids.values())) == len(ids) else {file: file for file in ids}


def _patients(files: list[str], pattern: str | None) -> dict[str, str]:
    if pattern is None:
        return _ids(files)
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise DataError(f"patient pattern {pattern!r} is not a regular expression: {error}") from error
    if not expression.groups:
        raise DataError(
            f"patient pattern {pattern!r} has no group; put parentheses around the patient's part"
        )
    patients = {}
    for file in sorted(files, key=natural_key):
        match = expression.search(file if "/" in pattern else PurePosixPath(file).name)
        if match is None or not match.group(1):
            raise DataError(f"patient pattern {pattern!r} finds no patient in {file}; mend the pattern")
        patients[file] = match.group(1)
    return patients


def _split(folder: Path, files: list[str], patients: dict[str, str], seed: int) -> tuple[list[Entry], str]:
    """Take the splits from sub-folders, or make them by patient; the second value names the rule."""
    tops = {file: PurePosixPath(file).parts[0] for file in files if "/" in file}
    if not set(tops.values()) & set(SPLITS):
        if len(set(patients.values())) < 2:
            raise DataError(
                f"all images of {folder} belong to one patient; at least 2 are needed, to train and test"
            )
        splits = split_by_patient(patients.values(), seed)
        return [Entry(file, splits[patients[file]], patients[file]) for file in files], RULE
    split_of_patient: dict[str, str] = {}
    for file in sorted(files, key=natural_key):
        split = tops.get(file)
        if split not in SPLITS:
            raise DataError(
                f"{folder / file} is outside the sub-folders {', '.join(SPLITS)}; move it into one"
            )
        known = split_of_patient.setdefault(patients[file], split)
        if known != split:
            raise DataError(
                f"patient {patients[file]} is in both {known} and {split} of {folder}; choose one"
            )
    return [Entry(file, tops[file], patients[file]) for file in files], "sub-folders"
