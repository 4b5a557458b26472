"""Which library decodes the pixels of a DICOM file, and whether a codestream is what its header promises.

Every syntax has one decoder, so that pixels do not depend on what else is installed: pydicom itself, Pillow for 8-bit
JPEG, imagecodecs (libjpeg-turbo, CharLS, OpenJPEG) for the others. The latter is made a plugin of pydicom here.
"""

import importlib.util
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.pixels.decoders.base import DecodeRunner, get_decoder
from pydicom.uid import (
    UID,
    JPEG2000TransferSyntaxes,
    JPEGBaseline8Bit,
    JPEGLSTransferSyntaxes,
    JPEGTransferSyntaxes,
    RLELossless,
)

from vaescreen.errors import DataError

NAME = "imagecodecs"
DECODER_DEPENDENCIES = dict.fromkeys(
    (*JPEGTransferSyntaxes, *JPEGLSTransferSyntaxes, *JPEG2000TransferSyntaxes), (NAME,)
)
"""What `decode_frame` needs by syntax: asked for by pydicom, as is `is_available`."""

_START_OF_IMAGE, _END_OF_IMAGE, _START_OF_SCAN = 0xD8, 0xD9, 0xDA
_ALONE = {0x01, *range(0xD0, 0xD8)}
"""JPEG markers without a segment."""
_FRAMES = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}
"""JPEG and JPEG-LS markers of a frame header, which has the size."""
_JPEG2000 = b"\xff\x4f\xff\x51"
_MOST_BYTES = 2


def is_available(uid: str) -> bool:
    """Whether imagecodecs is installed and decodes a syntax."""
    return UID(uid) in DECODER_DEPENDENCIES and importlib.util.find_spec(NAME) is not None


def plugin_for(syntax: UID) -> str:
    """Name of the one pydicom plugin that decodes a syntax; empty where none is needed.

    Raises
    ------
    DataError
        With the bare reason, if it is not installed.
    """
    if not syntax.is_encapsulated:
        return ""
    if syntax == RLELossless:
        return "pydicom"
    if syntax == JPEGBaseline8Bit:
        return "pillow"
    if not is_available(syntax):
        raise DataError(
            f"compressed as {syntax.name}, which {NAME} decodes; pip install 'vaescreen[medical]'"
        )
    decoder = get_decoder(syntax)
    if NAME not in decoder.available_plugins:
        decoder.add_plugin(NAME, (__name__, decode_frame.__name__))
    return NAME


def decode_frame(src: bytes, runner: DecodeRunner) -> bytes:
    """Decode one frame by imagecodecs and tell pydicom in what form it comes: a pydicom decoding plugin."""
    imagecodecs = importlib.import_module(NAME)
    if runner.transfer_syntax in JPEG2000TransferSyntaxes:
        pixels: np.ndarray[Any, Any] = imagecodecs.jpeg2k_decode(src, planar=False, numthreads=1)
        if runner.photometric_interpretation in {"YBR_ICT", "YBR_RCT"}:
            runner.set_option("photometric_interpretation", "RGB")
    elif runner.transfer_syntax in JPEGLSTransferSyntaxes:
        pixels = imagecodecs.jpegls_decode(src)
    elif runner.samples_per_pixel == 1:
        pixels = imagecodecs.jpeg8_decode(src)
    else:
        pixels = imagecodecs.jpeg8_decode(src, colorspace="RGB", outcolorspace="RGB")
    wanted = (runner.rows, runner.columns) + ((3,) if runner.samples_per_pixel == 3 else ())
    if pixels.shape != wanted:
        raise ValueError(f"decodes to {pixels.shape} pixels, where {wanted} are promised")
    runner.set_option("planar_configuration", 0)
    runner.set_option("bits_allocated", 8 * pixels.dtype.itemsize)
    return pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()


def check_codestream(frame: bytes, syntax: UID, header: Dataset) -> None:
    """Refuse, before it is decoded, a compressed frame of another size than the header's.

    Raises
    ------
    DataError
        With the bare reason.
    """
    promised = (int(header.Rows), int(header.Columns), int(header.get("SamplesPerPixel") or 1))
    if syntax == RLELossless:
        raw = promised[0] * promised[1] * promised[2] * int(header.BitsAllocated) // 8
        if len(frame) > _MOST_BYTES * raw + 64:
            raise DataError(f"{len(frame)} bytes of run lengths, where {raw} bytes of pixels are promised")
        return
    found = _size_in_jpeg2000(frame) if syntax in JPEG2000TransferSyntaxes else _size_in_jpeg(frame)
    if found is None:
        raise DataError(f"its pixels are not {syntax.name}, as the header says")
    if found != promised:
        height, width, samples = found
        raise DataError(
            f"its compressed image is {width}x{height} with {samples} samples a pixel, "
            f"where {promised[1]}x{promised[0]} with {promised[2]} are promised"
        )


def _size_in_jpeg2000(codestream: bytes) -> tuple[int, int, int] | None:
    """Height, width and components by the SIZ segment (ISO/IEC 15444-1, A.5.1), in a JP2 file or bare."""
    start = 0 if codestream.startswith(_JPEG2000) else codestream.find(_JPEG2000, 0, 4096)
    segment = codestream[start + 8 : start + 42]
    if start < 0 or len(segment) < 34:
        return None
    right, bottom, left, top = (int.from_bytes(segment[at : at + 4], "big") for at in (0, 4, 8, 12))
    return bottom - top, right - left, int.from_bytes(segment[32:34], "big")


def _size_in_jpeg(codestream: bytes) -> tuple[int, int, int] | None:
    """Height, width and components by the first frame header (ITU-T T.81, B.2.2, and T.87, C.2.2)."""
    if not codestream.startswith(b"\xff\xd8"):
        return None
    at = 2
    while at + 4 <= len(codestream) and codestream[at] == 0xFF:
        marker = codestream[at + 1]
        if marker in {_END_OF_IMAGE, _START_OF_SCAN}:
            return None
        if marker in _FRAMES:
            header = codestream[at + 5 : at + 10]
            if len(header) < 5:
                return None
            return int.from_bytes(header[:2], "big"), int.from_bytes(header[2:4], "big"), header[4]
        alone = marker in _ALONE or marker == _START_OF_IMAGE
        if marker == 0xFF:
            at += 1
        else:
            at += 2 if alone else 2 + int.from_bytes(codestream[at + 2 : at + 4], "big")
    return None
