"""What a DICOM file is for, by its SOP class, modality and image type: a picture, or something else with pixels."""

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.uid import UID

SEGMENTATION, DOSE, MAP = "segmentation", "radiotherapy dose", "parametric map"
WITHOUT_PIXELS = "object without pixels"
LOCALIZER, SCREEN, REPORT = "localizer", "screen save", "dose report"

_STORAGE = "1.2.840.10008.5.1.4.1.1."
CLASSES = {
    f"{_STORAGE}66.4": SEGMENTATION,
    f"{_STORAGE}66.5": SEGMENTATION,
    f"{_STORAGE}66.7": SEGMENTATION,
    f"{_STORAGE}481.2": DOSE,
    f"{_STORAGE}30": MAP,
}
"""Segmentation, Surface Segmentation, Label Map Segmentation, RT Dose and Parametric Map Storage (PS3.6, A)."""
_MODALITIES = {"SEG": SEGMENTATION, "RTDOSE": DOSE}
"""For files without a SOP class, such as anonymised ones."""
IMAGE_TYPES = {
    LOCALIZER: {"LOCALIZER", "SCOUT", "TOPOGRAM"},
    REPORT: {"DOSE INFO", "DOSE REPORT", "DOSE SUMMARY"},
    SCREEN: {"SCREEN SAVE", "SCREENSAVE", "SCREEN CAPTURE", "SCREENSHOT", "CSA REPORT"},
}
"""Values of ImageType that scanners give to what is no picture of its own, underscores as blanks."""


def purpose(header: Dataset) -> str:
    """What a file with pixels holds instead of a picture; empty for pictures."""
    stated = CLASSES.get(str(header.get("SOPClassUID") or "").strip())
    modality = _MODALITIES.get(str(header.get("Modality") or "").strip().upper())
    return stated or modality or _by_image_type(header)


def never_has_pixels(header: Dataset) -> bool:
    """Whether files of this SOP class are reports, plans, contours or states: a known class, and none of images."""
    uid = UID(str(header.get("SOPClassUID") or ""))
    return uid.type == "SOP Class" and "Image" not in uid.name


def _by_image_type(header: Dataset) -> str:
    values = header.get("ImageType") or ()
    several = values if isinstance(values, MultiValue | list | tuple) else (values,)
    words = {" ".join(str(value).upper().replace("_", " ").split()) for value in several}
    return next((what for what, marks in IMAGE_TYPES.items() if words & marks), "")
