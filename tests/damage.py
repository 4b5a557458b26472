"""Damage done to valid files, and what reading them must come to."""

from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from valid_files import valid_files

from vaescreen.errors import DataError
from vaescreen.images.contents import contents_of
from vaescreen.images.files import frames_of, read_frame
from vaescreen.images.places import Place
from vaescreen.registry.reading import AS_FILES_SAY

SPECIAL = [0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]


LISTS = {
    "list.jsonl": b"".join(
        b'{"file": "%c.png", "split": "%s", "patient_id": %d}\n' % row
        for row in ((b"a", b"train", 1), (b"b", b"test", 2))
    ),
    "list.json": b'[{"file": "a.png"},\n {"file": "b.png"}]',
    "list.csv": b"file;split;patient_id\na.png;train;1\nb.png;test;2\n",
}
"""Lists of two pictures beside them."""


def mutated(kind: str) -> st.SearchStrategy[tuple[str, bytes]]:
    """Give a valid file of a format, damaged."""
    return damaged(valid_files(kind))


@st.composite
def damaged(draw: st.DrawFn, files: dict[str, bytes]) -> tuple[str, bytes]:
    """One of the files with one to four damages, more often in its first bytes, which say the most."""
    name = draw(st.sampled_from(sorted(files)))
    data = bytearray(files[name])
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, max(len(data) - 1, 0)) | st.integers(0, min(400, max(len(data) - 1, 0))))
        end = place + draw(st.integers(1, 64))
        match draw(st.sampled_from(["byte", "number", "cut", "drop", "repeat", "noise"])):
            case "byte":
                data[place : place + 1] = bytes([draw(st.integers(0, 255))])
            case "number":
                order, size = draw(st.sampled_from(["little", "big"])), draw(st.sampled_from([2, 4]))
                value = draw(st.sampled_from(SPECIAL)) % 256**size
                data[place : place + size] = value.to_bytes(size, order)
            case "cut":
                del data[place:]
            case "drop":
                del data[place:end]
            case "repeat":
                data[place:place] = data[place:end]
            case "noise":
                data[place:end] = draw(st.binary(min_size=1, max_size=64))
    return name, bytes(data)


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
        assert pixels.min() >= 0
        assert pixels.max() <= 1
        usable += 1
    return usable
