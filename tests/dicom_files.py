"""Writes DICOM files, in any layout and transfer syntax, and reads them by pydicom alone."""

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels import apply_modality_lut, apply_voi_lut
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    JPEG2000TransferSyntaxes,
    JPEGBaseline8Bit,
    SecondaryCaptureImageStorage,
)

JPEG_2000_ENCODER = "pylibjpeg"


def item(**elements: Any) -> Dataset:
    """A sequence item."""
    made = Dataset()
    for keyword, value in elements.items():
        setattr(made, keyword, value)
    return made


def lut(entries: np.ndarray, first: int, bits: int) -> Dataset:
    """An item of a modality or VOI LUT sequence, of 16-bit words."""
    made = item(LUTDescriptor=[len(entries) % 2**16, first, bits])
    made.add_new("LUTData", "OW", entries.astype("<u2").tobytes())
    return made


def make_dicom(pixels: np.ndarray, *, colour: bool = False, **elements: Any) -> FileDataset:
    """A data set with pixels [H, W] or [N, H, W], with three channels last if `colour`; elements are added to it.

    The stored bits are those of the type, unless BitsStored says otherwise.
    """
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = elements.get("SOPClassUID", SecondaryCaptureImageStorage)
    meta.MediaStorageSOPInstanceUID = UID("1.2.826.0.1.3680043.8.498.1")
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    made.SOPClassUID = meta.MediaStorageSOPClassUID
    made.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    made.Modality = "OT"
    shape = pixels.shape[:-1] if colour else pixels.shape
    made.SamplesPerPixel = 3 if colour else 1
    made.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
    if colour:
        made.PlanarConfiguration = 0
    if len(shape) == 3:
        made.NumberOfFrames = shape[0]
    made.Rows, made.Columns = shape[-2:]
    made.BitsAllocated = 8 * pixels.itemsize
    made.BitsStored = elements.pop("BitsStored", made.BitsAllocated)
    made.HighBit = made.BitsStored - 1
    made.PixelRepresentation = int(pixels.dtype.kind == "i")
    made.PixelData = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()
    if len(made.PixelData) % 2:
        made.PixelData += b"\0"
    made["PixelData"].VR = "OB" if pixels.itemsize == 1 else "OW"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for keyword, value in elements.items():
            setattr(made, keyword, value)
    return made


def save(path: Path, made: FileDataset, syntax: UID = ExplicitVRLittleEndian, **options: Any) -> Path:
    """Write a data set in a transfer syntax; what pydicom can encode it does, by one library each."""
    syntax = UID(syntax)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if syntax == JPEGBaseline8Bit:
            _as_jpeg(made)
        elif syntax.is_encapsulated:
            plugin = JPEG_2000_ENCODER if syntax in JPEG2000TransferSyntaxes else ""
            made.compress(syntax, encoding_plugin=plugin, generate_instance_uid=False, **options)
        made.file_meta.TransferSyntaxUID = syntax
        if not syntax.is_little_endian and made.BitsAllocated == 16:
            made.PixelData = np.frombuffer(made.PixelData, "<u2").astype(">u2").tobytes()
        path.parent.mkdir(parents=True, exist_ok=True)
        dcmwrite(
            path, made, implicit_vr=syntax.is_implicit_VR, little_endian=syntax.is_little_endian,
            enforce_file_format=True,
        )  # fmt: skip
    return path


def save_codestreams(path: Path, made: FileDataset, syntax: UID, codestreams: list[bytes]) -> Path:
    """Write a data set with pixels that are compressed already."""
    made.PixelData = encapsulate(codestreams)
    made["PixelData"].is_undefined_length = True
    made.file_meta.TransferSyntaxUID = syntax
    made.save_as(path, implicit_vr=False, little_endian=True)
    return path


def write_dicom(
    path: Path,
    pixels: np.ndarray,
    syntax: UID = ExplicitVRLittleEndian,
    *,
    colour: bool = False,
    options: dict[str, Any] | None = None,
    **elements: Any,
) -> Path:
    """Write pixels as a DICOM file (see `make_dicom` and `save`)."""
    return save(path, make_dicom(pixels, colour=colour, **elements), syntax, **options or {})


def by_pydicom(path: Path, index: int = 0, plugin: str = "") -> np.ndarray:
    """Gray in [0, 1] by pydicom alone: stored, modality LUT, window, divided by the range that it documents."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        read = dcmread(path)
        read.pixel_array_options(index=index, decoding_plugin=plugin)
        measured = apply_modality_lut(read.pixel_array, read)
        seen = apply_voi_lut(measured, read).astype(np.float64)
    low, high = 0.0, float(2**read.BitsStored - 1)
    if read.PixelRepresentation:
        low, high = -(2.0 ** (read.BitsStored - 1)), 2.0 ** (read.BitsStored - 1) - 1
    if read.get("ModalityLUTSequence"):
        low, high = 0.0, 2.0 ** read.ModalityLUTSequence[0].LUTDescriptor[2] - 1
    elif "RescaleSlope" in read:
        low, high = (float(read.RescaleSlope * value + read.RescaleIntercept) for value in (low, high))
    if read.get("VOILUTSequence"):
        low, high = 0.0, 2.0 ** read.VOILUTSequence[0].LUTDescriptor[2] - 1
    gray = (seen - low) / (high - low)
    return 1 - gray if read.PhotometricInterpretation == "MONOCHROME1" else gray


def _as_jpeg(made: FileDataset) -> None:
    pixels = made.pixel_array
    codestreams = []
    for frame in pixels if "NumberOfFrames" in made else [pixels]:
        stream = io.BytesIO()
        Image.fromarray(frame).save(stream, "JPEG", quality=90)
        codestreams.append(stream.getvalue())
    made.PixelData = encapsulate(codestreams)
    made["PixelData"].is_undefined_length = True
    if made.SamplesPerPixel == 3:
        made.PhotometricInterpretation = "YBR_FULL_422"


def per_frame(values: list[dict[str, Any]]) -> list[Dataset]:
    """Items of a per-frame functional groups sequence: `position`, `rescale` (slope, intercept), `window`."""
    groups = []
    for value in values:
        group = Dataset()
        if "position" in value:
            group.PlanePositionSequence = [item(ImagePositionPatient=value["position"])]
        if "rescale" in value:
            slope, intercept = value["rescale"]
            group.PixelValueTransformationSequence = [item(RescaleSlope=slope, RescaleIntercept=intercept)]
        if "window" in value:
            centre, width = value["window"]
            group.FrameVOILUTSequence = [item(WindowCenter=centre, WindowWidth=width)]
        groups.append(group)
    return groups
