"""Images of a reference point on disk: what went in comes out, joined by id, and damage is said in one line."""

import pytest
import torch

from vaescreen.errors import DataError, ResultError
from vaescreen.superres.outputs import OutputsWriter, load_outputs, outputs_path


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(3, 2, 1, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def file(tmp_path, images):
    writer = OutputsWriter()
    writer.add(("a", "b"), ("p", "p"), images[:2, 1], images[:2])
    writer.add(("c",), ("q",), images[2:, 1], images[2:])
    writer.write(outputs_path(tmp_path / "flux.1-schnell-seed0.json"))
    return tmp_path / "flux.1-schnell-seed0.outputs.npz"


def test_what_went_in_comes_out_to_16_bits(file, images):
    outputs = load_outputs(file)
    assert (outputs.ids, outputs.patients) == (("a", "b", "c"), ("p", "p", "q"))
    for found, given in (
        (outputs.samples, images),
        (outputs.images, images[:, 0]),
        (outputs.reconstructions, images[:, 1]),
    ):
        assert found.shape == given.shape
        assert found.dtype == torch.float32
        assert (found - given).abs().max() <= 0.5 / 65535 + 1e-7


def test_the_result_beside_them_leads_to_them(file):
    assert load_outputs(file.parent / "flux.1-schnell-seed0.json").ids == ("a", "b", "c")


def test_images_are_joined_by_id_and_a_missing_one_is_named(file):
    outputs = load_outputs(file)
    some = outputs.of(["c", "a"])
    assert (some.ids, some.patients) == (("c", "a"), ("q", "p"))
    for name in ("images", "reconstructions", "samples"):
        assert torch.equal(getattr(some, name), getattr(outputs, name)[[2, 0]])
    with pytest.raises(DataError, match="1 of 2 images have no output, d for one"):
        outputs.of(["a", "d"])


def test_absent_and_damaged_files(file, tmp_path):
    with pytest.raises(
        ResultError, match=r"there are no images .*; make them with `vaescreen reference evaluate"
    ):
        load_outputs(tmp_path / "other.outputs.npz")
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(ResultError, match="cannot be read"):
        load_outputs(file)
