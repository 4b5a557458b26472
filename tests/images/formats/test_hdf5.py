"""fastMRI files give their reconstruction, or that of their k-space; nothing outside the file is ever read."""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from vaescreen.errors import DataError
from vaescreen.images import open_data
from vaescreen.images.files import frames_of, read_frame
from vaescreen.registry.reading import Reading, Window

EVERYTHING = Reading(slices=(0, 1), window=Window.parse("percentile 0,100"))
HEADER = (
    '<?xml version="1.0"?><ismrmrdHeader xmlns="http://www.ismrm.org/ISMRMRD"><encoding>'
    "<encodedSpace><matrixSize><x>40</x><y>20</y><z>1</z></matrixSize></encodedSpace>"
    "<reconSpace><matrixSize><x>{x}</x><y>{y}</y><z>1</z></matrixSize></reconSpace>"
    "</encoding></ismrmrdHeader>"
)


def volume(seed: int = 0, shape: tuple[int, ...] = (5, 12, 10)) -> np.ndarray:
    return (np.random.default_rng(seed).gamma(2, 1e-4, shape)).astype(np.float32)


def k_space(*shape: int) -> np.ndarray:
    real, imaginary = np.random.default_rng(1).standard_normal((2, *shape))
    return (real + 1j * imaginary).astype(np.complex64)


def write(path: Path, attributes: dict[str, str] | None = None, **datasets: object) -> Path:
    with h5py.File(path, "w") as file:
        for name, values in datasets.items():
            file[name] = values
        file.attrs.update(attributes or {})
    return path


def stack(path: Path, reading: Reading = EVERYTHING) -> np.ndarray:
    return np.stack([read_frame(path, frame.key, reading) for frame in frames_of(path, reading)])


def stretched(values: np.ndarray) -> np.ndarray:
    return ((values - values.min()) / (values.max() - values.min())).astype(np.float32)


def centred_images(kspace: np.ndarray) -> np.ndarray:
    """Inverse Fourier transform by its definition: frequency and place 0 are at index n // 2."""
    height, width = kspace.shape[-2:]

    def basis(count: int) -> np.ndarray:
        centred = np.arange(count) - count // 2
        return np.exp(2j * np.pi * np.outer(centred, centred) / count) / np.sqrt(count)

    return basis(height) @ kspace.astype(np.complex128) @ basis(width).T


@pytest.mark.parametrize("name", ["reconstruction_rss", "reconstruction_esc", "reconstruction_other"])
def test_a_reconstruction_is_read_as_h5py_reads_it(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / "a.h5", kspace=k_space(5, 30, 20), **{name: volume()})
    with h5py.File(path) as file:
        expected = stretched(file[name][()].astype(np.float64))
    np.testing.assert_allclose(stack(path), expected, atol=1e-6)


@pytest.mark.parametrize("axis", [0, 1, 3])
@pytest.mark.parametrize("name", ["image", "scans", "reconstruction_rss"])
def test_a_lone_channel_changes_nothing(tmp_path: Path, axis: int, name: str) -> None:
    masks = np.ones((5, 12, 10), np.uint8)
    path = write(tmp_path / "a.h5", masks=masks, **{name: np.expand_dims(volume(), axis)})
    np.testing.assert_allclose(stack(path), stretched(volume()), atol=1e-6)


def test_root_sum_of_squares_is_preferred(tmp_path: Path) -> None:
    path = write(tmp_path / "a.hdf5", reconstruction_esc=volume(1), reconstruction_rss=volume(0))
    np.testing.assert_allclose(stack(path), stretched(volume(0)), atol=1e-6)


def test_percentiles_are_of_the_volume_unless_the_window_says_otherwise(tmp_path: Path) -> None:
    path = write(tmp_path / "a.h5", reconstruction_rss=volume())
    low, high = np.percentile(volume(), [0.5, 99.5])
    expected = ((volume().astype(float) - low) / (high - low)).clip(0, 1)
    np.testing.assert_allclose(stack(path, Reading(slices=(0, 1))), expected, atol=1e-5)
    full = Reading(slices=(0, 1), window=Window("full"))
    np.testing.assert_array_equal(stack(path, full), volume())
    level = Reading(slices=(0, 1), window=Window("level", (0.0, 4e-4)))
    np.testing.assert_allclose(stack(path, level), (volume() / 4e-4).clip(0, 1), atol=1e-6)


@pytest.mark.parametrize("shape", [(3, 40, 20), (3, 41, 21)])
def test_single_coil_k_space_is_transformed_centrally(tmp_path: Path, shape: tuple[int, ...]) -> None:
    path = write(tmp_path / "a.h5", kspace=k_space(*shape))
    expected = np.abs(centred_images(k_space(*shape)))
    np.testing.assert_allclose(stack(path), stretched(expected), atol=1e-5)


def test_coils_are_combined_by_root_sum_of_squares_and_cropped_to_the_stated_size(tmp_path: Path) -> None:
    kspace = k_space(3, 4, 40, 20)
    path = write(tmp_path / "a.h5", kspace=kspace, ismrmrd_header=HEADER.format(x=16, y=12))
    combined = np.sqrt((np.abs(centred_images(kspace)) ** 2).sum(axis=1))
    np.testing.assert_allclose(stack(path), stretched(combined[:, 12:28, 4:16]), atol=1e-5)


def test_k_space_narrower_than_stated_gives_a_square(tmp_path: Path) -> None:
    path = write(tmp_path / "a.h5", kspace=k_space(2, 40, 20), ismrmrd_header=HEADER.format(x=32, y=32))
    expected = np.abs(centred_images(k_space(2, 40, 20)))[:, 10:30]
    np.testing.assert_allclose(stack(path), stretched(expected), atol=1e-5)


def test_patients_keep_together_and_slices_never_straddle_splits(tmp_path: Path) -> None:
    folder = tmp_path / "knees"
    folder.mkdir()
    for number in range(6):
        attributes = {"patient_id": f"p{number // 2}"}
        write(folder / f"file{number}.h5", attributes, reconstruction_rss=volume(number))
    images = open_data(folder, size=16)
    assert images.description["patient_rule"] == "as the files say"
    patients = [set(images.patients(split)) for split in ("train", "val", "test")]
    assert sorted(patient for group in patients for patient in group) == ["p0", "p1", "p2"]
    assert all(len(images.ids(split)) == 10 for split in ("train", "val", "test"))


def virtual(path: Path) -> None:
    other = write(path.with_name("other.h5"), reconstruction_rss=volume())
    layout = h5py.VirtualLayout((5, 12, 10), np.float32)
    layout[:] = h5py.VirtualSource(other, "reconstruction_rss", (5, 12, 10))
    with h5py.File(path, "w") as file:
        file.create_virtual_dataset("reconstruction_rss", layout)


def external_link(path: Path) -> None:
    other = write(path.with_name("other.h5"), reconstruction_rss=volume())
    with h5py.File(path, "w") as file:
        file["reconstruction_rss"] = h5py.ExternalLink(other.name, "reconstruction_rss")


def external_values(path: Path) -> None:
    path.with_name("values").write_bytes(volume().tobytes())
    with h5py.File(path, "w") as file:
        segments = [(str(path.with_name("values")), 0, volume().nbytes)]
        file.create_dataset("reconstruction_rss", (5, 12, 10), np.float32, external=segments)


def sparse(shape: tuple[int, ...], chunks: tuple[int, ...]) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        with h5py.File(path, "w") as file:
            file.create_dataset("reconstruction_rss", shape, np.float32, chunks=chunks, maxshape=(None,) * 3)

    return make


def truncated(path: Path) -> None:
    write(path, reconstruction_rss=volume())
    path.write_bytes(path.read_bytes()[:1500])


def entity_bomb(path: Path) -> None:
    text = '<!DOCTYPE x [<!ENTITY a "aaaa">]>' + HEADER.format(x=8, y=8)[21:]
    write(path, kspace=k_space(2, 40, 20), ismrmrd_header=text)


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "virtual": (virtual, "reconstruction_rss lies in another file"),
    "external link": (
        external_link,
        "nor a single stack of images, only 'reconstruction_rss'",
    ),
    "external values": (external_values, "reconstruction_rss lies in another file"),
    "no key": (
        lambda p: write(p, images=volume(), more=volume(), labels=[1, 2]),
        "only 'images', 'labels', 'more'",
    ),
    "nothing": (write, "only nothing"),
    "many keys": (lambda p: write(p, **{f"k{n}": 1 for n in range(14)}), "and 4 more"),
    "objects": (lambda p: write(p, reconstruction_rss=["a", "b"]), "of type object, not numbers"),
    "a group": (lambda p: write(p, **{"reconstruction_rss/x": 1}), "is not an array"),
    "two dimensions": (lambda p: write(p, reconstruction_rss=volume()[0]), "12 x 10, not slices x height"),
    "real k-space": (lambda p: write(p, kspace=volume()), "kspace is of type float32, not complex"),
    "undersampled": (
        lambda p: write(p, kspace=k_space(2, 40, 20), mask=np.ones(20)),
        "k-space is undersampled",
    ),
    "bomb": (sparse((1000, 10000, 8000), (1, 64, 64)), "1000 x 10000 x 8000 values .* too much memory"),
    "chunk bomb": (sparse((10, 2000, 2000), (200, 2000, 2000)), "chunks of 200 x 2000 x 2000, too large"),
    "constant": (lambda p: write(p, reconstruction_rss=np.ones((5, 12, 10))), "all pixels have the same"),
    "header without size": (
        lambda p: write(p, kspace=k_space(2, 40, 20), ismrmrd_header="<a/>"),
        "does not say how large",
    ),
    "header that is no XML": (
        lambda p: write(p, kspace=k_space(2, 40, 20), ismrmrd_header="<a"),
        "does not say how large",
    ),
    "entity bomb": (entity_bomb, "not a text that can be read safely"),
    "truncated": (truncated, "cannot be decoded"),
    "text": (lambda p: p.write_text("no volume"), "cannot be decoded"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_files_give_a_reason_in_one_line(tmp_path: Path, case: str) -> None:
    make, reason = BAD[case]
    make(tmp_path / "a.h5")
    with pytest.raises(DataError, match=reason) as caught:
        stack(tmp_path / "a.h5")
    assert "\n" not in str(caught.value)


def test_values_that_are_not_finite_are_no_data(tmp_path: Path) -> None:
    values = volume()
    values[2, 3, 4] = np.nan
    path = write(tmp_path / "a.h5", reconstruction_rss=values)
    gray = read_frame(path, "2", Reading())
    assert np.argwhere(np.isnan(gray)).tolist() == [[3, 4]]
    low, high = np.nanpercentile(values, [0.5, 99.5])
    expected = ((values[2].astype(float) - low) / (high - low)).clip(0, 1)
    np.testing.assert_allclose(gray, expected, atol=1e-5)
    assert np.isfinite(read_frame(path, "1", Reading())).all()


def test_the_only_stack_of_a_file_is_read_whatever_it_is_called(tmp_path: Path) -> None:
    stack = np.random.default_rng(5).integers(0, 4000, (3, 24, 24)).astype(np.int16)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["volumes"], file["labels"], file["embedding"] = stack, np.arange(3), np.ones((3, 512))
    low, high = np.percentile(stack, [0.5, 99.5])
    for number, expected in enumerate(stack):
        gray = read_frame(tmp_path / "a.h5", str(number), Reading())
        np.testing.assert_allclose(gray, ((expected - low) / (high - low)).clip(0, 1), atol=1e-6)
    with h5py.File(tmp_path / "a.h5", "a") as file:
        file["others"] = stack
    with pytest.raises(DataError, match="nor a single stack of images, only 'embedding', 'labels'"):
        read_frame(tmp_path / "a.h5", "0", Reading())
