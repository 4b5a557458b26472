"""Train images: a fixed choice, no more decoding than it takes, and what probes make of them."""

from dataclasses import replace

import pytest
import torch
from small import write_pictures

from vaescreen.errors import DataError
from vaescreen.images import open_data
from vaescreen.images.degradation import Degradation
from vaescreen.screening.conditioning import Conditioning
from vaescreen.screening.guarded import GuardedAutoencoder
from vaescreen.screening.train_sample import central, encode_train, sample_ids
from vaescreen.screening.view import View


def test_only_the_chosen_images_are_decoded(tmp_path):
    write_pictures(tmp_path / "pictures", count=20)
    data = open_data(tmp_path / "pictures", size=32)
    chosen = sample_ids(data, "train", 5, seed=0)
    for name in set(data.ids("train")) - set(chosen):
        (tmp_path / "pictures" / f"{name}.png").unlink()
    delivered = [name for batch in data.batches("train", 2, only=chosen) for name in batch.ids]
    assert delivered == chosen
    with pytest.raises(DataError, match="changed while it was in use"):
        list(data.batches("train", 2))


def test_the_choice_is_of_whole_patients_and_does_not_depend_on_order(dataset):
    forwards, backwards = dataset(), dataset(reverse=True)
    assert sample_ids(forwards, "train", 4, 0) == sample_ids(backwards, "train", 4, 0)
    patients = dict(zip(forwards.ids("train"), forwards.patients("train"), strict=True))
    assert len({patients[name] for name in sample_ids(forwards, "train", 4, 0)}) == 2
    assert {tuple(sample_ids(forwards, "train", 2, seed)) for seed in range(5)} != {
        tuple(sample_ids(forwards, "train", 2, 0))
    }


def test_what_is_generated_is_the_step_from_the_upsampled_latent_or_the_latent(view, dataset, fake):
    data, autoencoder = dataset(), GuardedAutoencoder(fake(factor=4), "pooling", 8)
    latent = replace(view, conditioning=Conditioning(("lr-latent",), "latent"))
    step, whole = (encode_train(autoencoder, data, each, seed=0) for each in (view, latent))
    for told, target, hr in zip(step.told, step.target, step.hr, strict=True):
        torch.testing.assert_close(told[:1] + target, hr)
        assert told.shape == (2, 8, 8)
    assert all(torch.equal(target, hr) for target, hr in zip(whole.target, whole.hr, strict=True))
    assert whole.told[0].shape == (1, 8, 8)


def test_centre_of_maps_of_unlike_sizes():
    one, other = torch.arange(12.0).reshape(1, 3, 4), torch.arange(10.0).reshape(1, 5, 2)
    assert central([one, other]).tolist() == [
        [[[1, 2], [5, 6], [9, 10]]],
        [[[2, 3], [4, 5], [6, 7]]],
    ]


def test_centres_are_as_large_as_most_maps_and_small_ones_are_left_out():
    maps = [torch.rand(2, 8, 8), torch.rand(2, 2, 90), torch.rand(2, 9, 12), torch.rand(2, 10, 8)]
    assert central(maps).shape == (3, 2, 8, 8)


def test_a_view_cuts_images_to_what_the_degradation_can_reduce(dataset, pixels):
    odd = dataset(test=[image[:30, :27] for image in pixels["test"]])
    batch = next(View(None, Degradation("area", 4)).batches(odd, "test", 8))
    assert batch.images.shape[-2:] == (28, 24)
    torch.testing.assert_close(batch.images[0, 0], torch.from_numpy(pixels["test"][0][1:29, 1:25]))
