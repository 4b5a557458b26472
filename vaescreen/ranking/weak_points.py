"""What is known of named data sets beyond their files: origin, licence, weak points, kind of groups."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class DataNote:
    """Origin of a data set of real images.

    `groups` completes "183 real images ..." with the number of groups as `{n}`; it is empty where every image
    is a group of its own. `known_as` is what registry entries call the set where they were trained on it.
    """

    groups: str
    known_as: str
    source: str
    commit: str
    licence: str
    attribution: str
    weak_points: tuple[str, ...]


NOTES: dict[str, DataNote] = {
    "chest": DataNote(
        groups=" of {n} patients",
        known_as="NIH ChestX-ray8",
        source=(
            "frontal chest X-rays of NIH ChestX-ray8, half of them without finding, half labelled pneumonia "
            "by text mining; from the repository `muhammedtalo/COVID-19`"
        ),
        commit="ee3e2cffc0824711bed675275506b26f19be7198",
        licence="no restrictions on use; attribution is asked for",
        attribution=(
            "images provided by the NIH Clinical Center; Wang et al., ChestX-ray8: Hospital-scale Chest "
            "X-ray Database and Benchmarks, CVPR 2017"
        ),
        weak_points=(
            "one hospital, 8 bit",
            "small left and right markers, some tilt, some tubes",
            "only 0.2 % of the power lies above half the Nyquist frequency",
            "the bundled medical autoencoders were trained on its train split; the test patients are others",
        ),
    ),
    "brain": DataNote(
        groups=" in {n} groups (runs of like slices, not patients)",
        known_as="Brain Tumor Dataset",
        source=(
            "axial T1 post-contrast MRI with tumours, 233 patients of two hospitals in all (Cheng, figshare "
            "1512427); from the repository `nanonane/RCS-YOLO`"
        ),
        commit="57449ecb207bb6c377a747f8fcd480960ea52073",
        licence="CC BY 4.0 (believed, not seen)",
        attribution="Cheng, Brain Tumor Dataset, figshare 1512427",
        weak_points=(
            "patients are not named in the source: groups are runs of consecutive slices, more of them than "
            "patients, and splits are blocks with a gap between them: leakage is unlikely but not excluded",
            "JPEG of quality about 75 before a twofold reduction",
            "one sequence; dim images, 55 % of the pixels nearly black: compare foreground PSNR too",
        ),
    ),
    "natural": DataNote(
        groups="",
        known_as="BSDS500",
        source="photographs of BSDS500, the control outside medicine; from the repository `BIDS/BSDS500`",
        commit="a04b7c6c3a9f0ace74bf205c72a43d32e1c72722",
        licence="non-commercial research and education (believed, not seen)",
        attribution="Arbelaez et al., Contour Detection and Hierarchical Image Segmentation, TPAMI 2011",
        weak_points=("public autoencoders have probably been trained on these photographs",),
    ),
}

_OWN_PATIENT = "every image is its own patient"


def note_of(data: Mapping[str, Any]) -> DataNote | None:
    """Note on a data set, from the `data` field of a result; phantoms and unknown sets have none."""
    return NOTES.get(data["name"]) if data["kind"] == "real" else None


def images_phrase(data: Mapping[str, Any], counts: Mapping[str, Any]) -> str:
    """How many test images there are, of what kind, and of how many patients."""
    images, patients = counts["test_images"], counts["test_patients"]
    if data["kind"] == "phantom":
        return f"{images} GENERATED PHANTOMS (no real images)"
    note = note_of(data)
    if note is not None:
        return f"{images} REAL images{note.groups.format(n=patients)}"
    if data["description"].get("patient_rule") == _OWN_PATIENT:
        return f"{images} REAL images (patients unknown, each image counted as one)"
    return f"{images} REAL images of {patients} {'patient' if patients == 1 else 'patients'}"
