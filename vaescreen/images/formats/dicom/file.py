"""A DICOM file: its header, checked before any pixel is decoded, and one decoded frame at a time."""

import io
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast

from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, get_frame
from pydicom.filereader import read_dataset
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.utils import as_pixel_options
from pydicom.tag import Tag
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    MediaStorageDirectoryStorage,
)

from vaescreen.errors import DataError
from vaescreen.images.formats.base import NoPictureError
from vaescreen.images.formats.dicom import begins_as_data_set
from vaescreen.images.formats.dicom.codecs import check_codestream, plugin_for
from vaescreen.images.formats.dicom.purposes import SEGMENTATION, WITHOUT_PIXELS, never_has_pixels, purpose
from vaescreen.images.held import held
from vaescreen.images.pixels import MAX_PIXELS, check_shape

COLOUR = {"RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"}
GRAY = {"MONOCHROME1", "MONOCHROME2"}
PALETTE = "PALETTE COLOR"
MAX_INFLATED = 2**29
"""Bytes that a deflated file may hold: it is inflated in memory."""

_MARK_AT, _MARK = 128, b"DICM"
_GZIP = b"\x1f\x8b"
_ITEM = b"\xfe\xff\x00\xe0"
"""Tag with which encapsulated pixels begin."""
_LARGE_GROUP = 0x0400
"""The first group of a data set is smaller, unless its bytes are read in the wrong order."""
_UNDEFINED = 0xFFFFFFFF
_LONGEST = 80
_INTEGERS, _PIXELS = 0x7FE00010, {0x7FE00008, 0x7FE00009, 0x7FE00010}
_TAGS = [
    Tag(keyword)
    for keyword in (
        "SOPClassUID",
        "Modality",
        "ImageType",
        "PatientID",
        "StudyInstanceUID",
        "SamplesPerPixel",
        "PhotometricInterpretation",
        "PlanarConfiguration",
        "NumberOfFrames",
        "Rows",
        "Columns",
        "BitsAllocated",
        "BitsStored",
        "HighBit",
        "PixelRepresentation",
        "PixelPaddingValue",
        "PixelPaddingRangeLimit",
        "WindowCenter",
        "WindowWidth",
        "VOILUTFunction",
        "VOILUTSequence",
        "RescaleIntercept",
        "RescaleSlope",
        "ModalityLUTSequence",
        "RedPaletteColorLookupTableDescriptor",
        "GreenPaletteColorLookupTableDescriptor",
        "BluePaletteColorLookupTableDescriptor",
        "RedPaletteColorLookupTableData",
        "GreenPaletteColorLookupTableData",
        "BluePaletteColorLookupTableData",
        "SharedFunctionalGroupsSequence",
        "PerFrameFunctionalGroupsSequence",
        "EncryptedAttributesSequence",
        "ExtendedOffsetTable",
        "ExtendedOffsetTableLengths",
    )
]


@dataclass(frozen=True)
class DicomFile:
    """What a header says, and where the pixels are.

    Attributes
    ----------
    path
        The file.
    header
        Elements that decide what the pixels mean, and whose they are.
    syntax
        How they are encoded.
    pixels_at
        Where their value begins: byte of the file, or of `inflated`.
    pixel_vr
        Their value representation, which says how big-endian bytes are to be swapped.
    inflated
        The deflated part of a file in a deflated syntax, or all of a gzip file, unpacked.
    limits
        Percentiles of all frames, by their shares; filled by whoever needs them.
    """

    path: Path
    header: Dataset
    syntax: UID
    pixels_at: int
    pixel_vr: str
    inflated: bytes | None
    limits: dict[tuple[float, float], tuple[float, float]] = field(default_factory=dict)

    @property
    def frames(self) -> int:
        """Number of images; 1 where the file does not say."""
        return _integer(self.header, "NumberOfFrames", 1) or 1

    @property
    def bits(self) -> int:
        """Bits of a pixel that are used."""
        return _integer(self.header, "BitsStored", _integer(self.header, "BitsAllocated"))

    @property
    def modality(self) -> str:
        """What acquired the image, such as CT; empty where the file does not say."""
        return str(self.header.get("Modality") or "").upper()

    @property
    def interpretation(self) -> str:
        """Photometric interpretation."""
        return str(self.header.get("PhotometricInterpretation", "")).upper()

    def decoded(self, index: int) -> NDArray[Any]:
        """Decode one frame, as stored: integers [H, W], or [H, W, 3] in red, green and blue.

        Raises
        ------
        DataError
            With the bare reason: no installed library decodes it, or it is not what the header promises.
        """
        options = as_pixel_options(self.header, number_of_frames=self.frames)
        options |= {"pixel_keyword": "PixelData", "pixel_vr": self.pixel_vr}
        offsets = options.pop("extended_offsets", None)
        decoder = get_decoder(self.syntax)
        with self.path.open("rb") if self.inflated is None else io.BytesIO(self.inflated) as stream:
            stream.seek(self.pixels_at)
            source: BinaryIO | bytes = cast("BinaryIO", stream)
            if self.syntax.is_encapsulated:
                frame = get_frame(
                    cast("Any", stream), index, extended_offsets=offsets, number_of_frames=self.frames
                )
                check_codestream(frame, self.syntax, self.header)
                source, index, options["number_of_frames"] = encapsulate([frame]), 0, 1
            pixels, found = decoder.as_array(
                source,
                index=index,
                decoding_plugin=plugin_for(self.syntax),
                **options,
            )
        if self.interpretation in COLOUR and found["photometric_interpretation"] != "RGB":
            raise DataError(f"colours in {found['photometric_interpretation']} cannot be turned to gray")
        return pixels


def opened(path: Path, *, keep_labels: bool = False) -> DicomFile:
    """Read the header of a file, or recall it if it was the last one opened.

    Raises
    ------
    NoPictureError
        If it holds something else than a picture (see `purpose`), unless those are to be kept.
    DataError
        With the bare reason: not DICOM, encrypted, truncated, or of a kind that cannot be read.
    """
    return held(path, ("dicom", keep_labels), lambda: _open(path, keep_labels))


def _open(path: Path, keep_labels: bool) -> DicomFile:
    packed = _unpacked(path)
    with path.open("rb") if packed is None else io.BytesIO(packed) as file:
        meta = _meta(file)
        if meta.get("MediaStorageSOPClassUID") == MediaStorageDirectoryStorage:
            raise NoPictureError("directory of files", "a directory of DICOM files (DICOMDIR), not an image")
        syntax = UID(str(meta.get("TransferSyntaxUID") or "")) or _native_syntax(file)
        try:
            get_decoder(syntax)
        except NotImplementedError:
            raise DataError(
                f"transfer syntax {shown(syntax.name)} is not supported; save it as explicit little endian"
            ) from None
        inflated = _inflate(file) if syntax.is_deflated else packed
        if inflated is packed:
            stream: Any = file
        else:
            stream = io.BytesIO(inflated or b"")
        size = path.stat().st_size if inflated is None else len(inflated)
        _check_byte_order(stream, syntax)
        header = read_dataset(
            stream,
            syntax.is_implicit_VR,
            syntax.is_little_endian,
            stop_when=lambda tag, _vr, _length: int(tag) in _PIXELS,
            specific_tags=list(_TAGS),
        )
        if stream.tell() > size:
            raise DataError(f"truncated: its header goes on after the end of the file, at byte {size}")
        if not keep_labels and (what := purpose(header)):
            raise NoPictureError(what, f"not a picture: {what}")
        tag, vr, length = _start_of_pixels(stream, header)
        if tag != _INTEGERS:
            raise DataError("floating-point pixels; save them as integers of 8 to 16 bits")
        opened = DicomFile(path, header, syntax, stream.tell(), vr, inflated)
        begins_with = stream.read(len(_ITEM))
    _check(opened, length, size - opened.pixels_at, begins_with)
    return opened


def _unpacked(path: Path) -> bytes | None:
    """Content of a gzip file; None if it is none."""
    with path.open("rb") as file:
        if file.read(2) != _GZIP:
            return None
        file.seek(0)
        return _inflate(file, 16 + zlib.MAX_WBITS)


def _meta(file: BinaryIO) -> Dataset:
    """Read the file meta information; empty in a file that begins with the data set, as scanners send them."""
    head = file.read(_MARK_AT + len(_MARK))
    if head[_MARK_AT:] != _MARK:
        if not begins_as_data_set(head):
            raise DataError(
                "not a DICOM file, or encrypted as a whole: the mark DICM is missing at byte 128, and no data set "
                "begins at byte 0"
            )
        file.seek(0)
    return read_dataset(file, False, True, stop_when=lambda tag, _vr, _length: int(tag) >> 16 != 2)


def _native_syntax(file: BinaryIO) -> UID:
    """Syntax of a file that does not say it: as pydicom takes it, by the first element of the data set."""
    start = file.tell()
    element = file.read(6)
    file.seek(start)
    explicit = element[4:6].isalpha() and element[4:6].isupper()
    if not explicit:
        return ImplicitVRLittleEndian
    return (
        ExplicitVRLittleEndian
        if int.from_bytes(element[:2], "little") < _LARGE_GROUP
        else ExplicitVRBigEndian
    )


def _check_byte_order(stream: BinaryIO, syntax: UID) -> None:
    """Refuse a data set whose first group is only small when its bytes are read the other way round."""
    start = stream.tell()
    group = stream.read(2)
    stream.seek(start)
    order: Literal["little", "big"] = "little" if syntax.is_little_endian else "big"
    if int.from_bytes(group, order) >= _LARGE_GROUP > int.from_bytes(group[::-1], order):
        raise DataError(f"its data set is not in the byte order of {syntax.name}, as its header says")


def _start_of_pixels(stream: Any, header: Dataset) -> tuple[int, str, int]:
    """Tag, value representation and length of the pixels, in the encoding in which pydicom found the header.

    The stream is left where their value begins.
    """
    is_implicit, is_little = header.original_encoding
    order: Literal["little", "big"] = "little" if is_little else "big"
    least = 8 if is_implicit else 12
    block = stream.read(least)
    kind = UID(str(header.get("SOPClassUID") or "")).name or "no kind stated"
    if not block:
        if header.get("EncryptedAttributesSequence"):
            raise DataError("encrypted: its pixels cannot be read without the key")
        if header.get("Rows") is not None:
            raise DataError(f"ends before its pixels, which its header promises ({shown(kind)})")
        reason = f"holds no pixels ({shown(kind)})"
        raise NoPictureError(WITHOUT_PIXELS, reason) if never_has_pixels(header) else DataError(reason)
    if len(block) < least:
        raise DataError("truncated: it ends where the pixels begin")
    tag = int.from_bytes(block[:2], order) << 16 | int.from_bytes(block[2:4], order)
    vr = "OW" if is_implicit else block[4:6].decode("ascii", "replace")
    return tag, vr, int.from_bytes(block[-4:], order)


def _inflate(file: BinaryIO, format_bits: int = -zlib.MAX_WBITS) -> bytes:
    inflater = zlib.decompressobj(format_bits)
    inflated = inflater.decompress(file.read(), MAX_INFLATED + 1)
    if len(inflated) > MAX_INFLATED:
        raise DataError(f"larger than {MAX_INFLATED} bytes once inflated; save it uncompressed")
    if not inflater.eof:
        raise DataError("truncated: its deflated part has no end")
    return inflated


def _check(file: DicomFile, length: int, left: int, begins_with: bytes) -> None:
    """Refuse what cannot be read, and what a header claims but the file cannot hold.

    `length` is that of the pixels as the file states it, `left` what there is of it.
    """
    header = file.header
    height, width = _integer(header, "Rows"), _integer(header, "Columns")
    samples, frames = _integer(header, "SamplesPerPixel", 1), file.frames
    allocated = _integer(header, "BitsAllocated")
    expected = 3 if file.interpretation in COLOUR else 1
    if file.interpretation not in COLOUR | GRAY | {PALETTE} or samples != expected:
        raise DataError(
            f"photometric interpretation {shown(file.interpretation) or 'missing'} with {samples} samples a pixel "
            "cannot be turned to gray; save it as MONOCHROME2 or RGB"
        )
    one_bit = allocated == file.bits == 1 and purpose(header) == SEGMENTATION
    if not one_bit and (allocated not in {8, 16} or not 2 <= file.bits <= allocated):
        raise DataError(
            f"{file.bits} of {allocated} bits a pixel are used; 2 to 16 bits in 8 or 16 can be read"
        )
    if _integer(header, "HighBit", file.bits - 1) != file.bits - 1:
        raise DataError(f"the highest bit of a pixel is {header.HighBit}, not {file.bits - 1}")
    if _integer(header, "PixelRepresentation", 0) not in {0, 1}:
        raise DataError("pixels are neither signed nor unsigned")
    check_shape(height, width)
    if height * width * samples > MAX_PIXELS:
        raise DataError(f"larger than {MAX_PIXELS // samples} colour pixels; cut it into smaller images")
    frame = height * width * samples * allocated // 8
    if file.interpretation == "YBR_FULL_422":
        frame = frame * 2 // 3
    least = frames * (8 if file.syntax.is_encapsulated else frame)
    _check_encoding(file, length, begins_with, frame)
    if frames < 1 or least > left or (length != _UNDEFINED and length > left):
        raise DataError(
            f"truncated: {left} bytes of pixels, where {frames} x {height} x {width} are promised"
        )


def _check_encoding(file: DicomFile, length: int, begins_with: bytes, frame: int) -> None:
    """Refuse pixels that are not encoded as the syntax says, whichever way round."""
    if file.syntax.is_encapsulated:
        if length != _UNDEFINED and begins_with != _ITEM:
            raise DataError(f"its pixels are not encapsulated, though its syntax is {file.syntax.name}")
        return
    promised = file.frames * frame
    if length == _UNDEFINED or (begins_with == _ITEM and length != promised + promised % 2):
        raise DataError(
            f"its pixels are encapsulated, so compressed, though its syntax is {file.syntax.name}; mend its header"
        )
    if length >= promised + frame > promised > 0:
        raise DataError(
            f"{length} bytes of pixels, where {file.frames} x {file.header.Rows} x {file.header.Columns} are promised"
        )


def shown(text: str) -> str:
    """Give text of a header as it can stand in a message: short, without control characters."""
    return text[:_LONGEST].encode("unicode_escape").decode()


def _integer(header: Dataset, keyword: str, default: int | None = None) -> int:
    value = header.get(keyword)
    if value is None and default is not None:
        return default
    try:
        return int(cast("Any", value))
    except (TypeError, ValueError):
        raise DataError(f"{keyword} is {'missing' if value is None else 'not a number'}") from None
