"""Every mend that the reading code advises is there and works: the advice is collected from its messages and run."""

import ast
import gzip
import io
import os
import re
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import imagecodecs
import nibabel
import numpy as np
import pytest
import tifffile
from dicom_files import make_dicom, write_dicom
from PIL import Image
from pydicom.dataelem import DataElement
from pydicom.uid import DeflatedExplicitVRLittleEndian
from typer.testing import CliRunner

import vaescreen.images
from vaescreen.cli import app
from vaescreen.errors import VaescreenError
from vaescreen.images import Declaration, Reading, open_data
from vaescreen.images.formats import npy, table, volume
from vaescreen.images.formats.dicom import file as dicom_file
from vaescreen.registry import reading
from vaescreen.registry.layouts import LAYOUTS
from vaescreen.storage import cache_dir

ROOM = Path(vaescreen.images.__file__).parent
NOISE = np.random.default_rng(0).integers(0, 256, (16, 24, 24), dtype=np.uint8)

_ADVICE = re.compile(
    r"(?:^|[;:,.] )(?:or |then )?(?:give|name|put|leave|add|save|cut it|fetch|mend|choose|make|rename|take|copy|scale|"
    r"move|ask for|say in|write|unpack|point|delete|bring|pip install|`vaescreen|to be unpacked)\b"
)
_OTHER_WORK = ("fetching/", "phantoms/", "degradation", "noise.py", "adding.py", "catalogue.py")
"""Modules of the room that read no files of the user."""


def messages() -> Iterator[str]:
    """All texts of the reading code but docstrings, with {} where they are filled in."""
    files = [
        file for file in ROOM.rglob("*.py") if not file.relative_to(ROOM).as_posix().startswith(_OTHER_WORK)
    ]
    for file in (*files, Path(reading.__file__)):
        tree = ast.parse(file.read_text())
        passed = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        passed |= {
            id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values
        }
        for node in ast.walk(tree):
            if id(node) in passed:
                continue
            if isinstance(node, ast.JoinedStr):
                yield "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def pictures(folder: Path, divided_by: int = 1, **elements: object) -> None:
    for number, pixels in enumerate(NOISE[:6]):
        write_dicom(
            folder / f"{number}.dcm", pixels // divided_by, **({"PatientID": f"P{number}"} | elements)
        )


def few_grays(folder: Path) -> None:
    pictures(folder, 16)


def one_patient(folder: Path) -> None:
    pictures(folder, PatientID="ANONYMOUS")


def two_studies(folder: Path) -> None:
    for number, pixels in enumerate(NOISE[:6]):
        study = f"1.2.{number // 2}"
        write_dicom(folder / f"{number}.dcm", pixels, PatientID=f"P{number}", StudyInstanceUID=study)


def segmentations(folder: Path) -> None:
    pictures(folder, SOPClassUID="1.2.840.10008.5.1.4.1.1.66.4")


def label_maps(folder: Path) -> None:
    for number in range(4):
        Image.fromarray(np.kron(NOISE[number, :3, :3] % 4, np.ones((8, 8), np.uint8))).save(
            folder / f"{number}.png"
        )


def hot_pixels(folder: Path) -> None:
    for number in range(4):
        pixels = np.zeros((128, 128), np.uint8)
        pixels[number, :76] = np.arange(1, 77)
        Image.fromarray(pixels).save(folder / f"{number}.png")


def numbered(folder: Path) -> None:
    for number, pixels in enumerate(NOISE):
        Image.fromarray(pixels).save(folder / f"{'abcd'[number // 4]}_{number % 4}.png")


class Case(NamedTuple):
    """What is said of a folder, what makes a user see it, and the mend that is advised."""

    said: str
    wrong: Callable[[Path], object]
    mend: Callable[[Path], object] = lambda folder: None
    options: dict[str, Any] = {}  # noqa: RUF012 (never changed)
    before: dict[str, Any] = {}  # noqa: RUF012
    place: str = "."
    after: str = "."
    alone: bool = False


def png(folder: Path, *names: str, like: str = "") -> None:
    """Gray noise, of the same pixels for the same name, or like another's."""
    for name in names:
        pixels = np.random.default_rng(list((like or name).encode())).integers(0, 256, (24, 24), np.uint8)
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(folder / name, "PNG")


def array(folder: Path, name: str, scale: float) -> None:
    np.save(folder / name, (NOISE[0] * scale).astype(np.float32))


def tiff(folder: Path, pixels: np.ndarray, **options: Any) -> None:
    tifffile.imwrite(folder / "x.tif", pixels, **options)


def pyramid(folder: Path) -> None:
    with tifffile.TiffWriter(folder / "x.tif") as file:
        pixels = np.kron(NOISE[0], np.ones((8, 8), np.uint8))
        file.write(pixels, tile=(32, 32), subifds=1)
        file.write(pixels[::2, ::2], tile=(32, 32), subfiletype=1)


def unlike_pages(folder: Path) -> None:
    with tifffile.TiffWriter(folder / "x.tif") as file:
        file.write(NOISE[0], photometric="minisblack")
        file.write(NOISE[1, :12, :16].copy(), photometric="minisblack")


def dicom(folder: Path, change: Callable[[Any], None] = lambda made: None, **elements: Any) -> None:
    made = make_dicom(NOISE[0], **elements)
    change(made)
    made.save_as(folder / "x.dcm", enforce_file_format=True)


def as_floats(made: Any) -> None:
    made.FloatPixelData = NOISE[0].astype("<f4").tobytes()
    made.BitsAllocated = 32
    del made.PixelData


def wide(made: Any) -> None:
    made.add(DataElement(0x00281050, "LO", "wide"))


def as_video(made: Any) -> None:
    from pydicom.uid import UID

    encapsulated(made)
    made.file_meta.TransferSyntaxUID = UID("1.2.840.10008.1.2.4.100")


def encapsulated(made: Any) -> None:
    from pydicom.encaps import encapsulate

    made.PixelData = encapsulate([NOISE[0].tobytes()])
    made["PixelData"].VR = "OB"


def bulky(folder: Path) -> None:
    write_dicom(folder / "x.dcm", NOISE[0], DeflatedExplicitVRLittleEndian, PixelPaddingValue=0)


def nifti(folder: Path, values: np.ndarray) -> None:
    nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), folder / "x.nii")


def pair(folder: Path) -> None:
    nibabel.save(nibabel.Nifti1Pair(np.moveaxis(NOISE, 0, -1).copy(), np.eye(4)), folder / "x.hdr")


def metaimage(folder: Path, said: str = "", data: str = "LOCAL") -> None:
    header = f"NDims = 3\nDimSize = 24 24 16\n{said}ElementType = MET_UCHAR\nElementDataFile = {data}\n"
    (folder / "x.mhd").write_bytes(header.encode() + (NOISE.tobytes() if data == "LOCAL" else b""))
    if data == "x.raw":
        (folder / data).write_bytes(NOISE.tobytes())


def nrrd_file(folder: Path, said: str = "", kind: str = "uchar", encoding: str = "raw") -> None:
    header = f"NRRD0004\ntype: {kind}\ndimension: 3\nsizes: 24 24 16\nencoding: {encoding}\n{said}\n"
    (folder / "x.nrrd").write_bytes(header.encode() + NOISE.tobytes())


def beside_nrrd(folder: Path, data: str) -> None:
    header = f"NRRD0004\ntype: uchar\ndimension: 3\nsizes: 24 24 16\nencoding: raw\ndata file: {data}\n"
    (folder / "x.nhdr").write_text(header)
    (folder / "x.raw").write_bytes(NOISE.tobytes())


def hdf5(folder: Path, elsewhere: bool) -> None:
    (folder / ".x.bin").write_bytes(NOISE.tobytes())
    with h5py.File(folder / "x.h5", "w") as file:
        if elsewhere:
            file.create_dataset(
                "image", NOISE.shape, "u1", external=[(folder / ".x.bin", 0, h5py.h5f.UNLIMITED)]
            )
        else:
            file["image"] = NOISE


def parquet(folder: Path, rows_a_group: int) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    encoded = []
    for pixels in NOISE[:6]:
        Image.fromarray(pixels).save(stream := io.BytesIO(), "PNG")
        encoded.append({"bytes": stream.getvalue()})
    pq.write_table(pa.table({"image": encoded}), folder / "x.parquet", row_group_size=rows_a_group)


def colour_16(folder: Path) -> None:
    (folder / "x.png").write_bytes(imagecodecs.png_encode(np.full((24, 24, 3), 9, np.uint16)))


def packed(folder: Path) -> None:
    png(folder, GOOD)
    (folder / "x.png.gz").write_bytes(gzip.compress((folder / GOOD).read_bytes()))
    gone(folder, GOOD)


def two_frames(folder: Path) -> None:
    Image.fromarray(NOISE[0]).save(
        folder / "x.webp", save_all=True, append_images=[Image.fromarray(NOISE[1])], lossless=True
    )


def bomb(folder: Path) -> None:
    Image.new("1", (30_000, 30_000)).save(folder / "x.png")


def jpeg2000(folder: Path, channels: int) -> None:
    pixels = NOISE[0] if channels == 1 else np.repeat(NOISE[0][..., None], channels, -1)
    (folder / "x.jp2").write_bytes(imagecodecs.jpeg2k_encode(pixels, level=0))


def zipped(folder: Path, *names: str, flag: bool = False) -> None:
    with zipfile.ZipFile(folder / "x.zip", "w") as file:
        for name in names:
            Image.fromarray(NOISE[names.index(name)]).save(stream := io.BytesIO(), "PNG")
            file.writestr(name, stream.getvalue())
    if flag:
        content = bytearray((folder / "x.zip").read_bytes())
        content[content.rindex(b"PK\x01\x02") + 8] |= 1
        (folder / "x.zip").write_bytes(content)


def manifest(folder: Path, *rows: str, header: str = "file,split,patient_id") -> None:
    (folder / "manifest.csv").write_text("\n".join([header, *rows]))


def gone(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).unlink()


FOUR = ("a.png", "b.png", "c.png", "d.png")
GOOD = "x.png"
ROWS = ("a.png,train,1", "b.png,train,2", "c.png,test,3")
IN_WINDOW = {"window": "0,255"}


def saved(folder: Path) -> None:
    """The image as it is advised to be saved, in place of the one that cannot be read."""
    for path in folder.glob("x.*"):
        path.unlink()
    png(folder, GOOD)


CASES = [
    Case("save it as 16-bit gray", colour_16, saved),
    Case(
        "save it as gray or RGB",
        lambda f: tiff(f, np.moveaxis(NOISE[:3], 0, -1), photometric="cielab"),
        saved,
    ),
    Case(
        "unpack it by `gunzip`",
        packed,
        lambda f: (
            (f / "x.png").write_bytes(gzip.decompress((f / "x.png.gz").read_bytes())) and gone(f, "x.png.gz")
        ),
    ),
    Case("save each as its own file", two_frames, saved),
    Case("save each as its own file", unlike_pages, saved),
    Case("cut it into smaller images", bomb, saved),
    Case("cut it into single images", pyramid, saved),
    Case("save it as gray of 8 to 16 bits", lambda f: jpeg2000(f, 4), lambda f: jpeg2000(f, 1)),
    Case("give --window auto or LOW,HIGH", lambda f: tiff(f, NOISE[0].astype(np.float32)), options=IN_WINDOW),
    Case(
        "scale them to 0 to 1, or",
        lambda f: array(f, "x.npy", 1),
        lambda f: array(f, "x.npy", 1 / 255),
        before={"window": "full"},
        options={"window": "full"},
    ),
    Case(
        "or give --window LOW,HIGH",
        lambda f: array(f, "x.npy", 1),
        before={"window": "full"},
        options=IN_WINDOW,
    ),
    Case("save it as MONOCHROME2 or RGB", lambda f: dicom(f, PhotometricInterpretation="HSV"), dicom),
    Case("save them as integers of 8 to 16 bits", lambda f: dicom(f, as_floats), dicom),
    Case("save it as explicit little endian", lambda f: dicom(f, as_video), dicom),
    Case("mend its header", lambda f: dicom(f, encapsulated), dicom),
    Case("save it as RGB", lambda f: dicom(f, PhotometricInterpretation="PALETTE COLOR"), saved),
    Case(
        "choose one by --window LOW,HIGH",
        lambda f: dicom(f, WindowCenter=0, WindowWidth=-4),
        options=IN_WINDOW,
    ),
    Case(
        "is not known; choose one by",
        lambda f: dicom(f, WindowCenter=9, WindowWidth=4, VOILUTFunction="SQUARE"),
        options=IN_WINDOW,
    ),
    Case("choose a window by --window LOW,HIGH", lambda f: dicom(f, wide, WindowWidth=4), options=IN_WINDOW),
    Case(
        "save them as integers or 32-bit floating point",
        lambda f: nifti(f, np.ones((24, 24, 4), np.complex64)),
        lambda f: nifti(f, np.moveaxis(NOISE, 0, -1).copy()),
    ),
    Case(".img beside it", lambda f: (pair(f), gone(f, "x.img")), pair),
    Case("save one value a voxel", lambda f: metaimage(f, "ElementNumberOfChannels = 3\n"), metaimage),
    Case("save it as binary", lambda f: metaimage(f, "BinaryData = False\n"), metaimage),
    Case(
        "put them into one file beside it",
        lambda f: metaimage(f, data="LIST"),
        lambda f: metaimage(f, data="x.raw"),
    ),
    Case(
        "its voxels are missing: put",
        lambda f: (metaimage(f, data="x.raw"), gone(f, "x.raw")),
        lambda f: metaimage(f, data="x.raw"),
    ),
    Case("save one value a voxel", lambda f: nrrd_file(f, "kinds: RGB-color domain domain\n"), nrrd_file),
    Case("save it as raw or gzip", lambda f: nrrd_file(f, encoding="bzip2"), nrrd_file),
    Case("save it without `line skip`", lambda f: nrrd_file(f, "line skip: 1\n"), nrrd_file),
    Case(
        "save them as integers or floating point",
        lambda f: nrrd_file(f, "block size: 1\n", kind="block"),
        nrrd_file,
    ),
    Case(
        "save it as left-posterior-superior",
        lambda f: nrrd_file(f, "space: scanner-xyz\nspace directions: (1,0,0) (0,1,0) (0,0,1)\n"),
        lambda f: nrrd_file(f, "space: left-posterior-superior\nspace directions: (1,0,0) (0,1,0) (0,0,1)\n"),
    ),
    Case(
        "put them into one file beside it",
        lambda f: beside_nrrd(f, "LIST"),
        lambda f: beside_nrrd(f, "x.raw"),
    ),
    Case("copy it into this one", lambda f: hdf5(f, True), lambda f: hdf5(f, False)),
    Case(
        "give one array, or train_images",
        lambda f: np.savez(f / "x.npz", a=NOISE, b=NOISE),
        lambda f: np.savez(f / "x.npz", a=NOISE),
    ),
    Case(
        "rename it",
        lambda f: png(f, os.fsdecode(b"\xff.png"), like="r"),
        lambda f: (f / os.fsdecode(b"\xff.png")).rename(f / "y.png"),
    ),
    Case(
        "give a folder of what is in it",
        lambda f: zipped(f, *FOUR, flag=True),
        lambda f: png(f / "all", *FOUR),
        place="x.zip",
        after="all",
    ),
    Case(
        "fetch it again",
        lambda f: (f / "x.zip").write_bytes(b"<html>"),
        lambda f: zipped(f, *FOUR),
        place="x.zip",
        after="x.zip",
    ),
    Case("name them by --patients REGEX, whose", one_patient, options={"patient_pattern": r"(\d)\.dcm"}),
    Case("--patients '(.+)' takes every file", one_patient, options={"patient_pattern": "(.+)"}),
    Case(
        "name them by --patients REGEX if that is wrong",
        two_studies,
        options={"patient_pattern": r"(\d)\.dcm"},
    ),
    Case("name the patients by --patients REGEX", numbered, options={"patient_pattern": "([a-d])_"}),
    Case(
        "or in manifest.csv",
        numbered,
        lambda f: manifest(f, "a_0.png,train,a", "b_0.png,train,b", "c_0.png,test,c"),
    ),
    Case(
        "move it into one",
        alone=True,
        wrong=lambda f: png(f, "train/p.png", "test/q.png", "r.png"),
        mend=lambda f: (f / "r.png").rename(f / "train/r.png"),
    ),
    Case(
        "add images of another",
        alone=True,
        wrong=lambda f: np.savez(f / "x.npz", NOISE),
        mend=lambda f: png(f, *FOUR),
    ),
    Case(
        "; choose one",
        alone=True,
        wrong=lambda f: png(f, "train/sub-1_a.png", "train/sub-2_a.png", "test/sub-1_b.png"),
        mend=lambda f: gone(f, "train/sub-1_a.png") or png(f, "train/sub-3_a.png"),
    ),
    Case("does not exist; give a folder of images", lambda f: png(f, *FOUR), place="nowhere"),
    Case(
        "of an unknown kind, not a folder; give",
        lambda f: (png(f, *FOUR), (f / "notes.txt").write_text("none")),
        place="notes.txt",
    ),
    Case(
        "take copies out, or",
        lambda f: (png(f, *FOUR), png(f, "e.png", like="a.png")),
        lambda f: gone(f, "e.png"),
    ),
    Case(
        "or give them one patient_id",
        lambda f: (png(f, *FOUR[1:], "a.png"), png(f, "e.png", like="a.png")),
        lambda f: manifest(f, *ROWS, "e.png,train,1"),
    ),
    Case("give at least", alone=True, wrong=lambda f: png(f, *FOUR[:2]), mend=lambda f: png(f, *FOUR)),
    Case(
        "give --keep-labels to take what is no",
        lambda f: (png(f, "a.png", "b.png"), png(f, "b_mask.png", "a_mask.png")),
        options={"keep_labels": True},
    ),
    Case("give --keep-labels to use them", label_maps, options={"keep_labels": True}),
    Case(
        "--keep-labels takes them in",
        lambda f: (png(f, *FOUR), png(f, "a_mask.png")),
        options={"keep_labels": True},
    ),
    Case(
        "already names the patients; leave the patient pattern out",
        lambda f: (png(f, *FOUR), manifest(f, *ROWS)),
        before={"patient_pattern": "(.)"},
    ),
    Case("which is for volumes; leave it out", lambda f: png(f, *FOUR), before={"axis": "axial"}),
    Case(
        "add images, or say in manifest.csv",
        alone=True,
        wrong=lambda f: (
            png(f, "train/a.png", "train/b.png"),
            (f / "test").mkdir(),
            (f / "test/c.png").write_bytes(b"none"),
        ),
        mend=lambda f: manifest(f, "train/a.png,train,1", "train/b.png,test,2"),
    ),
    Case("give --window auto, or --window LOW,HIGH", few_grays, options={"window": "auto"}),
    Case("in the unit of the files", few_grays, options={"window": "0,15"}),
    Case(
        "finds no window; give --window LOW,HIGH",
        hot_pixels,
        before={"window": "auto"},
        options={"window": "0,76"},
    ),
    Case(
        "give a path relative to the manifest",
        lambda f: (png(f, *FOUR), manifest(f, "../a.png,train,1", *ROWS)),
        lambda f: manifest(f, *ROWS),
    ),
    Case(
        "unknown split",
        lambda f: (png(f, *FOUR), manifest(f, "d.png,held out,4", *ROWS)),
        lambda f: manifest(f, "d.png,val,4", *ROWS),
    ),
    Case(
        "to be unpacked or given itself",
        lambda f: (png(f, *FOUR), zipped(f, *FOUR)),
        place=".",
        after="x.zip",
    ),
    Case(
        "mend the pattern",
        lambda f: png(f, *FOUR),
        before={"patient_pattern": r"(\d)"},
        options={"patient_pattern": "(.)"},
    ),
    Case(
        "put parentheses around",
        lambda f: png(f, *FOUR),
        before={"patient_pattern": "."},
        options={"patient_pattern": "(.)"},
    ),
    Case(
        "give LOW,HIGH (-160,240), auto",
        lambda f: png(f, *FOUR),
        before={"window": "wide"},
        options={"window": "level 40,400"},
    ),
    Case("give 256, for instance", lambda f: png(f, *FOUR), before={"size": 100}, options={"size": 256}),
    Case("unknown axis", lambda f: np.save(f / "x.npy", NOISE), before={"axis": "oblique"}),
    Case(
        "ask for at least 1", lambda f: png(f, *FOUR), before={"train_images": 0}, options={"train_images": 1}
    ),
    Case(
        "give the folder in which there is, for instance", lambda f: png(f, *FOUR), before={"layout": "mrnet"}
    ),
    Case(
        "names the patients itself; leave the patient pattern out",
        lambda f: png(f, *FOUR),
        before={"layout": "mrnet", "patient_pattern": "(.)"},
    ),
    Case(
        "point VAESCREEN_CACHE elsewhere",
        lambda f: (
            png(f, *FOUR),
            (cache_dir().mkdir(exist_ok=True), (cache_dir() / "data").write_text("in the way")),
        ),
        lambda f: (cache_dir() / "data").unlink(),
    ),
]
"""One a mend; a folder that is good is mended by leaving out what was asked for."""

LIMITED = [
    (
        "write the file with smaller row groups",
        table,
        "MAX_GROUP",
        5000,
        lambda f: parquet(f, 6),
        lambda f: parquet(f, 1),
    ),
    (
        "unpack the archive and give its folder",
        npy,
        "MAX_UNPACKED",
        900,
        lambda f: np.savez(f / "x.npz", NOISE),
        lambda f: (gone(f, "x.npz"), np.save(f / "x.npy", NOISE)),
    ),
    ("save it uncompressed", dicom_file, "MAX_INFLATED", 300, bulky, dicom),
    (
        "cut it into smaller files",
        volume,
        "MAX_BYTES",
        5000,
        lambda f: nifti(f, np.moveaxis(NOISE, 0, -1).copy()),
        lambda f: nifti(f, np.moveaxis(NOISE[:3, :9, :9], 0, -1).copy()),
    ),
]
"""Mends of files over a limit, and the limit as it is lowered for small files."""

ELSEWHERE = {
    "make several archives of it": "fetching/test_unpacking.py::test_too_many_files",
    "phantoms have no file names; leave": "test_generated.py",
    "leave --window and --keep-labels out": "test_generated.py",
    "give one, 256 for instance": "test_generated.py",
    "Give the path of a folder, or a name": "test_naming.py",
    "`vaescreen data fetch": "test_naming.py",
    "`vaescreen data remove": "test_naming.py",
    "`vaescreen data add": "test_naming.py",
    "make a list for each": "",
    "pip install 'vaescreen[medical]'": "",
    "unknown split": "test_dataset.py",
    "mend its permissions": "test_privacy.py",
    "delete it for a new key": "test_privacy.py",
    "chmod 600": "test_privacy.py",
    "without --private": "",
}
"""Mends that tests of other files run, and those that none can: of drives of Windows, and what follows here."""


def told(folder: Path, options: dict[str, Any]) -> str:
    """All that is said when a folder is opened: the error, or warnings and why files are not used."""
    choices = {"size": 24, **options}
    layout = choices.pop("layout", None)
    place = Declaration("m", folder, layout=LAYOUTS[layout], series="sagittal") if layout else folder
    try:
        choices["reading"] = Reading(axis=choices.pop("axis", "auto"))
        data = open_data(place, **choices)
    except VaescreenError as error:
        return str(error)
    unused = (*data.skipped, *data.left_out, *data.passed_over)
    return " | ".join([*data.warnings, *(each.reason for each in unused)])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.said)
def test_what_is_advised_works(tmp_path: Path, case: Case) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    case.wrong(folder)
    if len(list(folder.iterdir())) <= 2 and case.place == case.after and not case.alone:
        png(folder, *(f"good{number}.png" for number in range(4)))
    assert case.said in told(folder / case.place, case.before)
    case.mend(folder)
    assert case.said not in told(folder / case.after, case.options)


@pytest.mark.parametrize(
    ("said", "module", "limit", "value", "wrong", "mend"), LIMITED, ids=[case[0][:40] for case in LIMITED]
)
def test_what_is_advised_of_too_much_works(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    said: str,
    module: Any,
    limit: str,
    value: int,
    wrong: Callable[[Path], object],
    mend: Callable[[Path], object],
) -> None:
    monkeypatch.setattr(module, limit, value)
    png(tmp_path, *FOUR)
    wrong(tmp_path)
    assert said in told(tmp_path, {})
    mend(tmp_path)
    assert said not in told(tmp_path, {})


def test_every_advice_is_tried() -> None:
    tried = {case.said for case in CASES} | {said for said, *_ in LIMITED} | set(ELSEWHERE)
    advised = {text for text in messages() if " " in text and _ADVICE.search(text)}
    assert len(advised) > 70
    assert [text for text in advised if not any(said in text for said in tried)] == []
    assert all(
        (Path(__file__).parent / file.partition("::")[0]).is_file() for file in ELSEWHERE.values() if file
    )


def show(*arguments: str | Path) -> tuple[int, str]:
    done = CliRunner().invoke(
        app, ["data", "show", "--size", "24", *map(str, arguments)], env={"COLUMNS": "400"}
    )
    return done.exit_code, " ".join(done.output.split())


OPTIONS = {"--window", "--keep-labels", "--patients", "--private"}


def test_every_option_that_a_message_names_is_known_here() -> None:
    named = {option for text in messages() for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)}
    assert named - {"--files"} == OPTIONS


@pytest.mark.parametrize(
    "command", ["data show", "data preview", "score", "rank", "compare", "adapt", "reference baseline"]
)
def test_the_options_advised_are_on_every_command_that_takes_data(command: str) -> None:
    printed = CliRunner().invoke(app, [*command.split(), "--help"], env={"COLUMNS": "300"}).output
    assert [option for option in OPTIONS if option not in printed] == []


def test_every_command_that_a_message_names_is_there() -> None:
    named = {name for text in messages() for name in re.findall(r"`vaescreen ((?:[a-z]+ ?)+)", text)}
    assert named
    for command in named:
        assert CliRunner().invoke(app, [*command.split(), "--help"]).exit_code == 0


def test_the_way_out_of_a_private_error_is_the_same_command_in_the_open(tmp_path: Path) -> None:
    one_patient(tmp_path)
    code, hidden = show(tmp_path, "--private")
    assert (code, "`vaescreen data show` without --private" in hidden) == (1, True)
    assert "ANONYMOUS" in show(tmp_path)[1]


def test_the_extra_that_is_advised_brings_what_reads_medical_files() -> None:
    project = tomllib.loads((ROOM.parents[1] / "pyproject.toml").read_text())
    extra = " ".join(project["project"]["optional-dependencies"]["medical"])
    sources = "".join(file.read_text() for file in (ROOM / "formats").rglob("*.py"))
    modules = set(re.findall(r'imported\("(\w+)"', sources)) | {"imagecodecs", "pydicom"}
    assert {module for module in modules if module.replace("nrrd", "pynrrd") not in extra} == set()
