"""Whose an image is: by the user's pattern, by what the files say, or by a naming that the field agrees on."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from vaescreen.errors import DataError
from vaescreen.images.formats import Frame, without_suffix
from vaescreen.images.labels import image_stem, is_label_file
from vaescreen.images.splits import split_named
from vaescreen.registry.reading import compiled

PATTERN = "pattern"
OWN = "every image is its own patient"
OWN_FILE = "every file is its own patient"
SAID = "as the files say"

NAMINGS = {
    "BIDS (sub-LABEL)": re.compile(r"(?:^|/)(sub-[0-9A-Za-z]+)(?=[_/.])"),
    "BraTS (BraTS-GLI-NUMBER-VISIT)": re.compile(r"(BraTS-[A-Z]+-\d{5})-\d{3}(?!\d)"),
    "BraTS (BraTS20_Training_NUMBER)": re.compile(r"(BraTS20_(?:Training|Validation|Testing)_\d{3})(?!\d)"),
    "BraTS (BraTS2021_NUMBER)": re.compile(r"(BraTS2021_\d{5})(?!\d)"),
    "MRNet (PLANE/CASE.npy)": re.compile(r"(?:^|/)(?:axial|coronal|sagittal)/(\d{4})\.npy$"),
    "MIMIC-CXR (pNUMBER/sNUMBER)": re.compile(r"(?:^|/)(p\d{8})/s\d{8}(?=[/.])"),
    "CheXpert (patientNUMBER/studyN)": re.compile(r"(?:^|/)(patient\d{5})/study\d+/"),
    "NIH ChestX-ray14 (NUMBER_FOLLOWUP)": re.compile(r"(?:^|/)(\d{8})_\d{3}\.[a-z]+$"),
    "Medical Segmentation Decathlon, nnU-Net (imagesTr/CASE)": re.compile(
        r"(?:^|/)(?:images|labels)(?:Tr|Ts)/([^/]+?)(?:_\d{4})?\.[^/]+$"
    ),
    "ACDC (patientNUMBER_frameNUMBER)": re.compile(r"(?:^|/)(patient\d{3})_(?:frame\d+|4d)(?=[_.])"),
    "Synapse (caseNUMBER, caseNUMBER_sliceNUMBER)": re.compile(r"(?:^|/)(case_?\d+)(?:_slice_?\d+)?\.[^/]+$"),
    "OASIS (OAS1_NUMBER_MRn, OAS3NUMBER_)": re.compile(r"(?:^|/)(OAS[12]_\d{4}|OAS[34]\d{4})(?=_)"),
    "ADNI (SITE_S_NUMBER)": re.compile(r"(?:^|[/_])(\d{3}_S_\d{4,5})(?=[_/])"),
    "IXI (IXINUMBER-SITE-SCAN)": re.compile(r"(?:^|/)(IXI\d{3})(?=-)"),
    "TCGA barcode": re.compile(r"(?:^|/)(TCGA[-_][0-9A-Z]{2}[-_][0-9A-Z]{4})(?![0-9A-Za-z])"),
    "LIDC-IDRI (LIDC-IDRI-NUMBER)": re.compile(r"(LIDC-IDRI-\d{4})(?!\d)"),
    "CBIS-DDSM (P_NUMBER_SIDE_VIEW)": re.compile(r"(?:^|[/_])(P_\d{5})_(?:LEFT|RIGHT)_(?:CC|MLO)(?![A-Z])"),
    "DDSM (VOLUME_NUMBER_1.SIDE_VIEW)": re.compile(
        r"(?:^|/)([A-D]_\d{4})_1\.(?:LEFT|RIGHT)_(?:CC|MLO)(?![A-Z])"
    ),
    "INbreast (NUMBER_PATIENT_MG_SIDE_VIEW_ANON)": re.compile(
        r"(?:^|/)\d+_([0-9a-f]{16})_MG_[LR]_[A-Z]+_ANON(?=[_.])"
    ),
    "VinDr-Mammo (STUDY/IMAGE)": re.compile(r"(?:^|/)([0-9a-f]{32})/[0-9a-f]{32}\.[a-z]+$"),
    "OAI (NUMBER/, NUMBERL, NUMBERR)": re.compile(r"(?:^|/)(9\d{6})(?:_?[LR]\.[a-z]+$|/)"),
    "PadChest (STUDY_IMAGE)": re.compile(r"(?:^|/)(\d{25,})_[0-9a-z-]+\.png$"),
    "EyePACS, ODIR (NUMBER_left, NUMBER_right)": re.compile(r"(?:^|/)(\d+)_(?:left|right)\.[a-z]+$"),
}
"""Where each published naming has the patient; one is believed only if it fits every file of a folder."""

_SLICE = re.compile(r"(?:^|[/_ .-])(?:slices?|slc|frame)[_ .-]*\d+$", re.IGNORECASE)
_LAST_NUMBER = re.compile(r"\d+(?=\D*$)")
_BLANK = " \0\t\r\n"
_MEND = "name the patients by --patients REGEX or in manifest.csv"

Image = tuple[str, Frame, str]
"""File, frame and id."""


class Ownership(NamedTuple):
    """Patients of images.

    Attributes
    ----------
    patients
        Patient by image id.
    rule
        How they were found, in words.
    warnings
        Why images of one patient may have been taken for several patients'; no file is named.
    joined
        Ids that were taken for one patient's, since images of one study bear them.
    """

    patients: dict[str, str]
    rule: str
    warnings: tuple[str, ...] = ()
    joined: tuple[tuple[str, ...], ...] = ()


def patients_of(images: Sequence[Image], pattern: str | None) -> Ownership:
    """Find the patient of every image.

    The user's pattern decides; else what the files themselves say, unless all say the same, as of an anonymised set;
    else one of `NAMINGS`, if it fits all files; else every file is its own patient, so that slices of a volume are
    never parted. An id in a published naming, such as that of a view or a visit, stands for the person in it.

    Parameters
    ----------
    images
        File, frame and id of each image, in natural order.
    pattern
        Regular expression whose first group is the patient, searched in the file name, or in the path within the
        folder if the pattern contains a slash.

    Raises
    ------
    DataError
        If the pattern is no regular expression, has no group, or finds nothing in a file.
    """
    if pattern is not None:
        expression = compiled(pattern)
        return Ownership({id_: _matched(expression, file) for file, _, id_ in images}, f"{PATTERN} {pattern}")
    said = {_compared(frame.patient or "") for _, frame, _ in images} - {""}
    named = _named(images)
    if named and not said:
        return named
    if named and len(said) == 1 < len(set(named.patients.values())):
        return named._replace(rule=f"{named.rule}, since the files all say one patient")
    if said or any(frame.study for _, frame, _ in images):
        return _said(images)
    rule = OWN_FILE if any(_is_part(frame) for _, frame, _ in images) else OWN
    owners = {id_: _file_of(frame, id_) for _, frame, id_ in images}
    return Ownership(_with_labels(owners), rule, _doubts(images))


def _named(images: Sequence[Image]) -> Ownership | None:
    """Patients by the naming that fits all files, if one does."""
    for naming, expression in NAMINGS.items():
        names: dict[str, str] = {}
        for file, _, id_ in images:
            if (match := expression.search(file)) is None:
                break
            names[id_] = match[1]
        else:
            return Ownership(names, f"names as in {naming}")
    return None


def _with_labels(owners: Mapping[str, str]) -> dict[str, str]:
    """Give label maps, where they are kept, to the patient of the image that they are named after."""
    stems = {owner: owner.rpartition("/")[2] for owner in owners.values()}
    labels = {owner for owner, stem in stems.items() if is_label_file(owner, stem)}
    if not labels:
        return dict(owners)
    by_stem = {stem: owner for owner, stem in reversed(stems.items()) if owner not in labels}
    return {
        id_: by_stem.get(image_stem(stems[owner]), owner) if owner in labels else owner
        for id_, owner in owners.items()
    }


def _said(images: Sequence[Image]) -> Ownership:
    silent = len({file for file, frame, _ in images if not (frame.patient or frame.study)})
    warnings = (
        f"{silent} of {len({file for file, _, _ in images})} files do not say whose they are, as others do: each "
        f"counts as a patient of its own; {_MEND}",
    )
    persons = {said: _person(said) for _, frame, _ in images if (said := frame.patient)}
    owners = {
        id_: persons[frame.patient] if frame.patient else frame.study or _file_of(frame, id_)
        for _, frame, id_ in images
    }
    spelling: dict[str, str] = {}
    for owner in owners.values():
        spelling.setdefault(_compared(owner), owner.strip(_BLANK))
    joined = _of_one_study(images, owners)
    patients = {id_: joined.get(_compared(owner), _compared(owner)) for id_, owner in owners.items()}
    groups: dict[str, set[str]] = {}
    for person in map(_compared, persons.values()):
        groups.setdefault(joined.get(person, person), set()).add(person)
    return Ownership(
        {id_: spelling[patient] for id_, patient in patients.items()},
        SAID if all(said == person for said, person in persons.items()) else f"{SAID}, the person in each id",
        warnings if silent else (),
        tuple(tuple(spelling[each] for each in sorted(group)) for group in groups.values() if len(group) > 1),
    )


def _person(said: str) -> str:
    """The person in an id that follows a published naming, as that of a view or a visit; else the id."""
    found = (expression.search(said) for expression in NAMINGS.values())
    return next((match[1] for match in found if match), said)


def _compared(patient: str) -> str:
    """Id as it is compared: programs pad ids with blanks and NULs, and change their case."""
    return patient.strip(_BLANK).casefold()


def _of_one_study(images: Sequence[Image], owners: Mapping[str, str]) -> dict[str, str]:
    """For every id that shares a study with others, the first of them, in order: a study is one patient's."""
    parent: dict[str, str] = {}

    def root(each: str) -> str:
        while parent.setdefault(each, each) != each:
            each = parent[each]
        return each

    first_of_study: dict[str, str] = {}
    for _, frame, id_ in images:
        if frame.study:
            mine = root(_compared(owners[id_]))
            other = root(first_of_study.setdefault(frame.study, mine))
            parent[max(mine, other)] = min(mine, other)
    return {each: root(each) for each in parent}


def _file_of(frame: Frame, id_: str) -> str:
    """Id of the image's file: slices of one volume are of one patient, whoever that is."""
    return id_.removesuffix(f"/{frame.key}") if _is_part(frame) else id_


def _is_part(frame: Frame) -> bool:
    """Whether the image shares its patient with the others of its file."""
    return bool(frame.key) and frame.patient is None


def _doubts(images: Sequence[Image]) -> tuple[str, ...]:
    """Say why several files may be of one patient, if the names look so."""
    files = list(dict.fromkeys(file for file, _, _ in images))
    stems = [_without_split(without_suffix(file)) for file in files]
    sizes = Counter(_LAST_NUMBER.sub("", stem) for stem in stems)
    shared = [size for size in sizes.values() if size > 1]
    volumes = len({file for file, frame, _ in images if _is_part(frame)})
    if len(shared) > 1 and 2 * sum(shared) >= len(files):
        reason = f"{sum(shared)} files have names in {len(shared)} groups that differ by a number only"
    elif all(map(_SLICE.search, stems)):
        reason = f"all {len(files)} files are numbered like slices"
    elif volumes:
        reason = f"{volumes} files hold several images each; those of a file stay together"
    else:
        return ()
    return (f"patients not found, and {reason}: images of one patient may be in train and in test; {_MEND}",)


def _without_split(stem: str) -> str:
    first, slash, rest = stem.partition("/")
    return rest if slash and split_named(first.lower()) else stem


def _matched(expression: re.Pattern[str], file: str) -> str:
    match = expression.search(file if "/" in expression.pattern else PurePosixPath(file).name)
    if match is None or not match.group(1):
        raise DataError(
            f"patient pattern {expression.pattern!r} finds no patient in {file}; mend the pattern"
        )
    return match.group(1)
