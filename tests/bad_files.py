"""Files that cannot be used, made afresh: name, maker, and what the reason must say; and good files with odd names.

`write_bad_files` puts them into a folder. None of them may be read as an image, end a run, fill the memory, hang,
or run code: those with a pickle leave a `SIGN` behind if it is loaded.
"""

import gzip
import io
import os
import pickle
import socket
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from vaescreen.images.formats import format_of

SIGN = "a pickle was loaded"
HUGE = 30_000
NOISE = np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)
COLOUR = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)
SMOOTH = np.add.outer(np.arange(64), 2 * np.arange(64)).astype(np.uint8)

AWKWARD_NAMES = (
    "two words.png",
    " led by a space.png",
    'it\'s "quoted".png',
    "line\nbreak.png",
    "bell\x07 and \x1b[31mred.png",
    "Röntgen ü ñ.png",
    "脳 МРТ أشعة.png",
    "comma, semicolon; & ampersand.png",
    "100 %s {0} $HOME `id` <b>.png",
    "-rf.png",
    "UPPER.PNG",
    "no.dots.but.many.png",
    "back\\slash.png",
    "e\u0301 combining.png",
    "line\u2028separator.png",
    "n" * 240 + ".png",
)
"""Names of good files."""


class BadFile(NamedTuple):
    """A file that cannot be used: how it is made, and a regular expression that finds the reason."""

    name: str
    make: Callable[[Path], object]
    reason: str


class _Bomb:
    def __init__(self, sign: Path) -> None:
        self.sign = sign

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.sign,)


def save(pixels: np.ndarray, **options: object) -> Callable[[Path], object]:
    return lambda path: Image.fromarray(pixels).save(path, **options)


def content(data: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(data)


def encoded(pixels: np.ndarray, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind, **options)
    return stream.getvalue()


def cut(pixels: np.ndarray, kind: str, share: float = 0.5, **options: object) -> Callable[[Path], object]:
    whole = encoded(pixels, kind, **options)
    return content(whole[: int(share * len(whole))])


def frames(kind: str) -> Callable[[Path], object]:
    pages = [Image.fromarray(NOISE), Image.fromarray(SMOOTH)]
    return lambda path: pages[0].save(path, kind, save_all=True, append_images=pages[1:])


def unlike_pages(path: Path) -> None:
    Image.fromarray(NOISE).save(path, save_all=True, append_images=[Image.fromarray(NOISE[:32])])


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *chunks: bytes, bits: int = 8, colour: int = 0) -> Callable[[Path], object]:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
    return content(b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + chunk(b"IEND", b""))


def rows(width: int, height: int, pixel: bytes = b"\x07") -> bytes:
    return chunk(b"IDAT", zlib.compress((b"\0" + pixel * width) * height))


def broken_checksum(path: Path) -> None:
    data = bytearray(encoded(NOISE, "PNG"))
    data[data.index(b"IDAT") + 300] ^= 0xFF
    path.write_bytes(data)


def bmp(width: int, height: int) -> Callable[[Path], object]:
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 0, 0, 0, 0, 256, 0)
    return content(b"BM" + struct.pack("<IHHI", 2000, 0, 0, 14 + 40 + 1024) + info + bytes(1024 + 100))


def tiff(width: int, height: int, strips: int = 1) -> Callable[[Path], object]:
    tags = [
        (256, width),
        (257, height),
        (258, 8),
        (259, 1),
        (262, 1),
        (273, 200),
        (277, 1),
        (278, height),
        (279, strips),
    ]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return content(b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + bytes(100))


def strips_missing(path: Path) -> None:
    """The list of strips ends after the first of four."""
    data = bytearray(encoded(NOISE, "TIFF", tiffinfo={278: 16}))
    (first,) = struct.unpack_from("<I", data, 4)
    for place in range(struct.unpack_from("<H", data, first)[0]):
        tag, kind, count, value = struct.unpack_from("<HHII", data, first + 2 + 12 * place)
        if tag in {273, 279}:
            (only,) = struct.unpack_from("<I" if kind == 4 else "<H", data, value)
            assert count == 4
            struct.pack_into("<HHII", data, first + 2 + 12 * place, tag, 4, 1, only)
    path.write_bytes(data)


def unreadable(path: Path) -> None:
    save(NOISE)(path)
    path.chmod(0)


def unreadable_folder(path: Path) -> None:
    path.mkdir()
    save(NOISE)(path / "inside.png")
    path.chmod(0)


def a_socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # the path of a socket may have no more than about 100 bytes
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path.name)
    finally:
        os.chdir(here)


def link(target: str) -> Callable[[Path], object]:
    return lambda path: path.symlink_to(target)


def circle(path: Path) -> None:
    other = path.with_name(".other-half")
    path.symlink_to(other.name)
    other.symlink_to(path.name)


ONES = np.full((64, 64), 7, np.uint8)
UNIT = NOISE.astype(np.float32) / 255
NOT_AN_IMAGE = "not an image in one of the formats"
DECODED = "cannot be decoded"

RASTER = [
    BadFile("empty.png", content(b""), "^the file is empty$"),
    BadFile("text.png", content(b"hello\n"), NOT_AN_IMAGE),
    BadFile("text.jpg", content(b"\xff\xd8\xff hello\n"), f"{NOT_AN_IMAGE}|{DECODED}"),
    BadFile("page.jpeg", content(b"<html><h1>404 Not Found</h1></html>"), "^an HTML page, not"),
    BadFile("pointer.png", content(b"version https://git-lfs.github.com/spec/v1\n"), "^a Git LFS pointer"),
    BadFile("zeros.png", content(bytes(5000)), NOT_AN_IMAGE),
    BadFile("random.webp", content(np.random.default_rng(2).bytes(5000)), NOT_AN_IMAGE),
    BadFile("a pdf.png", content(b"%PDF-1.7\n%%EOF\n"), NOT_AN_IMAGE),
    BadFile("pixmap.png", content(b"P5 64 64 255\n" + NOISE.tobytes()[:99]), "ends early: 99 of 4096"),
    BadFile("cut.png", cut(NOISE, "PNG"), DECODED),
    BadFile("cut.jpg", cut(NOISE, "JPEG"), DECODED),
    BadFile("cut.tif", cut(NOISE, "TIFF"), DECODED),
    BadFile("cut-packed.tif", cut(NOISE, "TIFF", compression="tiff_lzw"), f"{DECODED}|{NOT_AN_IMAGE}"),
    BadFile("cut.webp", cut(COLOUR, "WEBP"), f"{DECODED}|{NOT_AN_IMAGE}"),
    BadFile("cut.bmp", cut(NOISE, "BMP"), DECODED),
    BadFile("header only.png", content(encoded(NOISE, "PNG")[:33]), f"{DECODED}|{NOT_AN_IMAGE}"),
    BadFile("signature only.png", content(b"\x89PNG\r\n\x1a\n"), f"{DECODED}|{NOT_AN_IMAGE}"),
    BadFile("no data.png", png(64, 64), DECODED),
    BadFile("not enough data.png", png(64, 64, rows(64, 10)), "^ends early: its last rows are missing$"),
    BadFile("no deflate.png", png(64, 64, chunk(b"IDAT", b"no zlib stream")), DECODED),
    BadFile("checksum.png", broken_checksum, DECODED),
    BadFile("zero wide.png", png(0, 64, rows(0, 64)), "0x64|cannot be decoded|not an image"),
    BadFile("zero high.bmp", bmp(64, 0), f"64x0|{DECODED}|{NOT_AN_IMAGE}"),
    BadFile("one pixel.png", save(NOISE[:1, :1]), "^1x1 pixels; at least 8x8 are needed"),
    BadFile("one row.png", save(NOISE[:1]), "^64x1 pixels; at least 8x8 are needed"),
    BadFile("thin.tif", save(NOISE[:, :7]), "^7x64 pixels"),
    BadFile("constant.png", save(ONES), "^all pixels have the same value"),
    BadFile("black.jpg", save(np.zeros((64, 64), np.uint8)), "^all pixels have the same value"),
    BadFile("gray colour.png", save(np.full((64, 64, 3), 9, np.uint8)), "^all pixels have the same value"),
    BadFile("nan.tif", save(np.full(UNIT.shape, np.nan, np.float32)), "no value that is finite"),
    BadFile("hounsfield.tif", save(UNIT * 4000 - 1000), "^floating-point values from -1000 to 3000, where 0 to 1"),
    BadFile("negative.tif", save(NOISE.astype(np.int32) - 500), "^integers from -500 to -245"),
    BadFile("deep colour.png", png(64, 64, rows(64, 64, b"abcdef"), bits=16, colour=2), "^16 bits a channel"),
    BadFile("animated.gif", frames("GIF"), NOT_AN_IMAGE),
    BadFile("animated.webp", frames("WEBP"), "several frames or pages"),
    BadFile("animated.png", frames("PNG"), "several frames or pages"),
    BadFile("pages.tif", unlike_pages, "^holds pages of different kinds"),
    BadFile("gif as.png", frames("GIF"), NOT_AN_IMAGE),
    BadFile("bomb.png", png(HUGE, HUGE, rows(1000, 1000, b"\0")), "^larger than 89478485 pixels"),
    BadFile("claims 2 billion.png", png(2**31 - 1, 2**31 - 1), "^larger than 89478485 pixels"),
    BadFile("bomb.bmp", bmp(HUGE, HUGE), "^larger than 89478485 pixels"),
    BadFile("bomb.tif", tiff(HUGE, HUGE), "^larger than 89478485 pixels"),
    BadFile("strips.tif", tiff(9000, 9000, strips=2**31), DECODED),
    BadFile("strips missing.tif", strips_missing, "^ends early: parts of the image are missing$"),
    BadFile("text bomb.png", png(64, 64, chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(10**7)))), DECODED),
]  # fmt: skip

PLACES = [
    BadFile("pipe.png", os.mkfifo, "^a named pipe, not a file$"),
    BadFile("socket.png", a_socket, "^a socket, not a file$"),
    BadFile("null.png", link("/dev/null"), "^a device, not a file$"),
    BadFile("endless.png", link("/dev/zero"), "^a device, not a file$"),
    BadFile("folder.png", Path.mkdir, "^a folder, not a file$"),
    BadFile("dangling.png", link("absent"), "^a link that leads nowhere$"),
    BadFile("itself.png", link("itself.png"), "a loop of links"),
    BadFile("circle.png", circle, "a loop of links"),
    BadFile("linked folder", link("."), "^a link to a folder, which is not followed$"),
    BadFile("linked folder.png", link(".."), "^a link to a folder, which is not followed$"),
    BadFile(os.fsdecode(b"not utf-8 \xff\xfe.png"), save(NOISE), "^its name is not valid UTF-8; rename it$"),
]
if os.geteuid():
    PLACES += [
        BadFile("secret.png", unreadable, "Permission denied"),
        BadFile("secret folder", unreadable_folder, "^a folder that cannot be read"),
    ]


def npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue()


def npy_header(shape: str, descr: str = "'|u1'") -> bytes:
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\0" + struct.pack("<H", len(header)) + header


def zipped(path: Path, **members: bytes) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.npy", data)


def zip_bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.npy", "w") as member:
        member.write(npy_header("(60000, 60000)"))
        for _ in range(10):
            member.write(bytes(10**7))


def pickled_array(path: Path) -> bytes:
    array = np.empty((64, 64), object)
    array[:] = _Bomb(path.parent / SIGN)
    return npy(array)


def pickle_named(path: Path) -> None:
    path.write_bytes(pickle.dumps(_Bomb(path.parent / SIGN)))


STACK = np.random.default_rng(3).integers(0, 256, (5, 64, 64), np.uint8)

ARRAYS = [
    BadFile("empty.npy", content(b""), "^the file is empty$"),
    BadFile("text.npy", content(b"hello\n"), DECODED),
    BadFile("cut.npy", content(npy(STACK)[:5000]), "^ends early"),
    BadFile("header only.npy", content(npy(STACK)[:128]), "^ends early"),
    BadFile("objects.npy", lambda path: path.write_bytes(pickled_array(path)), "Python objects"),
    BadFile("pickle.npy", pickle_named, DECODED),
    BadFile("text array.npy", content(npy(np.array([["a"] * 64] * 64))), "values are of type"),
    BadFile("complex.npy", content(npy(STACK.astype(np.complex64))), "values are of type"),
    BadFile("records.npy", content(npy(np.zeros((64, 64), [("a", "u1"), ("b", "f4")]))), "values are of type"),
    BadFile("dates.npy", content(npy(np.zeros((64, 64), "datetime64[s]"))), "values are of type"),
    BadFile("no pixels.npy", content(npy(STACK[:0])), "holds nothing"),
    BadFile("scalar.npy", content(npy(np.float32(3)[None][0:1].reshape(()))), "has dimensions"),
    BadFile("line.npy", content(npy(np.arange(64, dtype=np.float32))), "has dimensions 64"),
    BadFile("six axes.npy", content(npy(STACK[None, None, None])), "has dimensions"),
    BadFile("nan.npy", content(npy(np.full((64, 64), np.nan, np.float32))), "finite"),
    BadFile("infinite.npy", content(npy(np.full((64, 64), np.inf, np.float32))), "finite"),
    BadFile("constant.npy", content(npy(np.ones((64, 64), np.float32))), "same value"),
    BadFile("one pixel.npy", content(npy(STACK[:, :1, :1])), "at least 8x8"),
    BadFile("claims.npy", content(npy_header("(1000000, 30000, 30000)")), "^ends early"),
    BadFile("claims negative.npy", content(npy_header("(-5, 64, 64)") + bytes(4096)), "holds nothing"),
    BadFile("long header.npy", content(b"\x93NUMPY\x02\0" + struct.pack("<I", 2**32 - 1) + b" " * 1000), DECODED),
    BadFile("code in header.npy", content(npy_header("__import__('os').getpid()") + bytes(4096)), DECODED),
    BadFile("deep header.npy", content(npy_header("(" * 3000) + bytes(4096)), DECODED),
    BadFile("text.npz", content(b"hello\n"), DECODED),
    BadFile("cut.npz", lambda path: (zipped(path, a=npy(STACK)), path.write_bytes(path.read_bytes()[:9000])), DECODED),
    BadFile("nothing in it.npz", zipped, "holds nothing"),
    BadFile("objects.npz", lambda path: zipped(path, a=pickled_array(path)), "Python objects"),
    BadFile("pickle.npz", pickle_named, DECODED),
    BadFile("bomb.npz", zip_bomb, "ends early"),
    BadFile("claims.npz", lambda path: zipped(path, a=npy_header("(1000000, 30000, 30000)")), "ends early"),
]  # fmt: skip


def nifti(array: np.ndarray, affine: np.ndarray | None = None, **fields: object) -> bytes:
    import nibabel

    image = nibabel.Nifti1Image(array, np.eye(4) if affine is None else affine)
    stream = io.BytesIO()
    image.to_file_map(
        {"header": nibabel.FileHolder(fileobj=stream), "image": nibabel.FileHolder(fileobj=stream)}
    )
    data = bytearray(stream.getvalue())
    header = nibabel.Nifti1Header(bytes(data[:348]), check=False)
    for name, value in fields.items():
        header[name] = value
    data[:348] = header.binaryblock
    return bytes(data)


def made(maker: Callable[[], bytes], pack: bool = False) -> Callable[[Path], object]:
    """Libraries are imported when the file is made, not with this module."""
    return lambda path: path.write_bytes(gzip.compress(maker(), 1) if pack else maker())


VOXELS = np.random.default_rng(4).integers(0, 1000, (32, 32, 12), np.int16)
SINGULAR = np.diag([1.0, 0.0, 1.0, 1.0])

LARGE = [3, 9000, 9000, 30, 1, 1, 1, 1]

NIFTI = [
    BadFile("empty.nii", content(b""), "^the file is empty$"),
    BadFile("text.nii.gz", content(b"hello\n"), "ends within its header"),
    BadFile("cut.nii", made(lambda: nifti(VOXELS)[:5000]), "^ends early"),
    BadFile("cut in header.nii", made(lambda: nifti(VOXELS)[:200]), "ends within its header"),
    BadFile("cut.nii.gz", lambda path: path.write_bytes(gzip.compress(nifti(VOXELS))[:5000]), DECODED),
    BadFile("checksum.nii.gz", lambda path: path.write_bytes(gzip.compress(nifti(VOXELS))[:-8] + b"\1" * 8), "CRC"),
    BadFile("affine.nii", made(lambda: nifti(VOXELS, sform_code=1, srow_y=[0, 0, 0, 0])), "affine"),
    BadFile("affine nan.nii", made(lambda: nifti(VOXELS, sform_code=1, srow_x=[np.nan] * 4)), "affine"),
    BadFile("no magic.nii", made(lambda: nifti(VOXELS, magic=b"abc")), "not a NIfTI file"),
    BadFile("colour.nii", made(lambda: nifti(VOXELS, datatype=128, bitpix=24)), "voxels are of type RGB"),
    BadFile("unknown type.nii", made(lambda: nifti(VOXELS, datatype=999)), "unknown type 999"),
    BadFile("zero slices.nii", made(lambda: nifti(VOXELS, dim=[3, 32, 32, 0, 1, 1, 1, 1])), "32 x 32 x 0"),
    BadFile("negative.nii", made(lambda: nifti(VOXELS, dim=[3, -32, 32, 12, 1, 1, 1, 1])), "has dimensions -32"),
    BadFile("no axes.nii", made(lambda: nifti(VOXELS, dim=[0, 1, 1, 1, 1, 1, 1, 1])), "has dimensions 0"),
    BadFile("claims.nii", made(lambda: nifti(VOXELS, dim=[3, 30000, 30000, 30000, 1, 1, 1, 1])), "too much memory"),
    BadFile("claims.nii.gz", made(lambda: nifti(VOXELS, dim=[4, 4000, 4000, 40, 40, 1, 1, 1]), True), "too much"),
    BadFile("bomb.nii.gz", made(lambda: nifti(VOXELS, dim=LARGE) + bytes(10**8), pack=True), "too much memory"),
    BadFile("constant.nii", made(lambda: nifti(np.ones_like(VOXELS))), "same value"),
    BadFile("nan.nii", made(lambda: nifti(np.full((32, 32, 12), np.nan, np.float32))), "finite"),
    BadFile("thin.nii", made(lambda: nifti(VOXELS[:2, :2])), "at least 8x8"),
    BadFile("offset.nii", made(lambda: nifti(VOXELS, vox_offset=1e30)), "^ends early"),
]  # fmt: skip


def hdf5(**data: object) -> Callable[[Path], object]:
    def make(path: Path) -> None:
        import h5py

        with h5py.File(path, "w") as file:
            for name, value in data.items():
                if isinstance(value, dict):
                    file.create_dataset(name, **value)
                else:
                    file[name] = value

    return make


def hdf5_links(path: Path) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        file["reconstruction_rss"] = h5py.ExternalLink("absent.h5", "/x")
        file["kspace"] = h5py.SoftLink("/kspace")


def cut_hdf5(path: Path) -> None:
    hdf5(reconstruction_rss=STACK.astype(np.float32))(path)
    path.write_bytes(path.read_bytes()[:5000])


SPARSE = {"shape": (100_000, HUGE, HUGE), "dtype": "u1", "compression": "gzip"}

HDF5 = [
    BadFile("empty.h5", content(b""), "^the file is empty$"),
    BadFile("text.h5", content(b"hello\n"), DECODED),
    BadFile("cut.h5", cut_hdf5, "truncated file"),
    BadFile("nothing.h5", hdf5(), "no reconstruction_"),
    BadFile("no key.h5", hdf5(one=STACK, other=STACK), "only 'one', 'other'"),
    BadFile("text inside.h5", hdf5(reconstruction_rss="text"), "not numbers"),
    BadFile("line.h5", hdf5(reconstruction_rss=np.arange(64.0)), "has dimensions 64"),
    BadFile("constant.h5", hdf5(reconstruction_rss=np.ones((3, 64, 64))), "same value"),
    BadFile("nan.h5", hdf5(reconstruction_rss=np.full((3, 64, 64), np.nan)), "finite"),
    BadFile("no slices.h5", hdf5(reconstruction_rss=np.ones((0, 64, 64))), "has dimensions 0"),
    BadFile("claims.h5", hdf5(reconstruction_rss=SPARSE | {"chunks": (1, 64, 64)}), "^larger than"),
    BadFile("one huge chunk.h5", hdf5(reconstruction_rss=SPARSE | {"chunks": (1, HUGE, HUGE)}), "^larger than"),
    BadFile("links.h5", hdf5_links, "no reconstruction_"),
]  # fmt: skip


def parquet(table: Callable[[], object]) -> Callable[[Path], object]:
    def make(path: Path) -> None:
        import pyarrow.parquet

        pyarrow.parquet.write_table(table(), path)

    return make


def _table(**columns: list[object]) -> object:
    import pyarrow

    return pyarrow.table(columns)


def rows_claimed(*, file: bool, group: bool) -> bytes:
    """A table of three rows that says it has 10^10: as thrift has it, 0x16 for field 3, and a zigzag varint."""
    import pyarrow.parquet

    stream = io.BytesIO()
    pyarrow.parquet.write_table(_table(image=[b"picture"] * 3), stream)
    whole = stream.getvalue()
    start = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    footer, three, many = whole[start:-8], b"\x16\x06", b"\x16\x80\x90\xdf\xc0\x4a"
    if group:
        footer = many.join(footer.rsplit(three, 1))
    if file:
        footer = many.join(footer.split(three, 1))
    return whole[:start] + footer + len(footer).to_bytes(4, "little") + b"PAR1"


PARQUET = [
    BadFile(
        "many rows in a group.parquet",
        content(rows_claimed(file=False, group=True)),
        "^damaged: 3 rows by its footer, 10000000000",
    ),
    BadFile(
        "many rows.parquet",
        content(rows_claimed(file=True, group=True)),
        "^damaged: 10000000000 rows",
    ),
    BadFile(
        "rows of nothing.parquet",
        content(rows_claimed(file=True, group=False)),
        "^damaged: 10000000000 rows",
    ),
    BadFile("empty.parquet", content(b""), "^the file is empty$"),
    BadFile("text.parquet", content(b"PAR1 hello PAR1"), DECODED),
    BadFile("no image.parquet", parquet(lambda: _table(a=[1, 2, 3])), "no column of image"),
    BadFile("no rows.parquet", parquet(lambda: _table(image=[])), "no column of image"),
]


def dicom(**changes: object) -> bytes:
    """A small secondary capture; values of None remove an element."""
    import pydicom
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

    meta = FileMetaDataset()
    meta.TransferSyntaxUID = changes.pop("syntax", ExplicitVRLittleEndian)
    meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=["bad"])
    data = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    data.SOPClassUID, data.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    data.Modality, data.PatientID = "OT", "nobody"
    data.Rows, data.Columns = NOISE.shape
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = 8
    data.HighBit, data.PixelRepresentation = 7, 0
    data.PixelData = NOISE.tobytes()
    for keyword, value in changes.items():
        if value is None:
            delattr(data, keyword)
        else:
            setattr(data, keyword, value)
    stream = io.BytesIO()
    with pydicom.config.disable_value_validation():
        pydicom.dcmwrite(stream, data, enforce_file_format=True)
    return stream.getvalue()


def encrypted() -> bytes:
    from pydicom.dataset import Dataset

    item = Dataset()
    item.EncryptedContentTransferSyntaxUID = "1.2.840.10008.1.2.1"
    item.EncryptedContent = bytes(64)
    return dicom(PixelData=None, EncryptedAttributesSequence=[item])


def compressed(syntax: str, frame: bytes, **changes: object) -> bytes:
    from pydicom.encaps import encapsulate

    return dicom(syntax=syntax, PixelData=encapsulate([frame]), **changes)


JPEG_SYNTAX, JPEG2000_SYNTAX, RLE_SYNTAX = (f"1.2.840.10008.1.2.{number}" for number in ("4.50", "4.90", "5"))

DICOM = [
    BadFile("empty.dcm", content(b""), "^the file is empty$"),
    BadFile("text.dcm", content(b"hello\n"), "."),
    BadFile("preamble only.dcm", content(bytes(128) + b"DICM"), "."),
    BadFile("cut.dcm", made(lambda: dicom()[:-2000]), "."),
    BadFile("cut in header.dcm", made(lambda: dicom()[:300]), "."),
    BadFile("no pixels.dcm", made(lambda: dicom(PixelData=None)), "no pixels|ends before its pixels"),
    BadFile("encrypted.dcm", made(encrypted), "encrypted"),
    BadFile("encrypted whole.dcm", content(np.random.default_rng(5).bytes(5000)), "."),
    BadFile("no rows.dcm", made(lambda: dicom(Rows=None)), "."),
    BadFile("zero rows.dcm", made(lambda: dicom(Rows=0)), "."),
    BadFile("claims.dcm", made(lambda: dicom(Rows=HUGE, Columns=HUGE)), "."),
    BadFile("claims frames.dcm", made(lambda: dicom(NumberOfFrames=2**31 - 1)), "."),
    BadFile("negative frames.dcm", made(lambda: dicom(NumberOfFrames=-1)), "."),
    BadFile("constant.dcm", made(lambda: dicom(PixelData=bytes(64 * 64))), "same value"),
    BadFile("one pixel.dcm", made(lambda: dicom(Rows=1, Columns=1, PixelData=b"\1\0")), "."),
    BadFile("12 of 8 bits.dcm", made(lambda: dicom(BitsStored=12)), "."),
    BadFile("unknown syntax.dcm", made(lambda: compressed("1.2.3.4.5", b"abcd")), "."),
    BadFile("no jpeg.dcm", made(lambda: compressed(JPEG_SYNTAX, b"no JPEG inside")), "."),
    BadFile("cut jpeg.dcm", made(lambda: compressed(JPEG_SYNTAX, encoded(NOISE, "JPEG")[:900])), "."),
    BadFile("other jpeg.dcm", made(lambda: compressed(JPEG_SYNTAX, encoded(NOISE[:32], "JPEG"))), "."),
    BadFile("no jpeg 2000.dcm", made(lambda: compressed(JPEG2000_SYNTAX, b"\xff\x4f\xff\x51 nothing here")), "."),
    BadFile("no run lengths.dcm", made(lambda: compressed(RLE_SYNTAX, b"\x01" * 100)), "."),
    BadFile("png as.dcm", content(encoded(NOISE, "PNG")[:999]), "cannot be decoded"),
]  # fmt: skip

BAD_FILES = [
    bad
    for bad in (*RASTER, *PLACES, *ARRAYS, *NIFTI, *HDF5, *PARQUET, *DICOM)
    if format_of(Path(bad.name)) or bad in PLACES
]


def write_bad_files(folder: Path, files: list[BadFile] = BAD_FILES) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for bad in files:
        bad.make(folder / bad.name)
