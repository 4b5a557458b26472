"""Volumes are cut as nibabel orients them, show what lies where in the patient, and are scaled once."""

import gzip
import itertools
import math
import struct
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from vaescreen.errors import DataError
from vaescreen.images import open_data
from vaescreen.images.files import frames_of, read_frame
from vaescreen.images.formats.nifti import FORMAT
from vaescreen.registry.reading import Reading, Window

ALL = (0.0, 1.0)
SHAPE = (12, 10, 9)
ORIENTATIONS = [
    "".join(codes)
    for order in itertools.permutations(["LR", "PA", "IS"])
    for codes in itertools.product(*order)
]


def noise(shape: tuple[int, ...] = SHAPE, dtype: type = np.int16) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 4096, shape).astype(dtype)


def save(path: Path, values: np.ndarray, affine: np.ndarray | None = None, **header: float) -> Path:
    image = nib.Nifti1Image(values, np.eye(4) if affine is None else affine)
    if header:
        image.header.set_slope_inter(header["slope"], header["intercept"])
    nib.save(image, path)
    return path


def read_all(path: Path, reading: Reading) -> dict[str, np.ndarray]:
    return {frame.key: read_frame(path, frame.key, reading) for frame in frames_of(path, reading)}


def clipped(values: np.ndarray, low: float, high: float) -> np.ndarray:
    return ((values - low) / (high - low)).clip(0, 1).astype(np.float32)


def turned(codes: str, degrees: float = 0.0) -> np.ndarray:
    """Affine of an array whose axes run towards `codes`, the patient tilted about two axes."""
    affine = np.zeros((4, 4))
    affine[3, 3] = 1
    for axis, code in enumerate(codes):
        direction = next(n for n, pair in enumerate(["LR", "PA", "IS"]) if code in pair)
        affine[direction, axis] = 1 if code in "RAS" else -1
    angle = math.radians(degrees)
    tilt = [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
    about_x, about_z = np.eye(4), np.eye(4)
    about_x[1:3, 1:3], about_z[:2, :2] = tilt, tilt
    return about_x @ about_z @ affine


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_slices_are_those_of_nibabel(tmp_path: Path, name: str) -> None:
    path = save(tmp_path / name, noise(), slope=0.5, intercept=-100)
    measured = nib.as_closest_canonical(nib.load(path)).get_fdata()
    low, high = np.percentile(measured, [0.5, 99.5])
    found = read_all(path, Reading(axis="axial", slices=ALL))
    assert list(found) == [f"axial-{number}" for number in range(9)]
    for number, gray in enumerate(found.values()):
        expected = clipped(np.flipud(np.fliplr(measured[:, :, number].T)), low, high)
        np.testing.assert_allclose(gray, expected, atol=1e-6)


@pytest.mark.parametrize("codes", ORIENTATIONS)
def test_a_marked_voxel_appears_where_it_lies_in_the_patient(tmp_path: Path, codes: str) -> None:
    """The mark is 3 from the patient's left, 2 from the back, 1 from the bottom, however the array is stored."""
    upright = np.full(SHAPE, 100, np.int16)
    upright[3, 2, 1] = 1000
    back = nib.orientations.ornt_transform(
        nib.orientations.axcodes2ornt("RAS"), nib.orientations.axcodes2ornt(codes)
    )
    stored = nib.orientations.apply_orientation(upright, back)
    path = save(tmp_path / "a.nii", stored, turned(codes, degrees=20))
    window = Window("level", (0, 1000))
    places = {
        "axial": (1, (10 - 1 - 2, 12 - 1 - 3)),
        "coronal": (2, (9 - 1 - 1, 12 - 1 - 3)),
        "sagittal": (3, (9 - 1 - 1, 10 - 1 - 2)),
    }
    for axis, (number, pixel) in places.items():
        found = read_frame(path, f"{axis}-{number}", Reading(axis=axis, window=window))
        assert np.argwhere(found == 1).tolist() == [list(pixel)]


def test_automatic_axis_is_that_of_the_widest_spacing_and_axial_if_there_is_none(tmp_path: Path) -> None:
    def axis_of(spacing: tuple[float, float, float], codes: str = "RAS") -> str:
        values = noise()
        affine = turned(codes) @ np.diag([*spacing, 1])
        path = save(tmp_path / "a.nii", values, affine)
        return frames_of(path, Reading(slices=ALL))[0].key.split("-")[0]

    assert axis_of((1, 1, 5)) == "axial"
    assert axis_of((1, 5, 1)) == "coronal"
    assert axis_of((5, 1, 1)) == "sagittal"
    assert axis_of((5, 1, 1), "AIL") == "coronal"
    assert axis_of((1, 1, 1)) == axis_of((1, 1, 0.5)) == axis_of((1, 1.005, 1)) == "axial"


def test_a_single_slice_is_an_image(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii", noise((12, 1, 10)))
    assert [frame.key for frame in frames_of(path, Reading())] == ["coronal-0"]


def test_slope_and_intercept_are_applied_once_before_a_window_in_their_unit(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii", noise(), slope=2, intercept=-1024)
    hounsfield = nib.as_closest_canonical(nib.load(path)).get_fdata()
    window = Window.parse("-160,240")
    gray = read_frame(path, "axial-4", Reading(axis="axial", window=window))
    np.testing.assert_array_equal(gray, clipped(hounsfield[::-1, ::-1, 4].T, -160, 240))


def test_12_bits_keep_4096_levels(tmp_path: Path) -> None:
    ramp = np.arange(4096, dtype=np.uint16).reshape(64, 64, 1).repeat(3, axis=2)
    path = save(tmp_path / "a.nii.gz", ramp)
    gray = read_frame(path, "axial-1", Reading(window=Window.parse("percentile 0,100")))
    assert len(np.unique(gray)) == 4096


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64])
@pytest.mark.parametrize("slope", [3.0, -3.0])
def test_percentiles_are_those_of_the_measured_volume(tmp_path: Path, dtype: type, slope: float) -> None:
    values = (noise(SHAPE, np.int64) % 251).astype(dtype)
    path = save(tmp_path / "a.nii", values, slope=slope, intercept=7)
    measured = nib.as_closest_canonical(nib.load(path)).get_fdata()
    low, high = np.percentile(measured, [2, 90])
    reading = Reading(axis="coronal", window=Window.parse("percentile 2,90"))
    gray = read_frame(path, "coronal-3", reading)
    np.testing.assert_allclose(gray, clipped(measured[::-1, 3, ::-1].T, low, high), atol=1e-6)


def test_full_window_is_the_full_scale_of_the_stored_type(tmp_path: Path) -> None:
    values = noise(SHAPE, np.uint16)
    path = save(tmp_path / "a.nii", values)
    gray = read_frame(path, "axial-0", Reading(window=Window("full")))
    np.testing.assert_array_equal(gray, clipped(values[::-1, ::-1, 0].T, 0, 65535))


def test_every_volume_of_a_4d_file_has_its_own_percentiles(tmp_path: Path) -> None:
    values = np.stack([noise(), noise() * 7], axis=-1)
    path = save(tmp_path / "a.nii.gz", values)
    found = read_all(path, Reading(axis="axial", slices=(0.5, 0.75)))
    assert list(found) == ["t0-axial-4", "t0-axial-5", "t0-axial-6", "t1-axial-4", "t1-axial-5", "t1-axial-6"]
    np.testing.assert_allclose(found["t0-axial-5"], found["t1-axial-5"], atol=1e-6)


def test_automatic_slices_leave_out_those_with_a_tenth_of_the_fullest_foreground(tmp_path: Path) -> None:
    values = np.zeros((10, 20, 6), np.int16)
    for number, pixels in enumerate([0, 9, 10, 100, 50, 0]):
        values[..., number].reshape(-1)[:] = np.where(np.arange(200) < pixels, 1000, 50)
    path = save(tmp_path / "a.nii", values)
    assert [frame.key for frame in frames_of(path, Reading(keep_labels=True))] == [
        "axial-2",
        "axial-3",
        "axial-4",
    ]


def test_values_that_are_not_finite_are_no_data_and_do_not_spoil_the_others(tmp_path: Path) -> None:
    values = noise(SHAPE, np.float32)
    values[2, 3, 4], values[2, 3, 5] = np.nan, np.inf
    path = save(tmp_path / "a.nii", values)
    for number in (4, 5):
        assert np.isnan(read_frame(path, f"axial-{number}", Reading())).sum() == 1
    low, high = np.percentile(values[np.isfinite(values)], [0.5, 99.5])
    expected = clipped(values[::-1, ::-1, 3].T, low, high)
    np.testing.assert_allclose(read_frame(path, "axial-3", Reading()), expected, atol=1e-6)
    assert len(frames_of(path, Reading())) == 9


def test_long_headers_and_other_byte_orders_are_read(tmp_path: Path) -> None:
    expected = read_frame(save(tmp_path / "a.nii", noise()), "axial-2", Reading())
    nib.save(nib.Nifti2Image(noise(), np.eye(4)), tmp_path / "long.nii.gz")
    header = nib.Nifti1Header(endianness=">")
    header.set_data_dtype(">i2")
    nib.save(nib.Nifti1Image(noise(), np.eye(4), header), tmp_path / "big.nii")
    assert (tmp_path / "big.nii").read_bytes()[:4] == struct.pack(">i", 348)
    for name in ("long.nii.gz", "big.nii"):
        np.testing.assert_array_equal(read_frame(tmp_path / name, "axial-2", Reading()), expected)


def test_a_file_that_changes_is_read_again(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii", noise())
    before = read_frame(path, "axial-2", Reading())
    save(path, noise()[::-1].copy())
    np.testing.assert_array_equal(read_frame(path, "axial-2", Reading()), before[:, ::-1])


def patched(path: Path, *edits: tuple[int, str, float]) -> Path:
    """A NIfTI file whose header is changed byte by byte: offset, struct code, value."""
    block = bytearray(save(path, noise()).read_bytes())
    for offset, code, value in edits:
        struct.pack_into(f"<{code}", block, offset, value)
    path.write_bytes(block)
    return path


def cut(path: Path, size: int) -> Path:
    path.write_bytes(path.read_bytes()[:size])
    return path


SFORM_CODE, SROW_X, SROW_Y, DIM, DATATYPE, VOX_OFFSET, MAGIC = 254, 280, 296, 40, 70, 108, 344
BAD = {
    "affine of NaN": (lambda p: patched(p, (SROW_X, "f", math.nan)), "affine is broken: it is not finite"),
    "affine of zero": (lambda p: patched(p, (SROW_X, "f", 0)), "affine is broken: .* an axis has no length"),
    "affine of two equal axes": (
        lambda p: patched(p, (SROW_X, "f", 0), (SROW_Y, "f", 1)),
        "affine is broken: two axes have the same direction",
    ),
    "header bomb": (
        lambda p: patched(p, *((DIM + 2 * n, "h", 30000) for n in (1, 2, 3))),
        "30000 x 30000 x 30000 x 1 values of type int16 take too much memory",
    ),
    "negative size": (lambda p: patched(p, (DIM + 2, "h", -5)), "dimensions -5 x"),
    "five dimensions": (lambda p: save(p, noise((9, 9, 9, 2, 2))), "9 x 9 x 9 x 2 x 2; 3-D and 4-D"),
    "unknown type": (lambda p: patched(p, (DATATYPE, "h", 1234)), "unknown type 1234"),
    "complex": (lambda p: save(p, noise().astype(np.complex64)), "voxels are of type complex64"),
    "voxels in the header": (lambda p: patched(p, (VOX_OFFSET, "f", 4)), "begin at byte 4"),
    "offset of NaN": (lambda p: patched(p, (VOX_OFFSET, "f", math.nan)), "cannot be decoded"),
    "offset beyond the end": (lambda p: patched(p, (VOX_OFFSET, "f", 1e9)), "ends early"),
    "magic": (lambda p: patched(p, (MAGIC, "B", 0)), "not a NIfTI file"),
    "constant": (lambda p: save(p, np.full(SHAPE, 5, np.int16)), "all pixels have the same value"),
    "all NaN": (lambda p: save(p, np.full(SHAPE, np.nan, np.float32)), "no value that is finite"),
    "tiny": (lambda p: save(p, noise((4, 4, 4))), "4x4 pixels"),
    "half a header": (lambda p: cut(save(p, noise()), 200), "ends within its header"),
    "truncated": (lambda p: cut(save(p, noise()), 1000), "ends early"),
    "text": (lambda p: (p.write_text("not a volume\n" * 50), p)[1], "not a"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_files_give_a_reason_in_one_line(tmp_path: Path, case: str) -> None:
    make, reason = BAD[case]
    with pytest.raises(DataError, match=reason) as caught:
        read_all(make(tmp_path / "a.nii"), Reading())
    assert "\n" not in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


def test_damaged_gzip_files_give_a_reason(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii.gz", noise())
    whole = path.read_bytes()
    for size in (len(whole) // 2, 30):
        with pytest.raises(DataError, match=r"cannot be decoded \(Compressed file ended"):
            read_all(cut(path, size), Reading())
    path.write_bytes(whole[:-8] + b"\0\0\0\0" + whole[-4:])
    with pytest.raises(DataError, match="CRC"):
        read_all(path, Reading())


def test_a_damaged_volume_is_one_skipped_file_even_if_slices_are_chosen(tmp_path: Path) -> None:
    for name in ("x", "y", "z", "w"):
        path = save(tmp_path / f"{name}.nii.gz", noise())
    cut(path, 500)
    images = open_data(tmp_path, size=8, reading=Reading(slices=ALL))
    assert [entry.path for entry in images.skipped] == ["w.nii.gz"]


def test_a_small_gzip_file_that_promises_much_is_refused_unread(tmp_path: Path) -> None:
    path = patched(tmp_path / "a.nii", *((DIM + 2 * n, "h", 900) for n in (1, 2, 3)), (DATATYPE, "h", 2))
    packed = tmp_path / "a.nii.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    with pytest.raises(DataError, match="promises 729000000 bytes"):
        read_all(packed, Reading())


def test_slices_of_a_volume_never_straddle_splits(tmp_path: Path) -> None:
    for name in ("x", "y", "z", "w"):
        save(tmp_path / f"{name}.nii.gz", noise((16, 16, 10)))
    images = open_data(tmp_path, size=16)
    volumes = {split: {id_.split("/")[0] for id_ in images.ids(split)} for split in ("train", "val", "test")}
    assert sum(map(len, volumes.values())) == len(set().union(*volumes.values())) == 4
    assert images.description["counts"]["train"] == {"images": 20, "patients": 2}
    assert images.description["gray"]["NIfTI"] == FORMAT.description
