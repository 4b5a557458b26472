"""NumPy arrays are images, volumes or collections by their shape and name; no pickle is ever loaded."""

import io
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from vaescreen.errors import DataError
from vaescreen.images import open_data
from vaescreen.images.files import frames_of, read_frame
from vaescreen.images.formats import npy
from vaescreen.registry.reading import Reading, Window

GRAY = np.random.default_rng(0).integers(0, 256, (12, 10), np.uint8)
STACK = np.random.default_rng(1).integers(0, 256, (6, 12, 10), np.uint8)
COLOUR = np.random.default_rng(2).integers(0, 256, (6, 12, 10, 3), np.uint8)
LUMA = np.array([0.299, 0.587, 0.114])


def save(path: Path, values: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, values)
    return path


def only(path: Path, reading: Reading = Reading()) -> np.ndarray:  # noqa: B008
    [frame] = frames_of(path, reading)
    return read_frame(path, frame.key, reading)


def stack(path: Path, reading: Reading = Reading()) -> np.ndarray:  # noqa: B008
    return np.stack([read_frame(path, frame.key, reading) for frame in frames_of(path, reading)])


def clipped(values: np.ndarray, low: float, high: float) -> np.ndarray:
    return ((values.astype(np.float64) - low) / (high - low)).clip(0, 1).astype(np.float32)


@pytest.mark.parametrize("values", [GRAY, GRAY[..., None], np.asfortranarray(GRAY)])
def test_8_bit_images_are_divided_by_255(tmp_path: Path, values: np.ndarray) -> None:
    gray = only(save(tmp_path / "a.npy", values))
    np.testing.assert_array_equal(gray, (GRAY / 255).astype(np.float32))


def test_16_bits_keep_all_their_levels(tmp_path: Path) -> None:
    ramp = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    gray = only(save(tmp_path / "a.npy", ramp))
    np.testing.assert_array_equal(gray, (ramp / 65535).astype(np.float32))
    assert len(np.unique(gray)) == 65536


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floating_point_within_0_to_1_stays_as_it_is(tmp_path: Path, dtype: type) -> None:
    values = (GRAY / 300 + 0.01).astype(dtype)
    np.testing.assert_array_equal(only(save(tmp_path / "a.npy", values)), values.astype(np.float32))


@pytest.mark.parametrize("values", [GRAY.astype(np.float32) * 9, GRAY.astype(np.int16) - 99])
def test_other_values_are_clipped_to_percentiles(tmp_path: Path, values: np.ndarray) -> None:
    expected = clipped(values, *np.percentile(values, [0.5, 99.5]))
    np.testing.assert_allclose(only(save(tmp_path / "a.npy", values)), expected, atol=1e-6)


def test_boolean_images_are_black_and_white(tmp_path: Path) -> None:
    np.testing.assert_array_equal(
        only(save(tmp_path / "a.npy", GRAY > 99), Reading(keep_labels=True)), GRAY > 99
    )


def test_windows(tmp_path: Path) -> None:
    path = save(tmp_path / "a.npy", STACK.astype(np.int16))
    everything = (0.0, 1.0)
    level = stack(path, Reading(slices=everything, window=Window.parse("75,125")))
    np.testing.assert_array_equal(level, clipped(STACK, 75, 125))
    full = stack(path, Reading(slices=everything, window=Window("full")))
    np.testing.assert_array_equal(full, clipped(STACK, -32768, 32767))
    percentile = stack(path, Reading(slices=everything, window=Window.parse("percentile 10,80")))
    np.testing.assert_allclose(percentile, clipped(STACK, *np.percentile(STACK, [10, 80])), atol=1e-6)


def test_full_window_refuses_floating_point_outside_0_to_1(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="floating-point values from 0 to 2"):
        only(save(tmp_path / "a.npy", np.linspace(0, 2, 120).reshape(12, 10)), Reading(window=Window("full")))


def test_colour_becomes_gray_by_luma(tmp_path: Path) -> None:
    path = save(tmp_path / "a.npy", COLOUR)
    np.testing.assert_allclose(stack(path), COLOUR @ LUMA / 255, atol=1e-6)
    np.testing.assert_allclose(only(save(tmp_path / "b.npy", COLOUR[0])), COLOUR[0] @ LUMA / 255, atol=1e-6)


@pytest.mark.parametrize(
    "values", [STACK[:, None], STACK[..., None], STACK[None], np.moveaxis(COLOUR, -1, 1)]
)
def test_channels_may_stand_first_or_last(tmp_path: Path, values: np.ndarray) -> None:
    expected = COLOUR @ LUMA if 3 in values.shape else STACK
    np.testing.assert_allclose(stack(save(tmp_path / "a.npy", values)), expected / 255, atol=1e-6)


@pytest.mark.parametrize("channel", [1, 4])
def test_volumes_of_a_split_may_have_a_lone_channel(tmp_path: Path, channel: int) -> None:
    volumes = np.stack([STACK, STACK[::-1]])
    path = save(tmp_path / "train.npy", np.expand_dims(volumes, channel))
    np.testing.assert_allclose(stack(path), volumes.reshape(-1, 12, 10) / 255, atol=1e-6)
    assert len({frame.patient for frame in frames_of(path, Reading())}) == 2


def test_the_picture_beside_its_labels_is_taken(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", data=STACK[None], seg=STACK[None] > 99, spacing=np.ones(3))
    np.testing.assert_allclose(stack(tmp_path / "a.npz"), STACK / 255, atol=1e-6)


def test_slices_of_a_volume_that_are_nearly_empty_are_left_out_unless_asked_for(tmp_path: Path) -> None:
    values = STACK.copy()
    values[[0, 5]] = 3
    path = save(tmp_path / "a.npy", values)
    assert [frame.key for frame in frames_of(path, Reading())] == ["1", "2", "3", "4"]
    halves = frames_of(path, Reading(slices=(0.5, 1)))
    assert [frame.key for frame in halves] == ["3", "4", "5"]


def test_three_planes_of_an_mrnet_case_are_one_patient_in_one_split(tmp_path: Path) -> None:
    for case in range(6):
        for plane in ("axial", "coronal", "sagittal"):
            save(tmp_path / plane / f"{case:04d}.npy", STACK)
    images = open_data(tmp_path, size=8)
    splits = {split: set(images.patients(split)) for split in ("train", "val", "test")}
    assert sorted(case for cases in splits.values() for case in cases) == [f"{n:04d}" for n in range(6)]
    for split, cases in splits.items():
        planes = [
            f"{plane}/{case}/{n}"
            for plane in ("axial", "coronal", "sagittal")
            for case in cases
            for n in range(6)
        ]
        assert set(images.ids(split)) == set(planes)


def medmnist(path: Path, colour: bool = False) -> dict[str, np.ndarray]:
    shape = (28, 28, 3) if colour else (28, 28)
    counts = {"train": 9, "val": 3, "test": 4}
    arrays = {
        f"{split}_images": np.random.default_rng(n).integers(0, 256, (counts[split], *shape), np.uint8)
        for n, split in enumerate(counts)
    }
    labels = {f"{split}_labels": np.zeros((counts[split], 14), np.uint8) for split in counts}
    np.savez_compressed(path, **arrays, **labels)
    return arrays


@pytest.mark.parametrize("colour", [False, True])
def test_the_splits_of_medmnist_are_kept_and_every_image_is_a_patient(tmp_path: Path, colour: bool) -> None:
    arrays = medmnist(tmp_path / "pneumoniamnist.npz", colour)
    images = open_data(tmp_path, size=None)
    assert images.description["split_rule"] == "as the files say"
    assert images.description["patient_rule"] == "every image is its own patient"
    for split in ("train", "val", "test"):
        stored = arrays[f"{split}_images"]
        expected = stored @ LUMA / 255 if colour else stored / 255
        [batch] = images.batches(split, 100)
        assert batch.ids == tuple(f"pneumoniamnist/{split}_images/{n}" for n in range(len(stored)))
        np.testing.assert_allclose(batch.images[:, 0], expected, atol=1e-6)
    assert not images.skipped


def test_one_file_is_a_data_set_if_it_holds_many_images(tmp_path: Path) -> None:
    medmnist(tmp_path / "pneumoniamnist.npz")
    save(tmp_path / "other.npy", GRAY)
    alone = open_data(tmp_path / "pneumoniamnist.npz", size=24)
    (tmp_path / "other.npy").unlink()
    assert alone.fingerprint == open_data(tmp_path, size=24).fingerprint
    assert (alone.name, alone.description["source"]) == ("pneumoniamnist", "file")


def test_an_unpacked_archive_keeps_its_splits(tmp_path: Path) -> None:
    arrays = medmnist(tmp_path / "a.npz")
    for name, values in {**arrays, "train_labels": np.zeros((9, 14))}.items():
        save(tmp_path / "unpacked" / f"{name}.npy", values)
    images = open_data(tmp_path / "unpacked", size=None)
    counts = {split: len(images.ids(split)) for split in ("train", "val", "test")}
    assert counts == {"train": 9, "val": 3, "test": 4}
    assert [entry.path for entry in images.left_out] == ["train_labels.npy"]


def test_large_arrays_of_an_archive_are_mapped_from_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    monkeypatch.setattr(npy, "MAX_IN_MEMORY", 1000)
    arrays = medmnist(tmp_path / "a.npz")
    read = [read_frame(tmp_path / "a.npz", f"test_images/{n}", Reading()) for n in range(4)]
    np.testing.assert_array_equal(read, (arrays["test_images"] / 255).astype(np.float32))
    [unpacked] = (cache / "unpacked").iterdir()
    np.testing.assert_array_equal(np.load(unpacked), arrays["test_images"])


def test_a_lone_array_of_an_archive_is_read_like_a_file(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", image=GRAY, spacing=np.ones(3))
    np.testing.assert_array_equal(only(tmp_path / "a.npz"), (GRAY / 255).astype(np.float32))


class Bomb:
    """Leaves a trace if it is ever unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (exec, ("raise SystemExit('a pickle was loaded')",))


def objects(path: Path) -> None:
    np.save(path, np.array([[Bomb()]], dtype=object), allow_pickle=True)


def pickled(path: Path) -> None:
    path.write_bytes(pickle.dumps(Bomb()))


def promising(path: Path, shape: str, body: bytes = bytes(100)) -> None:
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}}}".ljust(117) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + body)


def cut(path: Path, values: np.ndarray) -> None:
    path.write_bytes(save(path, values).read_bytes()[:-1])


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "objects": (objects, "Python objects, which are not read"),
    "a pickle": (pickled, "cannot be decoded"),
    "records": (lambda p: save(p, np.zeros((9, 9), "u1,f4")), "values are of type"),
    "complex": (lambda p: save(p, np.zeros((9, 9), np.complex64)), "values are of type complex64"),
    "text": (lambda p: save(p, np.full((9, 9), "a")), "values are of type"),
    "header bomb": (lambda p: promising(p, "(1000000, 1000000)"), "promises 1000000000000 bytes"),
    "nested header": (lambda p: promising(p, "(" * 60), "cannot be decoded"),
    "negative": (lambda p: promising(p, "(-10, -10)"), "dimensions -10 x -10"),
    "truncated": (lambda p: cut(p, GRAY), "ends early"),
    "no values": (lambda p: save(p, np.zeros((0, 9, 9))), "holds nothing"),
    "one dimension": (lambda p: save(p, np.zeros(99)), "dimensions 99;"),
    "five dimensions": (lambda p: save(p, np.zeros((1, 2, 9, 9, 9))), "dimensions 1 x 2 x 9 x 9 x 9;"),
    "four channels": (lambda p: save(p, np.zeros((2, 9, 9, 4))), "dimensions 2 x 9 x 9 x 4;"),
    "tiny": (lambda p: save(p, GRAY[:4, :4]), "4x4 pixels"),
    "constant": (lambda p: save(p, np.full((9, 9), 7, np.uint8)), "all pixels have the same value"),
    "not finite": (lambda p: save(p, np.full(GRAY.shape, np.nan)), "no value that is finite"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_files_give_a_reason_in_one_line(tmp_path: Path, case: str) -> None:
    make, reason = BAD[case]
    make(tmp_path / "a.npy")
    with pytest.raises(DataError, match=reason) as caught:
        stack(tmp_path / "a.npy")
    assert "\n" not in str(caught.value)


def test_bad_archives_give_a_reason(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"

    def reason() -> str:
        with pytest.raises(DataError) as caught:
            stack(path)
        return str(caught.value)

    path.write_bytes(b"no archive")
    assert "not a zip file" in reason()
    np.savez(path, first=GRAY, second=GRAY)
    assert reason().startswith("holds 'first', 'second'; give one array, or train_images")
    np.savez(path, train_images=np.array([Bomb()], dtype=object))
    assert reason().startswith("train_images: holds Python objects")
    np.savez_compressed(path, train_images=STACK)
    whole = path.read_bytes()
    path.write_bytes(whole[:200] + bytes(50) + whole[250:])
    assert "cannot be decoded" in reason()


def test_an_archive_that_promises_more_than_it_can_hold_is_refused_unread(tmp_path: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "|u1", "fortran_order": False, "shape": (10**6, 100, 100)}
    )
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("train_images.npy", header.getvalue() + bytes(10**6))
    with pytest.raises(DataError, match="train_images: ends early: its header promises 10000000000 bytes"):
        frames_of(tmp_path / "a.npz", Reading())
