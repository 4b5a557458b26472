"""Whether a PNG file holds all the pixels that its header promises: Pillow takes those that are missing for black."""

import zlib
from collections.abc import Iterator
from typing import BinaryIO

PNG_MARK = b"\x89PNG\r\n\x1a\n"

_SIGNATURE = len(PNG_MARK)
_MAKE_PIXELS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""First column, first row, and steps of both, of each pass (PNG specification, 8.2)."""
_PIECE = 2**20


def is_complete(stream: BinaryIO) -> bool:
    """Whether the image data, once inflated, are as long as width, height and depth ask for."""
    stream.seek(_SIGNATURE)
    chunks = _chunks(stream)
    _, header = next(chunks)
    width, height = (int.from_bytes(header[at : at + 4], "big") for at in (0, 4))
    bits = header[8] * _SAMPLES[header[9]]
    passes = _ADAM7 if header[12] else ((0, 0, 1, 1),)
    missing = 0
    for left, top, across, down in passes:
        columns, rows = -((left - width) // across), -((top - height) // down)
        missing += rows * (1 + -(-columns * bits // 8)) if columns > 0 and rows > 0 else 0
    inflater = zlib.decompressobj()
    for kind, data in chunks:
        deflated = data if kind == b"IDAT" else b""
        while deflated and missing > 0 and not inflater.eof:
            missing -= len(inflater.decompress(deflated, _PIECE))
            deflated = inflater.unconsumed_tail
    return missing <= 0


def pixels_only(stream: BinaryIO) -> bytes:
    """Copy a file without profiles, texts and whatever else does not make pixels."""
    stream.seek(_SIGNATURE)
    kept = [PNG_MARK]
    while len(head := stream.read(8)) == 8:
        length, kind = int.from_bytes(head[:4], "big"), head[4:]
        if kind in _MAKE_PIXELS:
            kept += [head, stream.read(length + 4)]
        else:
            stream.seek(length + 4, 1)
    return b"".join(kept)


def _chunks(stream: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    while len(head := stream.read(8)) == 8:
        length, kind = int.from_bytes(head[:4], "big"), head[4:]
        if kind in {b"IHDR", b"IDAT"}:
            yield kind, stream.read(length)
            stream.seek(4, 1)
        else:
            stream.seek(length + 4, 1)
