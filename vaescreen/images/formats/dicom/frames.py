"""Which images a DICOM file holds, and each of them as gray.

Gray is what DICOM's grayscale pipeline gives (PS3.4 N.2): stored value, modality LUT or rescale, window, and last,
once, the inversion of MONOCHROME1.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaescreen.errors import DataError
from vaescreen.images.formats.base import Frame
from vaescreen.images.formats.dicom import SAMPLED, VOLUMES
from vaescreen.images.formats.dicom.file import GRAY, PALETTE, DicomFile, opened
from vaescreen.images.formats.dicom.values import as_stored, luma, padding, palette, scale, shades, shares
from vaescreen.images.formats.volume import FOREGROUND, NEARLY_EMPTY, part
from vaescreen.images.levels import windowed
from vaescreen.images.pixels import FloatImage, checked
from vaescreen.registry.reading import Reading, Window

PALETTE_WHITE = 255
"""A window of a palette image is in this scale, since its colours have one and its stored values none."""
_CLOSE = 1e-3
"""Positions that differ by less than this many millimetres are one."""


def frames(path: Path, reading: Reading) -> list[Frame]:
    """List the images of a file.

    A file of one frame is one image. The frames of a volume are its slices, in the order of the file: those in the
    part that `reading.slices` chooses, counted along their normal where the file gives positions; else those that
    are not nearly empty (see `volume`), for which all are decoded. Other frames, such as those of a film, are all
    used. The patient is PatientID.

    Raises
    ------
    DataError
        With the bare reason.
    """
    file = opened(path, keep_labels=reading.keep_labels)
    patient = _text(file, "PatientID") or None
    study = _text(file, "StudyInstanceUID")
    if file.frames == 1:
        return [Frame(patient=patient, study=study)]
    chosen: Sequence[int] = range(file.frames)
    ranks = _ranks(file)
    if len(set(ranks)) > 1 or file.modality in VOLUMES:
        ranks = ranks if len(set(ranks)) > 1 else list(chosen)
        chosen = _of_part(ranks, reading.slices) if reading.slices else _filled(file, reading.window)
    return [Frame(str(index + 1), patient, study=study) for index in chosen]


def read(path: Path, key: str, reading: Reading) -> FloatImage:
    """Decode one image of a file, by the `key` of its `Frame`: float32 [H, W] in [0, 1].

    Raises
    ------
    DataError
        With the bare reason.
    """
    return checked(_gray(opened(path, keep_labels=reading.keep_labels), int(key or 1) - 1, reading.window))


def _gray(file: DicomFile, index: int, window: Window) -> FloatImage:
    """One frame as gray, or as measured; NaN where the file says that there is no data."""
    stored = file.decoded(index)
    if file.interpretation == PALETTE:
        return windowed(as_stored(file).replaced(stored, palette(file)), PALETTE_WHITE, window)
    if file.interpretation not in GRAY:
        return windowed(luma(stored, file.bits), 2**file.bits - 1, window)
    measured = scale(file, index)
    chosen = shares(file, index, window)
    limits = None
    if chosen:
        decoded = [(index, stored)] if file.frames == 1 else _sampled(file)
        limits = file.limits.get(chosen) or _percentiles(file, chosen, decoded)
        file.limits[chosen] = limits
    by_value = shades(file, index, measured, window, limits)
    padded = padding(file)
    if padded is not None:
        by_value = np.where(padded, np.float32("nan"), by_value)
    return measured.replaced(stored, by_value)


def _text(file: DicomFile, keyword: str) -> str:
    return str(file.header.get(keyword) or "").strip(" \0")


def _percentiles(
    file: DicomFile, chosen: tuple[float, float], decoded: Iterable[tuple[int, NDArray[Any]]]
) -> tuple[float, float]:
    """Percentiles of the measured values of decoded frames, linear between neighbours as those of numpy."""
    values, counts, padded = [], [], padding(file)
    for index, stored in decoded:
        measured = scale(file, index)
        found = measured.counts(stored)
        if padded is not None:
            found[padded] = 0
        values.append(measured.values[found > 0])
        counts.append(found[found > 0])
    every = np.concatenate(values)
    if not every.size:
        raise DataError("holds nothing but padding")
    order = np.argsort(every)
    up_to = np.concatenate(counts)[order].cumsum()
    limits = []
    for share in chosen:
        place = share / 100 * (up_to[-1] - 1)
        below, above = every[order][np.searchsorted(up_to, [np.floor(place), np.ceil(place)], side="right")]
        limits.append(float(below + (above - below) * (place - np.floor(place))))
    return limits[0], limits[1]


def _sampled(file: DicomFile) -> Iterator[tuple[int, NDArray[Any]]]:
    """Frames that percentiles are taken of, with their places in the file."""
    for index in np.unique(np.linspace(0, file.frames - 1, SAMPLED).round().astype(int)).tolist():
        yield index, file.decoded(index)


def _ranks(file: DicomFile) -> list[int]:
    """Place of each frame along the normal of the first; all 0 if the file does not give positions."""
    groups = file.header.get("PerFrameFunctionalGroupsSequence") or []
    shared = file.header.get("SharedFunctionalGroupsSequence") or []
    positions = [
        group["PlanePositionSequence"].value[0].ImagePositionPatient
        for group in groups
        if group.get("PlanePositionSequence")
    ]
    turned = [
        group["PlaneOrientationSequence"].value[0].ImageOrientationPatient
        for group in (*groups[:1], *shared[:1])
        if group.get("PlaneOrientationSequence")
    ]
    if len(positions) != file.frames or not turned:
        return [0] * file.frames
    right, down = np.asarray(turned[0], np.float64).reshape(2, 3)
    along = np.asarray(positions, np.float64) @ np.cross(right, down)
    if not np.isfinite(along).all():
        return [0] * file.frames
    order = np.argsort(along, kind="stable")
    steps = np.diff(along[order], prepend=along[order[0]]) > _CLOSE
    ranks = np.empty(file.frames, int)
    ranks[order] = steps.cumsum()
    return [int(rank) for rank in ranks]


def _of_part(ranks: Sequence[int], slices: tuple[float, float]) -> list[int]:
    wanted = set(part(max(ranks) + 1, slices))
    return [index for index, rank in enumerate(ranks) if rank in wanted]


def _filled(file: DicomFile, window: Window) -> list[int]:
    """Frames that are not nearly empty; all, if none has any foreground, as where bits are mostly unused."""
    counts = [np.count_nonzero(_gray(file, index, window) > FOREGROUND) for index in range(file.frames)]
    least = NEARLY_EMPTY * max(counts)
    return [index for index, count in enumerate(counts) if count >= least]
