"""What the stored values of a DICOM frame mean, and the gray that each becomes.

A stored value has at most 16 bits, so that everything is computed once for each possible value and then looked up.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from vaescreen.errors import DataError
from vaescreen.images.formats.dicom import RELATIVE
from vaescreen.images.formats.dicom.file import DicomFile, shown
from vaescreen.images.formats.raster import LUMA
from vaescreen.images.levels import to_gray
from vaescreen.images.pixels import FloatImage
from vaescreen.registry.reading import PERCENTILES, Window

_AT_ONCE = 2**20
"""Pixels that are looked up at a time."""


@dataclass(frozen=True)
class Scale:
    """What each stored value of a frame measures.

    Attributes
    ----------
    first
        The smallest stored value that there can be; `values` are those of `first`, `first` + 1 and so on.
    values
        What is measured, by the modality LUT or the rescale slope and intercept.
    span
        Smallest and largest value that could be.
    """

    first: int
    values: NDArray[np.float64]
    span: tuple[float, float]

    def replaced(self, stored: NDArray[Any], by: FloatImage) -> FloatImage:
        """Replace stored values, [H, W], by what there is for each place of `values`.

        Raises
        ------
        DataError
            With the bare reason, if a stored value is outside.
        """
        replaced = np.empty(stored.shape, by.dtype)
        for rows, places in self._places(stored):
            replaced[rows] = by[places]
        return replaced

    def counts(self, stored: NDArray[Any]) -> NDArray[np.int64]:
        """How often each place of `values` occurs among stored values; errors as of `replaced`."""
        counts = np.zeros(len(self.values), np.int64)
        for _, places in self._places(stored):
            counts += np.bincount(places.ravel(), minlength=len(counts))
        return counts

    def _places(self, stored: NDArray[Any]) -> Iterator[tuple[slice, NDArray[np.int64]]]:
        """Places in `values`, some rows at a time, since they take four times the memory."""
        low, high = int(stored.min()), int(stored.max())
        last = self.first + len(self.values) - 1
        if low < self.first or high > last:
            raise DataError(f"stored values from {low} to {high}, where {self.first} to {last} are promised")
        step = max(_AT_ONCE // stored.shape[1], 1)
        for row in range(0, len(stored), step):
            rows = slice(row, row + step)
            yield rows, stored[rows].astype(np.int64) - self.first


def as_stored(file: DicomFile) -> Scale:
    """All values that the stored bits could have, meaning no more than that."""
    first = -(2 ** (file.bits - 1)) if file.header.get("PixelRepresentation") else 0
    values = np.arange(first, first + 2**file.bits, dtype=np.float64)
    return Scale(first, values, (values[0], values[-1]))


def scale(file: DicomFile, index: int) -> Scale:
    """Find what the stored values of a frame measure: by DICOM PS3.3 C.11.1, per frame where the file says so.

    Raises
    ------
    DataError
        With the bare reason: a slope or intercept that is not finite, a slope of zero, or a damaged table.
    """
    header = file.header
    stored = as_stored(file)
    first, values = stored.first, stored.values
    if header.get("ModalityLUTSequence"):
        looked_up, full = _looked_up(values, header.ModalityLUTSequence[0], "modality", file)
        return Scale(first, looked_up, (0.0, full))
    group = _group(header, index, "PixelValueTransformationSequence")
    slope, intercept = (_number(group, keyword) for keyword in ("RescaleSlope", "RescaleIntercept"))
    if slope is not None and intercept is not None:
        if not (np.isfinite(slope) and np.isfinite(intercept) and slope):
            raise DataError(f"rescale slope {slope:g} and intercept {intercept:g} cannot be used")
        values = values * slope + intercept
    return Scale(first, values, (float(values.min()), float(values.max())))


def shades(
    file: DicomFile, index: int, measured: Scale, window: Window, limits: tuple[float, float] | None
) -> FloatImage:
    """Gray of each value of a scale, float32 in [0, 1], by the window and the photometric interpretation.

    Parameters
    ----------
    file, index
        The frame.
    measured
        Its scale.
    window
        Values that become black and white.
    limits
        Those of a window by percentiles (see `shares`).

    Raises
    ------
    DataError
        With the bare reason: the file's window is not finite or has no width, or its VOI LUT is damaged.
    """
    header, values = file.header, measured.values
    if window.kind == "measured":
        return values.astype(np.float32)
    if limits is not None:
        gray = to_gray(values, *limits)
    elif window.kind == "level":
        gray = to_gray(values, *window.values)
    elif window.kind == "file" and header.get("VOILUTSequence"):
        looked_up, full = _looked_up(values, header.VOILUTSequence[0], "VOI", file)
        gray = to_gray(looked_up, 0, full)
    elif window.kind == "file" and (chosen := _window(header, index)):
        gray = _windowed(values, *chosen)
    else:
        gray = to_gray(values, *measured.span)
    return 1 - gray if file.interpretation == "MONOCHROME1" else gray


def shares(file: DicomFile, index: int, window: Window) -> tuple[float, float] | None:
    """Percentiles that become black and white; None if something else decides."""
    if window.kind == "percentile":
        return window.values
    if window.kind != "file" or file.modality not in RELATIVE:
        return None
    said = file.header.get("VOILUTSequence") or _window(file.header, index)
    return None if said else PERCENTILES


def padding(file: DicomFile) -> NDArray[np.bool_] | None:
    """Which of the values that could be stored (see `as_stored`) are no data; None if the file names none.

    By PixelPaddingValue, and up to PixelPaddingRangeLimit where it is given (PS3.3 C.7.5.1.1.2), in whichever of its
    two representations the value was written: some programs write it unsigned beside signed pixels.
    """
    limits = [_stored_padding(file, key) for key in ("PixelPaddingValue", "PixelPaddingRangeLimit")]
    given = [limit for limit in limits if limit is not None]
    if limits[0] is None:
        return None
    stored = as_stored(file).values
    return np.asarray((stored >= min(given)) & (stored <= max(given)))


def _stored_padding(file: DicomFile, keyword: str) -> int | None:
    value = file.header.get(keyword)
    if isinstance(value, MultiValue):
        value = value[0] if len(value) else None
    if isinstance(value, bytes) and len(value) == 2:
        value = int.from_bytes(value, "little" if file.syntax.is_little_endian else "big")
    if not isinstance(value, int):
        return None
    if file.header.get("PixelRepresentation"):
        return (value + 2**15) % 2**16 - 2**15
    return value % 2**16


def palette(file: DicomFile) -> FloatImage:
    """Gray of each stored value of a palette image, by `LUMA`: float32 in [0, 1].

    Raises
    ------
    DataError
        With the bare reason: the palette is missing, damaged or in segments.
    """
    stored = as_stored(file).values
    gray = np.zeros(len(stored))
    for colour, weight in zip(("Red", "Green", "Blue"), LUMA, strict=True):
        table = Dataset()
        table.LUTDescriptor = file.header.get(f"{colour}PaletteColorLookupTableDescriptor")
        table.LUTData = file.header.get(f"{colour}PaletteColorLookupTableData")
        if table.LUTData is None:
            raise DataError("its palette is missing or in segments; save it as RGB")
        looked_up, full = _looked_up(stored, table, "palette", file)
        gray += weight * looked_up / full
    return gray.astype(np.float32)


def luma(colours: NDArray[Any], bits: int) -> FloatImage:
    """Gray of red, green and blue of so many bits, [H, W, 3], by `LUMA`: float32 [H, W] in [0, 1].

    Raises
    ------
    DataError
        With the bare reason, if a value needs more bits, or is negative.
    """
    if colours.min() < 0 or colours.max() >= 2**bits:
        raise DataError(f"colours from {colours.min()} to {colours.max()}, where {bits} bits are promised")
    gray = np.empty(colours.shape[:2], np.float32)
    for row, line in enumerate(colours):
        gray[row] = line @ np.asarray(LUMA) / (2**bits - 1)
    return gray


def _window(header: Dataset, index: int) -> tuple[float, float, str] | None:
    """Centre and width of the first window, and how values become gray in it; None if there is none."""
    group = _group(header, index, "FrameVOILUTSequence")
    centre, width = _number(group, "WindowCenter"), _number(group, "WindowWidth")
    if centre is None or width is None:
        return None
    return centre, width, str(group.get("VOILUTFunction") or "LINEAR").upper()


def _windowed(values: NDArray[np.float64], centre: float, width: float, function: str) -> FloatImage:
    """Apply a window by DICOM PS3.3 C.11.2.1.2 (LINEAR) and C.11.2.1.3 (SIGMOID, LINEAR_EXACT)."""
    least = 1.0 if function == "LINEAR" else np.nextafter(0.0, 1.0)
    if not (np.isfinite(centre) and np.isfinite(width) and width >= least):
        raise DataError(
            f"its window has centre {centre:g} and width {width:g}; choose one by --window LOW,HIGH"
        )
    if function == "SIGMOID":
        with np.errstate(over="ignore"):
            return (1 / (1 + np.exp(-4 * (values - centre) / width))).astype(np.float32)
    if function == "LINEAR":
        centre, width = centre - 0.5, width - 1
        if width == 0:
            return (values > centre).astype(np.float32)
    elif function != "LINEAR_EXACT":
        raise DataError(f"VOI LUT function {shown(function)} is not known; choose one by --window LOW,HIGH")
    return to_gray(values, centre - width / 2, centre + width / 2)


def _looked_up(
    values: NDArray[np.float64], table: Dataset, what: str, file: DicomFile
) -> tuple[NDArray[np.float64], float]:
    """Look values up in a table by DICOM PS3.3 C.11.1.1; and the largest value that its entries could have.

    Of a VOI LUT whose uppermost bits are never used, those that are used count: the descriptors of many state the
    bits of the words in which the entries are stored.
    """
    try:
        count, first, bits = (int(number) for number in cast("Any", table.LUTDescriptor))
        entries = _entries(table.LUTData, count or 2**16, bits, file)
    except (AttributeError, TypeError, ValueError):
        raise DataError(f"its {what} LUT is damaged") from None
    places = np.floor(values - first).clip(0, len(entries) - 1).astype(np.int64)
    used = max(int(entries.max()).bit_length(), 1) if what == "VOI" else bits
    return entries[places].astype(np.float64), float(2**used - 1)


def _entries(data: Any, count: int, bits: int, file: DicomFile) -> NDArray[np.int64]:
    """Entries of a table: numbers, or bytes of 16-bit words, which hold two 8-bit entries where bits are few."""
    if not 1 <= bits <= 16:
        raise ValueError(bits)
    order = "<" if file.syntax.is_little_endian else ">"
    if isinstance(data, bytes):
        packed = len(data) < 2 * count
        entries = np.frombuffer(data, "u1" if packed else f"{order}u2")
    else:
        words = np.atleast_1d(np.asarray(data, np.uint16))
        entries = words.astype("<u2").view("u1") if len(words) < count else words
    if len(entries) < count or entries[:count].max() >= 2**bits:
        raise ValueError(count)
    return entries[:count].astype(np.int64)


def _group(header: Dataset, index: int, name: str) -> Dataset:
    """Where a frame's transformation is said: for the frame, for all frames, or in the header itself."""
    per_frame, shared = (
        header.get(f"{kind}FunctionalGroupsSequence") or [] for kind in ("PerFrame", "Shared")
    )
    for group in (*per_frame[index : index + 1], *shared[:1]):
        if said := group.get(name):
            return cast("Dataset", said[0])
    return header


def _number(group: Dataset, keyword: str) -> float | None:
    """First value of an element, None if it is missing or empty."""
    mend = "; choose a window by --window LOW,HIGH" if keyword.startswith("Window") else ""
    try:
        value = group.get(keyword)
    except (TypeError, ValueError):
        raise DataError(f"{keyword} is not a number{mend}") from None
    if isinstance(value, MultiValue):
        value = value[0] if len(value) else None
    if value is None or value == "":
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        raise DataError(f"{keyword} {value!r} is not a number{mend}") from None
