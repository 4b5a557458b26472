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

SMALL = NOISE[:16, :16]
SMALL_COLOUR = COLOUR[:16, :16]
_SMALL_VOLUME = VOXELS[:12, :12, :9].astype(np.int16)


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
        "lossy.webp": encoded(SMALL_COLOUR, "WEBP"),
        "lossless.webp": encoded(SMALL_COLOUR, "WEBP", lossless=True),
        "gray.bmp": encoded(SMALL, "BMP"),
    }


def _tiffs() -> dict[str, bytes]:
    import tifffile

    deep = SMALL.astype(np.uint16) * 257

    def written(pixels: np.ndarray, **options: object) -> bytes:
        tifffile.imwrite(stream := io.BytesIO(), pixels, **options)
        return stream.getvalue()

    return {
        "gray.tif": encoded(SMALL, "TIFF"),
        "deep.tif": encoded(deep, "TIFF", compression="tiff_adobe_deflate"),
        "lzw.tif": encoded(SMALL_COLOUR, "TIFF", compression="tiff_lzw"),
        "float.tif": encoded(SMALL.astype(np.float32) / 255, "TIFF"),
        "big.tif": written(deep, byteorder=">", bigtiff=True),
        "tiles.tif": written(deep, tile=(16, 16), compression="zlib"),
        "pages.tif": written(STACK[:, :16, :16], photometric="minisblack"),
        "imagej.tif": written(STACK[:, :16, :16], imagej=True),
    }


def _jpeg2000s() -> dict[str, bytes]:
    deep = SMALL.astype(np.uint16) * 257
    return {
        "gray.jp2": encoded(SMALL, "JPEG2000"),
        "deep.jp2": encoded(deep, "JPEG2000"),
        "bare.j2k": encoded(SMALL, "JPEG2000", no_jp2=True),
    }


def _netpbms() -> dict[str, bytes]:
    deep = (SMALL.astype(np.uint16) * 16).astype(">u2").tobytes()
    return {
        "gray.pgm": b"P5 16 16 255\n" + SMALL.tobytes(),
        "deep.pgm": b"P5\n# 12 bits\n16 16\n4095\n" + deep,
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


def _nifti_pairs() -> dict[str, bytes]:
    import nibabel

    files = {}
    for name, kind in (("pair", nibabel.Nifti1Pair), ("analyze", nibabel.AnalyzeImage)):
        with TemporaryDirectory() as folder:
            nibabel.save(kind(_SMALL_VOLUME, np.eye(4)), Path(folder) / f"{name}.hdr")
            files |= {path.name: path.read_bytes() for path in Path(folder).glob("*.[hi]*")}
    return files


def _freesurfer() -> dict[str, bytes]:
    import nibabel

    plain = nibabel.MGHImage(_SMALL_VOLUME, np.eye(4)).to_bytes()
    return {"volume.mgh": plain, "packed.mgz": gzip.compress(plain)}


def _nrrds() -> dict[str, bytes]:
    import nrrd

    def written(**options: object) -> bytes:
        return _written("a.nrrd", lambda path: nrrd.write(str(path), _SMALL_VOLUME, options))

    header = b"NRRD0004\ntype: short\ndimension: 3\nsizes: 12 12 9\nencoding: raw\nendian: little\n"
    directions = {"space": "left-posterior-superior", "space directions": np.eye(3)}
    return {
        "raw.nrrd": written(encoding="raw", **directions),
        "packed.nrrd": written(),
        "beside.nhdr": header + b"data file: beside.bin\n",
        "beside.bin": _SMALL_VOLUME.tobytes("F"),
    }


def _metaimages() -> dict[str, bytes]:
    content = _SMALL_VOLUME.tobytes("F")
    header = b"ObjectType = Image\nNDims = 3\nDimSize = 12 12 9\nElementType = MET_SHORT\n"
    return {
        "volume.mha": header + b"ElementDataFile = LOCAL\n" + content,
        "packed.mha": header + b"CompressedData = True\nElementDataFile = LOCAL\n" + zlib.compress(content),
        "beside.mhd": header + b"ElementDataFile = beside.raw\n",
        "beside.raw": content,
    }


def _arrays() -> dict[str, bytes]:
    small = STACK[:, :16, :16]
    return {
        "stack.npy": npy(small),
        "float.npy": npy(small[0].astype(np.float32)),
        "stack.npz": _written("a.npz", lambda path: zipped(path, a=npy(small))),
        "collection.npz": _written(
            "a.npz", lambda path: zipped(path, train_images=npy(small), test_images=npy(small))
        ),
    }


def _medmnist_3d() -> dict[str, bytes]:
    volumes = np.stack([STACK[:, :16, :16]] * 2)
    arrays = {f"{split}_images": npy(volumes) for split in ("train", "val", "test")}
    return {"organ.npz": _written("a.npz", lambda path: zipped(path, **arrays))}


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


def _pictures() -> dict[str, bytes]:
    return {f"{split}/{n}.png": encoded(SMALL, "PNG") for n, split in enumerate(("train", "test"))}


def _zips() -> dict[str, bytes]:
    def packed(method: int) -> bytes:
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", method) as archive:
            for name, content in _pictures().items():
                archive.writestr(name, content)
        return stream.getvalue()

    return {"deflated.zip": packed(zipfile.ZIP_DEFLATED), "stored.zip": packed(zipfile.ZIP_STORED)}


def _tars() -> dict[str, bytes]:
    def packed(mode: str) -> bytes:
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode=mode) as archive:
            for name, content in _pictures().items():
                info = tarfile.TarInfo(name)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
        return stream.getvalue()

    return {"plain.tar": packed("w"), "packed.tar.gz": packed("w:gz"), "packed.tar.xz": packed("w:xz")}


def _lists() -> dict[str, bytes]:
    return {
        "a.png": encoded(SMALL, "PNG"),
        "b.png": encoded(SMALL.T, "PNG"),
        "lines.jsonl": b'{"file": "a.png"}\n{"file": "b.png"}\n',
        "list.json": b'[{"file": "a.png"},\n {"file": "b.png"}]',
        "list.csv": b"file;split;patient_id\na.png;train;1\nb.png;test;2\n",
    }


_MAKERS = {
    "raster": _rasters,
    "TIFF": _tiffs,
    "JPEG 2000": _jpeg2000s,
    "PGM": _netpbms,
    "DICOM": _dicoms,
    "NIfTI": _niftis,
    "NIfTI pair": _nifti_pairs,
    "FreeSurfer": _freesurfer,
    "NRRD": _nrrds,
    "MetaImage": _metaimages,
    "NumPy": _arrays,
    "MedMNIST 3-D": _medmnist_3d,
    "HDF5": _hdf5s,
    "Parquet": _tables,
    "ZIP": _zips,
    "TAR": _tars,
    "list": _lists,
}
FORMATS = tuple(_MAKERS)


@cache
def valid_files(kind: str) -> dict[str, bytes]:
    """Files of a format by name; those of a pair are of one stem."""
    return _MAKERS[kind]()
