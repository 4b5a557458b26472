"""Volumes of other formats are the slices that NIfTI gives, and their headers are read as their libraries read them."""

import bz2
import gzip
import zlib
from pathlib import Path

import nibabel as nib
import nrrd
import numpy as np
import pytest

from vaescreen.errors import DataError
from vaescreen.images import open_data
from vaescreen.images.files import frames_of, read_frame
from vaescreen.registry.reading import Reading

VOXELS = np.random.default_rng(0).integers(0, 4096, (12, 10, 9)).astype(np.int16)
TILT = np.array([[0, -0.3, 1.9, 5], [-1.5, 0, 0, 6], [0, 0.95, 0.6, 7], [0, 0, 0, 1]])
FLIPPED = np.diag([-1.0, -1, 1, 1])
DIRECTIONS = (FLIPPED @ TILT)[:3, :3].T


def slices(path: Path) -> dict[str, np.ndarray]:
    return {frame.key: read_frame(path, frame.key, Reading()) for frame in frames_of(path, Reading())}


def meta(path: Path, **fields: object) -> None:
    """A MetaImage as ITK writes it: directions a row each, in coordinates to the left, back and top."""
    steps = np.linalg.norm(DIRECTIONS, axis=1)
    stated = {
        "ObjectType": "Image",
        "NDims": 3,
        "BinaryData": True,
        "BinaryDataByteOrderMSB": False,
        "CompressedData": False,
        "TransformMatrix": " ".join(map(str, (DIRECTIONS / steps[:, None]).ravel())),
        "Offset": "-5 -6 7",
        "ElementSpacing": " ".join(map(str, steps)),
        "DimSize": "12 10 9",
        "ElementType": "MET_SHORT",
    } | fields
    content = VOXELS.tobytes("F")
    if stated["BinaryDataByteOrderMSB"]:
        content = VOXELS.astype(">i2").tobytes("F")
    if stated["CompressedData"]:
        content = zlib.compress(content)
        stated["CompressedDataSize"] = len(content)
    where = stated.pop("ElementDataFile", "LOCAL")
    text = "".join(f"{key} = {value}\n" for key, value in stated.items()) + f"ElementDataFile = {where}\n"
    local = where == "LOCAL"
    path.write_bytes(text.encode() + (content if local else b""))
    if not local:
        (path.parent / str(where)).write_bytes(content)


def written_by_nrrd(path: Path, space: str = "left-posterior-superior", **options: object) -> None:
    signs = {"left-posterior-superior": [-1, -1, 1], "RAS": [1, 1, 1], "left-anterior-superior": [-1, 1, 1]}
    header = {"space": space, "space directions": TILT[:3, :3].T * signs[space]}
    nrrd.write(str(path), VOXELS, header, **options)


def packed(path: Path, pack: object) -> None:
    nib.save(nib.MGHImage(VOXELS, TILT), path.with_suffix(".mgh"))
    path.write_bytes(pack(path.with_suffix(".mgh").read_bytes()))  # type: ignore[operator]
    path.with_suffix(".mgh").unlink()


FORMS = {
    "pair.hdr": lambda path: nib.save(nib.Nifti1Pair(VOXELS, TILT), path),
    "long.hdr": lambda path: nib.save(nib.Nifti2Pair(VOXELS, TILT), path),
    "freesurfer.mgz": lambda path: nib.save(nib.MGHImage(VOXELS, TILT), path),
    "freesurfer.mgh": lambda path: nib.save(nib.MGHImage(VOXELS, TILT), path),
    "no_suffix": lambda path: packed(path, gzip.compress),
    "other.mgz": lambda path: packed(path, bz2.compress),
    "raw.nrrd": written_by_nrrd,
    "gzip.nrrd": lambda path: written_by_nrrd(path, index_order="F"),
    "ras.nrrd": lambda path: written_by_nrrd(path, "RAS"),
    "las.nrrd": lambda path: written_by_nrrd(path, "left-anterior-superior"),
    "beside.nhdr": written_by_nrrd,
    "local.mha": meta,
    "zlib.mha": lambda path: meta(path, CompressedData=True),
    "big.mha": lambda path: meta(path, BinaryDataByteOrderMSB=True),
    "tail.mha": lambda path: meta(path, HeaderSize=-1),
    "beside.mhd": lambda path: meta(path, ElementDataFile="beside.raw"),
    "packed.mhd": lambda path: meta(path, ElementDataFile="beside.zraw", CompressedData=True),
}


@pytest.mark.parametrize("name", FORMS)
def test_every_form_of_a_volume_gives_the_same_slices(tmp_path: Path, name: str) -> None:
    nib.save(nib.Nifti1Image(VOXELS, TILT), tmp_path / "a.nii")
    FORMS[name](tmp_path / name)
    expected, found = slices(tmp_path / "a.nii"), slices(tmp_path / name)
    assert list(found) == list(expected)
    for key, pixels in expected.items():
        np.testing.assert_array_equal(found[key], pixels)


@pytest.mark.parametrize("kind", [nib.AnalyzeImage, nib.Spm99AnalyzeImage, nib.Spm2AnalyzeImage])
def test_analyze_is_oriented_and_scaled_as_nibabel_loads_it(tmp_path: Path, kind: type) -> None:
    nib.save(kind(VOXELS, np.diag([-2.0, 3, 4, 1])), tmp_path / "a.hdr")
    (tmp_path / "a.mat").unlink(missing_ok=True)
    upright = nib.as_closest_canonical(nib.load(tmp_path / "a.hdr")).get_fdata()
    low, high = np.percentile(upright, [0.5, 99.5])
    expected = ((upright[::-1, ::-1, 4].T - low) / (high - low)).clip(0, 1)
    np.testing.assert_allclose(
        read_frame(tmp_path / "a.hdr", "axial-4", Reading(axis="axial")), expected, atol=1e-6
    )


def test_voxels_that_begin_at_byte_0_are_those_behind_the_header(tmp_path: Path) -> None:
    path = tmp_path / "a.nii"
    nib.save(nib.Nifti1Image(VOXELS, TILT), path)
    expected = slices(path)
    block = bytearray(path.read_bytes())
    block[108:112] = bytes(4)
    path.write_bytes(block)  # nibabel takes the header for voxels; where they can be is only behind it
    for key, pixels in slices(path).items():
        np.testing.assert_array_equal(pixels, expected[key])


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("pair.hdr", "its voxels are missing: put pair.img beside it"),
        ("beside.mhd", "its voxels are missing: put beside.raw beside it"),
    ],
)
def test_a_header_without_its_voxels_says_what_is_missing(tmp_path: Path, name: str, reason: str) -> None:
    FORMS[name](tmp_path / name)
    (tmp_path / reason.split()[5]).unlink()
    with pytest.raises(DataError, match=reason):
        frames_of(tmp_path / name, Reading())


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"ElementNumberOfChannels": 3}, "has 3 channels"),
        ({"BinaryData": False}, "written as text"),
        ({"ElementType": "MET_STRING"}, "unknown type MET_STRING"),
        ({"DimSize": "12 10 900"}, "ends early"),
        ({"DimSize": "12 10"}, "has 2 sizes for 3 dimensions"),
        ({"ElementDataFile": "../elsewhere.raw"}, "put them into one file beside it"),
        ({"ElementSpacing": "0 0 0"}, "an axis has no length"),
    ],
)
def test_metaimage_that_cannot_be_read_gives_a_reason(
    tmp_path: Path, fields: dict[str, object], reason: str
) -> None:
    (tmp_path / "data").mkdir()
    meta(tmp_path / "data" / "a.mha", **fields)
    with pytest.raises(DataError, match=reason):
        frames_of(tmp_path / "data" / "a.mha", Reading())


def test_nrrd_of_vectors_and_of_text_give_a_reason(tmp_path: Path) -> None:
    colours = {"kinds": ["RGB-color", "domain", "domain"]}
    nrrd.write(str(tmp_path / "a.nrrd"), np.zeros((3, 16, 16), np.uint8), colours)
    nrrd.write(str(tmp_path / "b.nrrd"), VOXELS, {"encoding": "ascii"})
    for name, reason in (("a", "not gray"), ("b", "encoded as ascii; save it as raw or gzip")):
        with pytest.raises(DataError, match=reason):
            frames_of(tmp_path / f"{name}.nrrd", Reading())


def test_pairs_are_one_file_each_and_are_read_again_when_their_voxels_change(tmp_path: Path) -> None:
    for name in "xyz":
        meta(tmp_path / f"{name}.mhd", ElementDataFile=f"{name}.raw")
    first = open_data(tmp_path, size=8)
    assert {each.reason for each in first.passed_over} == {"pixels of the header beside"}
    assert not first.skipped
    voxels = tmp_path / "x.raw"
    voxels.write_bytes(VOXELS[::-1].tobytes("F"))
    assert open_data(tmp_path, size=8).fingerprint != first.fingerprint


def test_a_packed_header_that_promises_much_is_refused_unread(tmp_path: Path) -> None:
    meta(tmp_path / "a.mha", DimSize="500 500 500", CompressedData=True)
    with pytest.raises(DataError, match="promises 250000000 bytes"):
        frames_of(tmp_path / "a.mha", Reading())
