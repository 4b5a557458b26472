"""Small valid files of every format, as bytes: what fuzzers and property tests start from."""

import gzip
import io
import tarfile
import zipfile
import zlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from bad_files import (
    COLOUR,
    JPEG2000_SYNTAX,
    JPEG_SYNTAX,
    NOISE,
    RLE_SYNTAX,
    STACK,
    VOXELS,
    compressed,
    dicom,
    encoded,
    hdf5,
    made,
    nifti,
    npy,
    zipped,
)

from vaescreen.images.archives import stem
from vaescreen.images.formats import format_of

SMALL = NOISE[:16, :16]
SMALL_COLOUR = COLOUR[:16, :16]


def _written(name: str, make: object) -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        make(path)  # type: ignore[operator]
        return path.read_bytes()


def _rasters() -> dict[str, bytes]:
    deep = SMALL.astype(np.uint16) * 257
    return {
        "gray.png": encoded(SMALL, "PNG"),
        "colour.png": encoded(SMALL_COLOUR, "PNG"),
        "deep.png": encoded(deep, "PNG"),
        "gray.jpg": encoded(SMALL, "JPEG"),
        "progressive.jpg": encoded(SMALL_COLOUR, "JPEG", progressive=True),
        "gray.tif": encoded(SMALL, "TIFF"),
        "deep.tif": encoded(deep, "TIFF", compression="tiff_adobe_deflate"),
        "lzw.tif": encoded(SMALL_COLOUR, "TIFF", compression="tiff_lzw"),
        "float.tif": encoded(SMALL.astype(np.float32) / 255, "TIFF"),
        "lossy.webp": encoded(SMALL_COLOUR, "WEBP"),
        "lossless.webp": encoded(SMALL_COLOUR, "WEBP", lossless=True),
        "gray.bmp": encoded(SMALL, "BMP"),
    }


def _dicoms() -> dict[str, bytes]:
    from pydicom.uid import DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian

    files = {
        "plain.dcm": dicom(),
        "implicit.dcm": dicom(syntax=ImplicitVRLittleEndian),
        "deflated.dcm": dicom(syntax=DeflatedExplicitVRLittleEndian),
        "windowed.dcm": dicom(
            RescaleSlope="2", RescaleIntercept="-100", WindowCenter="100", WindowWidth="200"
        ),
        "inverted.dcm": dicom(PhotometricInterpretation="MONOCHROME1"),
        "jpeg.dcm": compressed(JPEG_SYNTAX, encoded(NOISE, "JPEG")),
        "rle.dcm": compressed(RLE_SYNTAX, _run_lengths(NOISE.tobytes())),
    }
    if find_spec("imagecodecs"):
        files["jpeg2000.dcm"] = compressed(JPEG2000_SYNTAX, encoded(NOISE, "JPEG2000", no_jp2=True))
    return files


def _run_lengths(values: bytes) -> bytes:
    """One segment of literal runs (DICOM PS3.5, annex G)."""
    runs = b"".join(
        bytes([len(part) - 1]) + part
        for part in (values[start : start + 128] for start in range(0, len(values), 128))
    )
    return (1).to_bytes(4, "little") + (64).to_bytes(4, "little") + bytes(56) + runs


def _niftis() -> dict[str, bytes]:
    return {
        "volume.nii": nifti(VOXELS),
        "small.nii": nifti(VOXELS[:12, :12, :9]),
        "float.nii": nifti(VOXELS[:12, :12, :9].astype(np.float32)),
        "packed.nii.gz": _written("a.nii.gz", made(lambda: nifti(VOXELS[:12, :12, :9]), pack=True)),
    }


def _oriented() -> dict[str, bytes]:
    import nibabel
    import nrrd

    small = VOXELS[:12, :12, :9].astype(np.int16)
    header = "ObjectType = Image\nNDims = 3\nDimSize = 12 12 9\nElementType = MET_SHORT\n"
    content, deflated = small.tobytes("F"), zlib.compress(small.tobytes("F"))
    return {
        "volume.mgh": nibabel.MGHImage(small, np.eye(4)).to_bytes(),
        "packed.mgz": gzip.compress(nibabel.MGHImage(small, np.eye(4)).to_bytes()),
        "raw.nrrd": _written("a.nrrd", lambda path: nrrd.write(str(path), small, {"encoding": "raw"})),
        "packed.nrrd": _written("b.nrrd", lambda path: nrrd.write(str(path), small)),
        "volume.mha": f"{header}ElementDataFile = LOCAL\n".encode() + content,
        "packed.mha": f"{header}CompressedData = True\nElementDataFile = LOCAL\n".encode() + deflated,
    }


def _arrays() -> dict[str, bytes]:
    small = STACK[:, :16, :16]
    return {
        "stack.npy": npy(small),
        "float.npy": npy(small[0].astype(np.float32)),
        "stack.npz": _written("a.npz", lambda path: zipped(path, a=npy(small))),
    }


def _hdf5s() -> dict[str, bytes]:
    small = STACK[:, :16, :16].astype(np.float32)
    wave = (small + 1j).astype(np.complex64)[:, None]
    packed = {"data": small, "chunks": (1, 16, 16), "compression": "gzip"}
    return {
        "rss.h5": _written("a.h5", hdf5(reconstruction_rss=small)),
        "packed.h5": _written("a.h5", hdf5(reconstruction_rss=packed)),
        "kspace.h5": _written("a.h5", hdf5(kspace=wave)),
    }


def _tables() -> dict[str, bytes]:
    import pyarrow
    import pyarrow.parquet

    picture = encoded(SMALL, "PNG")
    stream = io.BytesIO()
    rows = [{"bytes": picture, "path": f"{number}.png"} for number in range(3)]
    pyarrow.parquet.write_table(pyarrow.table({"image": rows}), stream)
    return {"images.parquet": stream.getvalue()}


def _archives() -> dict[str, bytes]:
    pictures = {f"{split}/{n}.png": encoded(SMALL, "PNG") for n, split in enumerate(("train", "test"))}

    def tar(mode: str) -> bytes:
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode=mode) as packed:
            for name, content in pictures.items():
                info = tarfile.TarInfo(name)
                info.size = len(content)
                packed.addfile(info, io.BytesIO(content))
        return stream.getvalue()

    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in pictures.items():
            packed.writestr(name, content)
    return {
        "deflated.zip": stream.getvalue(),
        "plain.tar": tar("w"),
        "packed.tar.gz": tar("w:gz"),
    }


_MAKERS = {
    "archive": _archives,
    "raster": _rasters,
    "dicom": _dicoms,
    "nifti": _niftis,
    "oriented": _oriented,
    "numpy": _arrays,
    "hdf5": _hdf5s,
    "parquet": _tables,
}
FORMATS = tuple(kind for kind in _MAKERS if kind != "dicom" or format_of(Path("a.dcm")))


@cache
def valid_files(kind: str) -> dict[str, bytes]:
    """Files of a format by name."""
    files = _MAKERS[kind]()
    assert all(format_of(Path(name)) or stem(name) for name in files)
    return files
