"""Damage done to valid files, and what reading them must come to."""

import gzip
import io
import re
import struct
import zipfile
import zlib
from pathlib import Path
from random import Random

import numpy as np
from bad_files import chunk

from vaescreen.errors import DataError
from vaescreen.images.contents import contents_of
from vaescreen.images.files import frames_of, read_frame
from vaescreen.images.places import Place
from vaescreen.registry.reading import AS_FILES_SAY

SPECIAL = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
TEXTS = (b"", b"0", b"-1", b"1e9", b"nan", b"99999999999", b"7 7", b"../x")
HEADERS = {".img": ".hdr", ".raw": ".mhd", ".bin": ".nhdr"}
"""What opens a file that is beside its header, as `valid_files` writes them."""

_HEAD = 400
_PNG = b"\x89PNG\r\n\x1a\n"


def damaged(files: dict[str, bytes], random: Random) -> tuple[str, bytes]:
    """One of the files with one to four damages: half the time below its checksums, where it has any."""
    name = random.choice(sorted(files))
    data = files[name]
    for _ in range(random.randint(1, 4)):
        data = (random.random() < 0.5 and _below_checksums(data, random)) or _hurt(data, random)
    return name, data


def _below_checksums(data: bytes, random: Random) -> bytes | None:
    """Damage what a gzip file or a ZIP archive packs, or a chunk of a PNG, and pack it anew."""
    try:
        if data.startswith(b"\x1f\x8b"):
            return gzip.compress(_hurt(gzip.decompress(data), random), 1)
        if data.startswith(b"PK\3\4"):
            return _in_archive(data, random)
        if data.startswith(_PNG):
            return _in_chunk(data, random)
    except (OSError, ValueError, EOFError, zlib.error, struct.error, zipfile.BadZipFile, NotImplementedError):
        pass  # an earlier damage cannot be undone
    return None


def _in_archive(data: bytes, random: Random) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        hurt = random.randrange(len(old.namelist()))
        for number, name in enumerate(old.namelist()):
            content = old.read(name)
            new.writestr(name, _hurt(content, random) if number == hurt else content)
    return stream.getvalue()


def _in_chunk(data: bytes, random: Random) -> bytes:
    starts, place = [], len(_PNG)
    while place < len(data):
        starts.append(place)
        place += 12 + int.from_bytes(data[place : place + 4], "big")
    start = random.choice(starts)
    end = start + 8 + int.from_bytes(data[start : start + 4], "big")
    content = data[start + 8 : end]
    if data[start + 4 : start + 8] == b"IDAT":
        content = zlib.compress(_hurt(zlib.decompress(content), random))
    else:
        content = _hurt(content, random)
    return data[:start] + chunk(data[start + 4 : start + 8], content) + data[end + 4 :]


def _hurt(content: bytes, random: Random) -> bytes:
    """Do one damage, more often in the first bytes, which say the most."""
    data = bytearray(content)
    last = max(len(data) - 1, 0)
    place = random.randint(0, random.choice((last, min(_HEAD, last))))
    end = place + random.randint(1, 64)
    match random.choice(("byte", "number", "text", "cut", "drop", "repeat", "noise")):
        case "byte":
            data[place : place + 1] = random.randbytes(1)
        case "number":
            size = random.choice((2, 4, 8))
            value = random.choice(SPECIAL) % 256**size
            data[place : place + size] = value.to_bytes(size, random.choice(("little", "big")))
        case "text":
            if found := list(re.finditer(rb"-?\d+", data[: 2 * _HEAD])):
                number = random.choice(found)
                data[number.start() : number.end()] = random.choice(TEXTS)
        case "cut":
            del data[place:]
        case "drop":
            del data[place:end]
        case "repeat":
            data[place:place] = data[place:end]
        case "noise":
            data[place:end] = random.randbytes(random.randint(1, 64))
    return bytes(data)


def look_at_damaged(folder: Path, files: dict[str, bytes], random: Random) -> int:
    """Write files into a new folder, one of them damaged, and read that one."""
    name, data = damaged(files, random)
    folder.mkdir()
    for other, content in (files | {name: data}).items():
        (folder / other).write_bytes(content)
    path = folder / name
    return look_at(path.with_suffix(HEADERS.get(path.suffix, path.suffix)))


def look_at(path: Path) -> int:
    """Read a file, or what an archive or a list holds, as a scan does; number of images that can be used."""
    try:
        contents = contents_of(path)
    except DataError:
        return 0
    return sum(_look_at(contents.place, file) for file in contents.walked.files[:4])


def _look_at(place: Place, file: str) -> int:
    try:
        frames = frames_of(place.path(file), AS_FILES_SAY)
    except DataError:
        return 0
    usable = 0
    for frame in frames[:4]:
        try:
            pixels = read_frame(place.path(file), frame.key, AS_FILES_SAY)
        except DataError:
            continue
        assert pixels.dtype == np.float32
        assert pixels.ndim == 2
        assert np.nanmin(pixels) >= 0
        assert np.nanmax(pixels) <= 1
        usable += 1
    return usable
