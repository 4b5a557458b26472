"""Images of 20,000 x 20,000 and files that unpack to much more than they are cost a reason, not the memory."""

import gzip
import io
import json
import os
import subprocess
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from bad_files import bmp, chunk, dicom, nifti, npy_header, png, rows, tiff
from PIL import Image

SIDE = 20_000
MOST_MEMORY_MB = 400
PIXELS = SIDE * SIDE
SMALL = np.zeros((8, 8, 8), np.uint8)


def sparse(path: Path, header: bytes, size: int) -> None:
    path.write_bytes(header)
    os.truncate(path, len(header) + size)


@cache
def flat_png() -> bytes:
    """A black image of 10,000 x 10,000, which deflates a thousandfold."""
    side = 10_000
    packed = zlib.compress(bytes((side + 1) * side))
    header = chunk(b"IHDR", side.to_bytes(4, "big") * 2 + bytes([8, 0, 0, 0, 0]))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def jpeg(path: Path) -> None:
    """A valid one whose header says another size."""
    Image.new("L", (64, 64)).save(stream := io.BytesIO(), "JPEG")
    data = bytearray(stream.getvalue())
    start = data.index(b"\xff\xc0") + 5
    data[start : start + 4] = SIDE.to_bytes(2, "big") * 2
    path.write_bytes(data)


def jpeg2000(path: Path) -> None:
    Image.new("L", (64, 64)).save(stream := io.BytesIO(), "JPEG2000", no_jp2=True)
    data = bytearray(stream.getvalue())
    data[8:16] = SIDE.to_bytes(4, "big") * 2
    path.write_bytes(data)


def webp(path: Path) -> None:
    """As large as the format can say: 28 bits for both sides."""
    Image.new("L", (64, 64)).save(stream := io.BytesIO(), "WEBP", lossless=True)
    data = bytearray(stream.getvalue())
    data[21:25] = (2**28 - 1).to_bytes(4, "little")
    path.write_bytes(data)


def metaimage(path: Path, slices: int = 1, packed: bool = False) -> None:
    header = f"ObjectType = Image\nNDims = 3\nDimSize = {SIDE} {SIDE} {slices}\nElementType = MET_UCHAR\n"
    header += f"CompressedData = {packed}\nElementDataFile = LOCAL\n"
    if packed:
        path.write_bytes(header.encode() + zlib.compress(bytes(10**7), 1))
    else:
        sparse(path, header.encode(), PIXELS * slices)


def nrrd(path: Path, encoding: str = "raw") -> None:
    header = f"NRRD0004\ntype: uchar\ndimension: 3\nsizes: {SIDE} {SIDE} 1\nencoding: {encoding}\n\n".encode()
    if encoding == "gzip":
        path.write_bytes(header + gzip.compress(bytes(10**7), 1))
    else:
        sparse(path, header, PIXELS)


def freesurfer(path: Path) -> None:
    numbers = (1, SIDE, SIDE, 30, 1, 0, 0)
    header = b"".join(number.to_bytes(4, "big") for number in numbers).ljust(284, b"\0")
    path.write_bytes(gzip.compress(header + bytes(10**7), 1))


def hdf5(path: Path) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        file.create_dataset("image", (30, SIDE, SIDE), "u1", chunks=(1, 500, 500), compression="gzip")


def parquet(path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.table({"image": [flat_png()]}), path)


def npz(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.npy", "w") as member:
        member.write(npy_header(f"({SIDE}, {SIDE})"))
        for _ in range(4):
            member.write(bytes(10**7))


def deflated_dicom(path: Path) -> None:
    from pydicom.uid import DeflatedExplicitVRLittleEndian

    syntax = DeflatedExplicitVRLittleEndian
    path.write_bytes(dicom(syntax=syntax, Rows=SIDE, Columns=SIDE, PixelData=bytes(10**7)))


FILES: dict[str, Callable[[Path], object]] = {
    "flat.png": lambda path: path.write_bytes(flat_png()),
    "claim.png": png(SIDE, SIDE, rows(1000, 1000)),
    "claim.bmp": bmp(SIDE, SIDE),
    "claim.tif": tiff(SIDE, SIDE),
    "claim.jpg": jpeg,
    "claim.j2k": jpeg2000,
    "claim.webp": webp,
    "flat.pgm": lambda path: sparse(path, b"P5 %d %d 255\n" % (SIDE, SIDE), PIXELS),
    "flat.npy": lambda path: sparse(path, npy_header(f"({SIDE}, {SIDE})"), PIXELS),
    "flat.npz": npz,
    "flat.mha": metaimage,
    "many.mha": lambda path: metaimage(path, slices=40),
    "packed.mha": lambda path: metaimage(path, packed=True),
    "flat.nrrd": nrrd,
    "packed.nrrd": lambda path: nrrd(path, "gzip"),
    "packed.mgz": freesurfer,
    "flat.nii": lambda path: sparse(path, nifti(SMALL, dim=[3, SIDE, SIDE, 1, 1, 1, 1, 1]), PIXELS),
    "packed.nii.gz": lambda path: path.write_bytes(
        gzip.compress(nifti(SMALL, dim=[3, SIDE, SIDE, 9, 1, 1, 1, 1]) + bytes(10**7), 1)
    ),
    "chunks.h5": hdf5,
    "picture.parquet": parquet,
    "claim.dcm": lambda path: path.write_bytes(dicom(Rows=SIDE, Columns=SIDE)),
    "deflated.dcm": deflated_dicom,
    "packed.dcm.gz": lambda path: path.write_bytes(gzip.compress(dicom(Rows=SIDE, Columns=SIDE) + bytes(10**7), 1)),
}  # fmt: skip

_READ = """
import json, sys
from pathlib import Path
from vaescreen.errors import DataError
from vaescreen.images.files import frames_of, read_frame
from vaescreen.registry.reading import AS_FILES_SAY
said = {}
for path in map(Path, sys.argv[1:]):
    try:
        read_frame(path, frames_of(path, AS_FILES_SAY)[0].key, AS_FILES_SAY)
        said[path.name] = ""
    except DataError as error:
        said[path.name] = str(error)
status = Path("/proc/self/status")  # what getrusage gives begins with the memory of the process that started this
peak = [line for line in status.read_text().splitlines() if "VmHWM" in line] if status.exists() else ["0 0"]
print(json.dumps([said, int(peak[0].split()[1]) // 1024]))
"""


def test_they_are_refused_by_what_they_say(tmp_path: Path) -> None:
    for name, make in FILES.items():
        make(tmp_path / name)
    paths = [str(tmp_path / name) for name in FILES]
    done = subprocess.run([sys.executable, "-c", _READ, *paths], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said, memory = json.loads(done.stdout)
    wrong = {name: reason for name, reason in said.items() if not reason or "Error" in reason}
    assert wrong == {}
    assert memory < MOST_MEMORY_MB


@pytest.mark.parametrize("suffix", [".zip", ".tar.gz"])
def test_they_are_refused_in_archives(tmp_path: Path, suffix: str) -> None:
    from vaescreen.images import open_data
    from vaescreen.images.archives import stem

    good = [tmp_path / f"{number}.png" for number in range(4)]
    for number, path in enumerate(good):
        Image.fromarray(np.random.default_rng(number).integers(0, 256, (24, 24), np.uint8)).save(path)
    (tmp_path / "flat.png").write_bytes(flat_png())
    archive = tmp_path / f"all{suffix}"
    assert stem(archive.name)
    if suffix == ".zip":
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
            for path in (*good, tmp_path / "flat.png"):
                packed.write(path, path.name)
    else:
        with tarfile.open(archive, "w:gz") as tar:
            for path in (*good, tmp_path / "flat.png"):
                tar.add(path, path.name)
    [skipped] = open_data(archive, size=24).skipped
    assert "larger than 89478485 pixels" in skipped.reason
