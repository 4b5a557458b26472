from dataclasses import replace

import pytest
import torch

from vaescreen.errors import DataError
from vaescreen.ranking.comparison.measurement import measure
from vaescreen.ranking.comparison.sources import SavedOutputs
from vaescreen.superres.outputs import Outputs


@pytest.fixture
def outputs(make_data):
    """Outputs that are 0.1 too bright, by an autoencoder that darkens by 0.05, in another order than the data."""
    data = make_data()
    batches = list(data.batches("test", 100))
    images = batches[0].images.flip(0)
    made = (images + 0.1)[:, None]
    return Outputs(batches[0].ids[::-1], batches[0].patients[::-1], made[:, 0], images - 0.05, made)


def test_outputs_are_paired_by_image_id_whatever_their_order(outputs, make_data):
    table = measure([SavedOutputs("sr", outputs, make_data())], make_data()).tables["sr"]
    assert table["psnr"].tolist() == pytest.approx([20.0] * 18, abs=1e-4)


def test_hallucination_of_outputs_is_measured_by_the_reconstructions_that_were_saved(outputs, make_data):
    table = measure([SavedOutputs("sr", outputs, make_data())], make_data()).tables["sr"]
    # The autoencoder errs by 0.05 everywhere, the output by +0.1: every pixel is above, none below.
    assert (table["hallucinated_own"] == 1).all()
    assert (table["lost_own"] == 0).all()
    assert table["hallucinated_by_own"].tolist() == pytest.approx([0.1] * 18, abs=1e-6)


def test_an_image_without_output_is_named(outputs, make_data):
    fewer = replace(outputs, ids=("other", *outputs.ids[1:]))
    with pytest.raises(DataError, match=rf"1 of 18 images have no output, {outputs.ids[0]} for one"):
        SavedOutputs("sr", fewer, make_data())


def test_an_output_without_image_is_named(outputs, make_data):
    more = replace(outputs, ids=("other", *outputs.ids))
    with pytest.raises(DataError, match="1 outputs have no image, other for one"):
        SavedOutputs("sr", more, make_data())


def test_an_output_that_is_there_twice_is_named(outputs, make_data):
    twice = replace(outputs, ids=(outputs.ids[1], *outputs.ids[1:]))
    with pytest.raises(DataError, match=f"{outputs.ids[1]} is among the outputs twice"):
        SavedOutputs("sr", twice, make_data())


def test_outputs_of_another_patient_are_refused(outputs, make_data):
    other = replace(outputs, patients=("stranger", *outputs.patients[1:]))
    with pytest.raises(DataError, match="of patient stranger in the outputs"):
        SavedOutputs("sr", other, make_data())


def test_outputs_of_another_size_are_refused(outputs, make_data):
    small = replace(outputs, images=outputs.images[..., :32, :32])
    with pytest.raises(DataError, match=r"outputs are \(32, 32\) and images \(48, 48\)"):
        measure([SavedOutputs("sr", small, make_data())], make_data())


def test_outputs_stay_what_they_are_in_the_dtype_of_the_images(outputs, make_data):
    batch = next(make_data().batches("test", 4))
    made = SavedOutputs("sr", replace(outputs, images=outputs.images.double()), make_data()).make(batch)
    assert made.images.dtype == torch.float32
