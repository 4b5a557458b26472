"""Every form in which images come: written, opened, looked at, scored; each is right, refused with a reason, or wrong.

python benchmarks/data_corpus.py --out benchmarks/results/data_corpus.json

Each form is a small data set of synthetic images in a folder of its own, on which `vaescreen data show`, `vaescreen
data preview` and `vaescreen score haar-f4c8` are run. It is right if these end well and the images that `open_data`
delivers are those that numpy, or the library of the format, computes from what was written; refused if all fail
and the reason holds the words expected; and wrong otherwise, which makes the run fail. Forms that are not run this time
keep the result that they have in the file. Needs the extra `medical`.
"""

import argparse
import csv
import gzip
import io
import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

COUNT, SIDE, SLICES = 4, 48, 5
TOLERANCE = 2e-6
CANDIDATE = "haar-f4c8"

Images = list[NDArray[Any]]
Truth = Images | str
"""What is to be delivered, in any order, or words of the reason why nothing is."""

GRAY: Images = [np.random.default_rng(n).integers(0, 256, (SIDE, SIDE), np.uint8) for n in range(COUNT)]
DEEP: Images = [image.astype(np.uint16) * 257 for image in GRAY]
AREAS = np.kron(np.random.default_rng(9).integers(0, 5, (6, 6)), np.ones((8, 8), int)).astype(np.uint8)
VOLUMES: Images = [
    np.random.default_rng(n).integers(0, 4096, (SIDE, SIDE, SLICES)).astype(np.int16) for n in range(COUNT)
]
AFFINE = np.diag([1.0, 1.0, 3.0, 1.0])


def unit(images: Sequence[NDArray[Any]] = GRAY, white: float = 255) -> Images:
    return [np.asarray(image, np.float64) / white for image in images]


def clipped(volume: NDArray[Any]) -> NDArray[np.float64]:
    low, high = np.percentile(volume, [0.5, 99.5])
    return np.asarray(((volume - low) / (high - low)).clip(0, 1))


def axial(volumes: Sequence[NDArray[Any]] = VOLUMES) -> Images:
    """Slices of volumes [X, Y, Z] whose axes run to the right, the front and the top, as radiologists see them."""
    return [clipped(volume)[::-1, ::-1, z].T for volume in volumes for z in range(volume.shape[2])]


def by_pillow(suffix: str, **options: Any) -> Callable[[Path], Truth]:
    def write(folder: Path) -> Truth:
        from PIL import Image

        for n, image in enumerate(GRAY):
            Image.fromarray(image).save(folder / f"{n}{suffix}", **options)
        return [np.asarray(Image.open(folder / f"{n}{suffix}").convert("L")) / 255 for n in range(COUNT)]

    return write


def by_tifffile(images: Images, white: float, **options: Any) -> Callable[[Path], Truth]:
    def write(folder: Path) -> Truth:
        import tifffile

        for n, image in enumerate(images):
            tifffile.imwrite(folder / f"{n}.tif", image, **options)
        return unit(images, white)

    return write


def pages(folder: Path) -> Truth:
    import tifffile

    for n in range(3):
        tifffile.imwrite(folder / f"{n}.tif", np.stack(GRAY), photometric="minisblack")
    return unit() * 3


def jpeg2000(folder: Path) -> Truth:
    import imagecodecs

    for n, image in enumerate(DEEP):
        (folder / f"{n}.jp2").write_bytes(imagecodecs.jpeg2k_encode(image, reversible=True, level=0))
    return unit(DEEP, 65535)


def netpbm(folder: Path) -> Truth:
    for n, image in enumerate(GRAY):
        (folder / f"{n}.pgm").write_bytes(b"P5 %d %d 255\n" % (SIDE, SIDE) + image.tobytes())
    return unit()


def large_profile(folder: Path) -> Truth:
    from PIL import Image

    profile = np.random.default_rng(0).bytes(2**21)
    for n, image in enumerate(GRAY):
        Image.fromarray(image).save(folder / f"{n}.png", icc_profile=profile)
    return unit()


def multi_picture(folder: Path) -> Truth:
    from PIL import Image

    for n, image in enumerate(GRAY):
        first, other = Image.fromarray(image), Image.fromarray(GRAY[(n + 1) % COUNT][:16, :16])
        first.save(folder / f"{n}.jpg", "MPO", save_all=True, append_images=[other])
    return [np.asarray(Image.open(folder / f"{n}.jpg")) / 255 for n in range(COUNT)]


def misnamed(folder: Path) -> Truth:
    truth = by_pillow(".png")(folder)
    for n, name in enumerate(("IM0001", "a.dcm", "b.bin", "c.jpg")):
        (folder / f"{n}.png").rename(folder / name)
    return truth


def constant(folder: Path) -> Truth:
    from PIL import Image

    for n in range(COUNT):
        Image.fromarray(np.full((SIDE, SIDE), 7, np.uint8)).save(folder / f"{n}.png")
    return "all pixels have the same value"


def dicom(n: int, pixels: NDArray[Any], **elements: Any) -> Any:
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    made.SOPClassUID = meta.MediaStorageSOPClassUID
    made.PatientID, made.Modality = f"P{n}", "OT"
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.Rows, made.Columns = pixels.shape[-2:]
    bits = 8 * pixels.dtype.itemsize
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = bits, bits, bits - 1, 0
    made.PixelData = pixels.tobytes()
    for keyword, value in elements.items():
        setattr(made, keyword, value)
    return made


def by_pydicom(change: Callable[[Any], Any] = lambda made: None, **elements: Any) -> Callable[[Path], Truth]:
    def write(folder: Path) -> Truth:
        for n, image in enumerate(GRAY):
            made = dicom(n, image, **elements)
            change(made)
            made.save_as(folder / f"{n}.dcm", enforce_file_format=True)
        inverted = elements.get("PhotometricInterpretation") == "MONOCHROME1"
        return [1 - each for each in unit()] if inverted else unit()

    return write


def compressed(made: Any) -> None:
    from pydicom.uid import RLELossless

    made.compress(RLELossless)


def without_preamble(folder: Path) -> Truth:
    for n, image in enumerate(GRAY):
        made = dicom(n, image)
        made.preamble = None
        made.file_meta.clear()
        made.save_as(folder / f"IM{n}", implicit_vr=True, little_endian=True, enforce_file_format=False)
    return unit()


def gzipped_dicom(folder: Path) -> Truth:
    by_pydicom()(folder)
    for path in folder.glob("*.dcm"):
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    return unit()


def header_says_another_encoding(folder: Path) -> Truth:
    by_pydicom()(folder)
    explicit, implicit = b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2\0\0\0"
    for path in folder.glob("*.dcm"):
        path.write_bytes(path.read_bytes().replace(explicit, implicit, 1))
    return unit()


def encapsulated_as_native(folder: Path) -> Truth:
    from pydicom.uid import ExplicitVRLittleEndian, RLELossless

    by_pydicom(compressed)(folder)
    for path in folder.glob("*.dcm"):
        said, other = (f"{uid}".encode() for uid in (RLELossless, ExplicitVRLittleEndian))
        path.write_bytes(
            path.read_bytes().replace(
                said + b"\0" * (len(said) % 2), other.ljust(len(said) + len(said) % 2, b"\0"), 1
            )
        )
    return "its pixels are encapsulated"


def with_segmentation(folder: Path) -> Truth:
    by_pydicom()(folder)
    storage = "1.2.840.10008.5.1.4.1.1.66.4"
    dicom(9, AREAS, SOPClassUID=storage, Modality="SEG").save_as(folder / "s.dcm", enforce_file_format=True)
    return unit()


def only_segmentations(folder: Path) -> Truth:
    by_pydicom(SOPClassUID="1.2.840.10008.5.1.4.1.1.66.4", Modality="SEG")(folder)
    return "--keep-labels"


def by_nibabel(name: str, suffix: str) -> Callable[[Path], Truth]:
    def write(folder: Path) -> Truth:
        import nibabel

        for n, volume in enumerate(VOLUMES):
            nibabel.save(getattr(nibabel, name)(volume, AFFINE), folder / f"p{n}{suffix}")
        upright = [
            nibabel.as_closest_canonical(  # type: ignore[no-untyped-call]
                nibabel.load(folder / f"p{n}{suffix}")
            ).get_fdata()
            for n in range(COUNT)
        ]
        return axial(upright)

    return write


def by_pynrrd(suffix: str) -> Callable[[Path], Truth]:
    def write(folder: Path) -> Truth:
        import nrrd  # type: ignore[import-untyped]

        directions = {"space": "left-posterior-superior", "space directions": np.diag([-1.0, -1.0, 3.0])}
        for n, volume in enumerate(VOLUMES):
            nrrd.write(str(folder / f"p{n}{suffix}"), volume, directions)
        return axial()

    return write


def metaimage(suffix: str) -> Callable[[Path], Truth]:
    def write(folder: Path) -> Truth:
        for n, volume in enumerate(VOLUMES):
            where = "LOCAL" if suffix == ".mha" else f"p{n}.raw"
            text = (
                f"ObjectType = Image\nNDims = 3\nDimSize = {SIDE} {SIDE} {SLICES}\nElementType = MET_SHORT\n"
                f"TransformMatrix = -1 0 0 0 -1 0 0 0 1\nElementSpacing = 1 1 3\nElementDataFile = {where}\n"
            )
            content = volume.tobytes("F")
            (folder / f"p{n}{suffix}").write_bytes(text.encode() + (content if suffix == ".mha" else b""))
            if suffix == ".mhd":
                (folder / where).write_bytes(content)
        return axial()

    return write


def without_voxels(folder: Path) -> Truth:
    metaimage(".mhd")(folder)
    for path in folder.glob("*.raw"):
        path.unlink()
    return "put p0.raw beside it"


def labels_beside(folder: Path) -> Truth:
    import nibabel

    for n, volume in enumerate(VOLUMES):
        for where, values in (("imagesTr", volume), ("labelsTr", np.stack([AREAS] * SLICES, -1))):
            (folder / where).mkdir(exist_ok=True)
            image = nibabel.Nifti1Image(values, AFFINE)  # type: ignore[no-untyped-call]
            nibabel.save(image, folder / where / f"liver_{n}.nii.gz")
    return axial()


def hdf5(name: str) -> Callable[[Path], Truth]:
    def write(folder: Path) -> Truth:
        import h5py  # type: ignore[import-untyped]

        for n, volume in enumerate(VOLUMES):
            with h5py.File(folder / f"p{n}.h5", "w") as file:
                file[name] = np.moveaxis(volume, -1, 0).astype(np.float32)
                if name == "image":
                    file["label"] = np.stack([AREAS] * SLICES)
        return [clipped(volume)[..., z] for volume in VOLUMES for z in range(SLICES)]

    return write


def undersampled(folder: Path) -> Truth:
    import h5py

    for n in range(COUNT):
        with h5py.File(folder / f"p{n}.h5", "w") as file:
            file["kspace"] = np.ones((SLICES, SIDE, SIDE), np.complex64)
            file["mask"] = np.ones(SIDE)
    return "k-space is undersampled"


def stacks(folder: Path) -> Truth:
    for n, volume in enumerate(VOLUMES):
        np.save(folder / f"p{n}.npy", np.moveaxis(volume, -1, 0))
    return [clipped(volume)[..., z] for volume in VOLUMES for z in range(SLICES)]


def collection(volumes: bool) -> Callable[[Path], Truth]:
    def write(folder: Path) -> Truth:
        values = np.stack([np.stack(GRAY)] * 3) if volumes else np.stack(GRAY)
        parts = {"train_images": values[:-2], "val_images": values[-2:-1], "test_images": values[-1:]}
        np.savez(folder / "organ.npz", allow_pickle=False, **parts)
        return unit() * (3 if volumes else 1)

    return write


def parquet(folder: Path) -> Truth:
    import pyarrow
    import pyarrow.parquet
    from PIL import Image

    rows = []
    for image in GRAY:
        stream = io.BytesIO()
        Image.fromarray(image).save(stream, "PNG")
        rows.append({"bytes": stream.getvalue(), "path": None})
    pyarrow.parquet.write_table(pyarrow.table({"image": rows}), folder / "images.parquet")
    return unit()


def in_folders(*names: str) -> Callable[[Path], Truth]:
    def write(folder: Path) -> Truth:
        truth = by_pillow(".png")(folder)
        for n in range(COUNT):
            place = folder / names[n % len(names)]
            place.mkdir(parents=True, exist_ok=True)
            (folder / f"{n}.png").rename(place / f"{n}.png")
        return truth

    return write


def beside(name: str, text: str) -> Callable[[Path], Truth]:
    def write(folder: Path) -> Truth:
        (folder / name).write_text(text)
        return by_pillow(".png")(folder)

    return write


def listed(suffix: str) -> Callable[[Path], Truth]:
    def write(folder: Path) -> Truth:
        truth = by_pillow(".png")(folder)
        splits = ("train", "train", "val", "test")
        rows = [{"file": f"{n}.png", "split": split, "patient_id": n} for n, split in enumerate(splits)]
        with (folder / f"the_list{suffix}").open("w", newline="") as stream:
            if suffix == ".csv":
                table = csv.DictWriter(stream, list(rows[0]), delimiter=";")
                table.writeheader()
                table.writerows(rows)
            else:
                stream.write("\n".join(map(json.dumps, rows)) if suffix == ".jsonl" else json.dumps(rows))
        return truth

    return write


def packed(form: str) -> Callable[[Path], Truth]:
    def write(folder: Path) -> Truth:
        with tempfile.TemporaryDirectory() as inside:
            truth = by_pillow(".png")(Path(inside))
            shutil.make_archive(str(folder / "the_list"), form, inside)
        return truth

    return write


def texts(folder: Path) -> Truth:
    for n in range(COUNT):
        (folder / f"{n}.txt").write_text("no image\n")
    return "holds 0 images"


def two(folder: Path) -> Truth:
    by_pillow(".png")(folder)
    for n in (2, 3):
        (folder / f"{n}.png").unlink()
    return "give at least 3"


def cohort(*names: str) -> Callable[[Path], Truth]:
    """Volumes of several visits or scans of each person; `{0}` in their names is the person."""

    def write(folder: Path) -> Truth:
        import nibabel

        volumes = iter(VOLUMES * 2)
        for person in range(4):
            for name in names:
                path = folder / name.format(person)
                path.parent.mkdir(parents=True, exist_ok=True)
                nibabel.save(nibabel.Nifti1Image(next(volumes), AFFINE), path)  # type: ignore[no-untyped-call]
        return axial(VOLUMES * 2)

    return write


def hospital_export(folder: Path) -> Truth:
    """A disc as a hospital burns it: files without suffix, their directory, a report, what Windows adds."""
    for n, image in enumerate(GRAY):
        path = folder / f"DICOM/PAT{n}/STD0/SER0/IM000001"
        path.parent.mkdir(parents=True)
        dicom(n, image).save_as(path, enforce_file_format=True)
    for name, kind in (
        ("DICOMDIR", "1.2.840.10008.1.3.10"),
        ("DICOM/SR000001", "1.2.840.10008.5.1.4.1.1.88.11"),
    ):
        made = dicom(9, GRAY[0])
        made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID = kind
        del made.PixelData, made.Rows, made.Columns
        made.save_as(folder / name, enforce_file_format=True)
    (folder / "Thumbs.db").write_bytes(b"of Windows")
    return unit()


def standing_in(text: bytes, words: str) -> Callable[[Path], Truth]:
    def write(folder: Path) -> Truth:
        for n in range(COUNT):
            (folder / f"{n}.png").write_bytes(text)
        return words

    return write


def masks_beside(folder: Path) -> Truth:
    """As COVID-QU-Ex: a folder a class, images and masks in folders of their own, split at the top."""
    from PIL import Image

    for n, image in enumerate(GRAY):
        top = folder / ("Train" if n < 2 else "Test") / "Normal"
        for kind, pixels in (("images", image), ("lung masks", AREAS)):
            (top / kind).mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(top / kind / f"{n}.png")
    return unit()


def names_alike(folder: Path) -> Truth:
    from PIL import Image

    for name, image in zip(("\u00e9", "e\u0301", "A", "a"), GRAY, strict=True):
        Image.fromarray(image).save(folder / f"{name}.png")
    return unit()


FORMS: dict[str, Callable[[Path], Truth]] = {
    "PNG": by_pillow(".png"),
    "PNG, large colour profile": large_profile,
    "JPEG": by_pillow(".jpg"),
    "JPEG of several pictures (MPO)": multi_picture,
    "WebP": by_pillow(".webp", lossless=True),
    "BMP": by_pillow(".bmp"),
    "JPEG 2000, 16 bits": jpeg2000,
    "PGM": netpbm,
    "TIFF, 16 bits": by_tifffile(DEEP, 65535),
    "TIFF, big-endian": by_tifffile(DEEP, 65535, byteorder=">"),
    "TIFF, floating point": by_tifffile([each.astype(np.float32) for each in unit()], 1),
    "TIFF, deflated, tiled": by_tifffile(DEEP, 65535, compression="zlib", tile=(16, 16)),
    "TIFF, a stack of pages": pages,
    "any names": misnamed,
    "constant images": constant,
    "DICOM": by_pydicom(),
    "DICOM, MONOCHROME1": by_pydicom(PhotometricInterpretation="MONOCHROME1"),
    "DICOM, run lengths": by_pydicom(compressed),
    "DICOM without preamble or suffix": without_preamble,
    "DICOM in gzip": gzipped_dicom,
    "DICOM that states another encoding": header_says_another_encoding,
    "DICOM, encapsulated under a native syntax": encapsulated_as_native,
    "DICOM beside a segmentation": with_segmentation,
    "DICOM, nothing but segmentations": only_segmentations,
    "NIfTI": by_nibabel("Nifti1Image", ".nii"),
    "NIfTI in gzip": by_nibabel("Nifti1Image", ".nii.gz"),
    "NIfTI-2": by_nibabel("Nifti2Image", ".nii"),
    "NIfTI pair": by_nibabel("Nifti1Pair", ".hdr"),
    "Analyze": by_nibabel("AnalyzeImage", ".hdr"),
    "FreeSurfer": by_nibabel("MGHImage", ".mgz"),
    "NRRD": by_pynrrd(".nrrd"),
    "NRRD, voxels beside": by_pynrrd(".nhdr"),
    "MetaImage": metaimage(".mha"),
    "MetaImage, voxels beside": metaimage(".mhd"),
    "MetaImage without its voxels": without_voxels,
    "Medical Segmentation Decathlon": labels_beside,
    "HDF5, image and label": hdf5("image"),
    "HDF5, a reconstruction": hdf5("reconstruction_rss"),
    "HDF5, one stack of any name": hdf5("scans"),
    "HDF5, undersampled k-space": undersampled,
    "NumPy stacks": stacks,
    "MedMNIST": collection(volumes=False),
    "MedMNIST, 3-D": collection(volumes=True),
    "Parquet": parquet,
    "folders Training and Testing": in_folders("Training", "Testing"),
    "folders images/train and images/val": in_folders("images/train", "images/val"),
    "a manifest.csv of others": beside("manifest.csv", "id,label\n1,2\n"),
    "metadata.csv": beside("metadata.csv", "file_name,patient_id\n0.png,a\n1.png,a\n2.png,b\n3.png,c\n"),
    "hidden files": beside("._0.png", "not an image"),
    "a list with semicolons": listed(".csv"),
    "a list in JSON": listed(".json"),
    "a list in JSON lines": listed(".jsonl"),
    "ZIP": packed("zip"),
    "TAR": packed("tar"),
    "TAR in gzip": packed("gztar"),
    "TAR in xz": packed("xztar"),
    "OASIS": cohort(
        "OAS1_000{0}_MR1/RAW/OAS1_000{0}_MR1_mpr-1.nii", "OAS1_000{0}_MR2/RAW/OAS1_000{0}_MR2_mpr-1.nii"
    ),
    "ADNI": cohort("00{0}_S_041{0}/MPR/2006-01-01/I1/a.nii", "00{0}_S_041{0}/MPR/2007-01-01/I2/a.nii"),
    "IXI": cohort("IXI00{0}-Guys-0828-T1.nii.gz", "IXI00{0}-Guys-0828-T2.nii.gz"),
    "a hospital's disc": hospital_export,
    "images and lung masks": masks_beside,
    "names that differ by case or composition": names_alike,
    "Git LFS pointers": standing_in(
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a Git LFS pointer"
    ),
    "HTML pages": standing_in(b"<!DOCTYPE html><html>Forbidden</html>", "an HTML page"),
    "nothing but texts": texts,
    "two images": two,
}


def outcome(folder: Path, truth: Truth, results: Path | None) -> tuple[str, str]:
    """Say whether a form is right, refused or wrong, and what was said or is wrong."""
    from typer.testing import CliRunner

    from vaescreen.cli import app
    from vaescreen.errors import VaescreenError
    from vaescreen.images import open_data

    place = next(folder.glob("the_list.*"), folder)
    scratch = folder.parent
    commands: dict[str, list[str]] = {
        "show": ["data", "show", str(place), "--size", "48"],
        "preview": ["data", "preview", str(place), "--size", "48", "--report", str(scratch / "sheet.html")],
    }  # fmt: skip
    if results:  # one folder for all forms: what gives the same images has the same score card
        place_and_name = ["--data", str(place), "--name", "corpus", "--size", "48"]
        commands["score"] = ["score", CANDIDATE, *place_and_name, "--results", str(results)]
    said = {}
    for name, command in commands.items():
        done = CliRunner().invoke(app, command)
        if done.exception and not isinstance(done.exception, SystemExit):
            return "wrong", f"{name}: {type(done.exception).__name__}: {done.exception}"
        said[name] = done.exit_code, " ".join(done.output.split())
    try:
        data = open_data(place, size=None)
        found = [image.numpy() for split in ("train", "val", "test") for image in _images(data, split)]
    except VaescreenError as error:
        if isinstance(truth, str) and truth in str(error) and all(code == 1 for code, _ in said.values()):
            return "refused", str(error).replace(str(scratch), "")
        return "wrong", str(error)
    failed = [f"{name}: {text[-200:]}" for name, (code, text) in said.items() if code]
    if failed:
        return "wrong", failed[0]
    if isinstance(truth, str):
        return "wrong", f"read, but to be refused: {truth}"
    return ("right", "") if _same(found, truth) else ("wrong", "other pixels")


def _images(data: Any, split: str) -> list[Any]:
    return [image[0] for batch in data.batches(split, 1) for image in batch.images]


def _same(found: Images, expected: Images) -> bool:
    """Whether these are the same images in whatever order."""
    left = list(expected)
    for image in found:
        match = next(
            (
                n
                for n, each in enumerate(left)
                if each.shape == image.shape and np.abs(each - image).max() < TOLERANCE
            ),
            None,
        )
        if match is None:
            return False
        del left[match]
    return not left


def main() -> None:
    import os

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--form", action="append", choices=FORMS, help="one of them; all by default")
    parser.add_argument("--quick", action="store_true", help="leave out score, which takes most of the time")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()

    from vaescreen.environment import command_line, environment
    from vaescreen.storage import read_json, write_json

    known = read_json(options.out)["forms"] if options.out and options.out.is_file() else {}
    results: dict[str, dict[str, Any]] = {form: known[form] for form in FORMS if form in known}
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["VAESCREEN_CACHE"] = f"{scratch}/cache"
        kept = None if options.quick else Path(scratch) / "results"
        for number, form in enumerate(options.form or FORMS):
            folder = Path(scratch) / str(number) / "data"
            folder.mkdir(parents=True)
            what, why = outcome(folder, FORMS[form](folder), kept)
            results[form] = {"outcome": what, "reason": why, "command": command_line()}
            print(f"{what:8}{form}{f': {why}' if why else ''}", flush=True)
            if options.out:
                write_json(options.out, _record(results) | {"environment": environment()})
    counts = _record(results)["counts"]
    print(counts)
    if counts["wrong"]:
        raise SystemExit("something is wrong")


def _record(results: dict[str, dict[str, Any]]) -> dict[str, Any]:
    outcomes = [each["outcome"] for each in results.values()]
    return {
        "forms": results,
        "counts": {what: outcomes.count(what) for what in ("right", "refused", "wrong")},
    }


if __name__ == "__main__":
    main()
