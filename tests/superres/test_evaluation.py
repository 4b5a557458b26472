"""Per-image results against the true image, for models whose output is known."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import pywt
import torch
from skimage.metrics import peak_signal_noise_ratio

from vaescreen.autoencoders.standardisation import Standardisation
from vaescreen.errors import CandidateError, DataError
from vaescreen.images import Batch
from vaescreen.superres.evaluation import evaluate
from vaescreen.superres.latents import training_pairs
from vaescreen.superres.outputs import OutputsWriter, load_outputs
from vaescreen.superres.scaling import Scale
from vaescreen.superres.training import Trained

COLUMNS = [
    "image_id",
    "patient_id",
    "sr_psnr",
    "posterior_mean_psnr",
    "sr_ssim",
    "sr_psnr_foreground",
    "sr_psnr_self",
    "ae_ceiling",
    "bicubic_psnr",
    "upsampled_psnr",
    "detail",
    "posterior_mean_detail",
    "ae_detail",
]


class OneByOneBackwards:
    """The test split of a data set, last image first, each a batch of its own."""

    def __init__(self, data):
        self._data = data

    def batches(self, split, batch_size):
        for batch in reversed(list(self._data.batches(split, 1))):
            yield Batch(batch.ids, batch.patients, batch.images)


@pytest.fixture
def data(phantoms):
    return phantoms(test_images=18)


@pytest.fixture
def scale(shuffle, data, recipe):
    return Scale.of(recipe, training_pairs(shuffle(), data, recipe))


def weights(recipe, seed: int, output: float | None = None) -> dict[str, torch.Tensor]:
    """Random weights; with `output`, of a network that says this whatever it sees."""
    torch.manual_seed(seed)
    state = recipe.network.build(16 + 17, 16, 4).state_dict()
    if output is not None:
        state["conv_out.weight"].fill_(0)
        state["conv_out.bias"].fill_(output)
    return state


def trained_to(state) -> Trained:
    return Trained(state, [], 1, 1.0, 1)


@pytest.fixture
def untrained(recipe) -> Trained:
    return trained_to(weights(recipe, 0))


@pytest.fixture
def table(recipe, untrained, shuffle, data, scale) -> pd.DataFrame:
    return evaluate(recipe, untrained, shuffle(), data, scale)


def test_one_row_an_image_in_the_order_of_the_split(table, data):
    assert sorted(table.columns) == sorted(COLUMNS)
    assert tuple(table["image_id"]) == data.ids("test")
    assert tuple(table["patient_id"]) == data.patients("test")
    assert np.isfinite(table.drop(columns=["image_id", "patient_id", "ae_ceiling"])).all(axis=None)


def test_a_lossless_autoencoder_has_no_ceiling_to_hide(table):
    assert table["ae_ceiling"].min() > 90
    np.testing.assert_allclose(table["sr_psnr"], table["sr_psnr_self"], atol=1e-3)


def test_a_lossy_autoencoder_looks_better_against_itself(recipe, data, shuffle, scale):
    class Lossy(shuffle):
        def decode(self, latents, size):
            return super().decode(latents, size) / 2

    mean = weights(recipe, 0, output=0.0)
    table = evaluate(recipe, trained_to(mean), Lossy(), data, scale)
    assert (table["sr_psnr_self"] > table["sr_psnr"] + 1).all()
    assert (table["ae_ceiling"] < 40).all()


def test_a_model_that_always_gives_the_mean_latent_is_scored_as_the_mean_image(recipe, data, shuffle, scale):
    recipe = replace(recipe, target="latent")
    scale = Scale.of(recipe, training_pairs(shuffle(), data, recipe))
    trained = trained_to(weights(recipe, 0, output=0.0))
    table = evaluate(recipe, trained, shuffle(), data, scale).set_index("image_id")
    raw = scale.undo(torch.zeros(1, 16, 8, 8), torch.zeros(1, 17, 8, 8))
    picture = shuffle().decode(raw, (32, 32))[0, 0].double().numpy()
    for batch in data.batches("test", 1):
        row = table.loc[batch.ids[0]]
        true = batch.images[0, 0].double().numpy()
        expected = peak_signal_noise_ratio(true, picture, data_range=1)
        assert row["sr_psnr"] == pytest.approx(expected, abs=1e-3)
        assert row["posterior_mean_psnr"] == pytest.approx(expected, abs=1e-3)
        lr = recipe.degradation.apply(batch.images)
        bicubic = recipe.degradation.upsample(lr, (32, 32))[0, 0].double().numpy()
        floor = peak_signal_noise_ratio(true, bicubic, data_range=1)
        assert row["bicubic_psnr"] == pytest.approx(floor, abs=1e-6)
        assert row["upsampled_psnr"] == pytest.approx(floor, abs=1e-3)
        energy = {name: finest_haar_energy(image) for name, image in (("true", true), ("mean", picture))}
        assert row["detail"] == pytest.approx(10 * np.log10(energy["mean"] / energy["true"]), abs=1e-3)
        assert row["ae_detail"] == pytest.approx(0, abs=1e-3)


def test_a_model_that_finds_no_residual_gives_the_upsampled_image(recipe, data, shuffle, scale):
    """A residual of zero everywhere, up to the mean residual of the train split."""
    still = replace(scale, target=Standardisation(torch.zeros(16), scale.target.sd))
    table = evaluate(recipe, trained_to(weights(recipe, 0, output=0.0)), shuffle(), data, still)
    np.testing.assert_allclose(table["sr_psnr"], table["bicubic_psnr"], atol=1e-3)
    assert (table["detail"] < -3).all()


def finest_haar_energy(image: np.ndarray) -> float:
    return sum(float((band**2).sum()) for band in pywt.dwt2(image, "haar", "periodization")[1])


def test_batches_and_order_do_not_matter(recipe, untrained, shuffle, data, scale, table):
    other = evaluate(recipe, untrained, shuffle(), OneByOneBackwards(data), scale)
    assert tuple(other["image_id"]) == data.ids("test")[::-1]
    joined = other.set_index("image_id").loc[table["image_id"]].reset_index()
    pd.testing.assert_frame_equal(joined, table, check_exact=False, atol=0.02, rtol=0)


def test_the_scale_of_the_latent_space_does_not_matter(recipe, untrained, shuffle, data, scale, table):
    """A power of two changes no bit; ten changes rounding."""
    for gain, tolerance in ((16.0, 0), (10.0, 0.02)):
        other_scale = Scale.of(recipe, training_pairs(shuffle(gain), data, recipe))
        other = evaluate(recipe, untrained, shuffle(gain), data, other_scale)
        numbers = other.drop(columns=["image_id", "patient_id", "ae_ceiling"])
        assert (numbers - table[numbers.columns]).abs().max(axis=None) <= tolerance


def test_the_seed_decides_the_noise(recipe, untrained, shuffle, data, scale, table):
    other = evaluate(recipe, untrained, shuffle(), data, scale, seed=1)
    assert (other["sr_psnr"] != table["sr_psnr"]).all()
    pd.testing.assert_series_equal(other["ae_ceiling"], table["ae_ceiling"])


def test_the_sampler_has_as_many_steps_as_the_recipe_says(recipe, untrained, shuffle, data, scale, table):
    other = evaluate(replace(recipe, sampler_steps=1), untrained, shuffle(), data, scale)
    np.testing.assert_allclose(other["sr_psnr"], other["posterior_mean_psnr"], atol=1e-3)
    assert (table["sr_psnr"] - table["posterior_mean_psnr"]).abs().max() > 0.01


def test_progress_counts_images(recipe, untrained, shuffle, data, scale):
    done = []
    evaluate(recipe, untrained, shuffle(), data, scale, on_batch=done.append)
    assert done == [16, 2]


def test_weights_that_are_not_finite_are_an_error_of_the_candidate(recipe, shuffle, data, scale):
    broken = weights(recipe, 0, output=float("nan"))
    with pytest.raises(CandidateError, match="values that are not finite"):
        evaluate(recipe, trained_to(broken), shuffle(), data, scale)


def test_an_image_that_comes_twice_is_an_error(recipe, untrained, shuffle, data, scale):
    class Twice:
        name = "twice"

        def batches(self, split, batch_size):
            yield from data.batches(split, batch_size)
            yield from data.batches(split, 1)

    with pytest.raises(DataError, match=f"twice: image {data.ids('test')[0]} is in the test split twice"):
        evaluate(recipe, untrained, shuffle(), Twice(), scale)


class TestSeveralSamples:
    @pytest.fixture
    def kept(self, recipe, untrained, shuffle, data, scale, tmp_path):
        writer = OutputsWriter()
        table = evaluate(recipe, untrained, shuffle(), data, scale, samples=3, outputs=writer)
        writer.write(tmp_path / "kept.outputs.npz")
        return table, load_outputs(tmp_path / "kept.outputs.npz")

    def test_the_first_is_the_one_that_is_scored_without_the_others(self, kept, table):
        pd.testing.assert_frame_equal(kept[0][table.columns], table)

    def test_their_numbers_are_those_of_the_images_kept(self, kept, data):
        table, outputs = kept
        true = {
            image_id: image
            for batch in data.batches("test", 8)
            for image_id, image in zip(batch.ids, batch.images.double().numpy(), strict=True)
        }
        for row, image_id, samples in zip(
            table.itertuples(), outputs.ids, outputs.samples.double().numpy(), strict=True
        ):
            each = [peak_signal_noise_ratio(true[image_id], one, data_range=1) for one in samples]
            assert row.sr_psnr == pytest.approx(each[0], abs=1e-2)
            assert row.samples_psnr == pytest.approx(np.mean(each), abs=1e-2)
            mean = peak_signal_noise_ratio(true[image_id], samples.mean(0), data_range=1)
            assert row.mean_of_samples_psnr == pytest.approx(mean, abs=1e-2)
            spread = np.sqrt(samples.var(0, ddof=1).mean())
            assert row.samples_sd == pytest.approx(spread, abs=1e-4)

    def test_the_mean_of_samples_is_nearer_to_the_truth_than_they_are(self, kept):
        assert (kept[0]["mean_of_samples_psnr"] > kept[0]["samples_psnr"]).all()
        assert (kept[0]["samples_sd"] > 0.001).all()

    def test_the_reconstructions_kept_are_those_of_the_autoencoder(self, kept, data):
        outputs = kept[1]
        true = torch.cat([batch.images for batch in data.batches("test", 8)])
        assert outputs.ids == data.ids("test")
        torch.testing.assert_close(outputs.reconstructions, true, atol=1e-4, rtol=0)
