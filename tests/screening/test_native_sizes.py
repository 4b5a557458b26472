"""Scoring images that each have their own size: odd, narrow, larger and smaller than others."""

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.fft
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio

from vaescreen.images import DataSet, open_data
from vaescreen.images.degradation import Degradation
from vaescreen.images.noise import Noise
from vaescreen.images.phantoms import generate
from vaescreen.screening.cards import card_path
from vaescreen.screening.scorer import score
from vaescreen.screening.view import View

VIEW = View(None, Degradation("kspace", 2, noise=Noise("rician", 0.02)))
TRAIN = [(48, 48), (41, 67), (48, 48), (17, 80)]
TEST = [(33, 31), (64, 50), (17, 90)]
FACTOR = 16


def write_folder(folder: Path, test: list[int]) -> Path:
    """All train images, and those test images whose numbers are given."""
    folder.mkdir()
    rows = []
    for split, sizes, numbers in (("train", TRAIN, range(len(TRAIN))), ("test", TEST, test)):
        for number in numbers:
            height, width = sizes[number]
            pixels = generate("chest", number + 10 * len(split), 96)[2 : 2 + height, 2 : 2 + width]
            name = f"{split}-{number}.png"
            Image.fromarray((255 * pixels).round().astype(np.uint8)).save(folder / name)
            rows.append((name, split, f"{split}-{number}"))
    with (folder / "manifest.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("file", "split", "patient_id"), *rows])
    return folder


@pytest.fixture(scope="module")
def scored(tmp_path_factory, entry):
    """Table of per-image values, and the data, of a codec on the test images whose numbers are given."""
    with pytest.MonkeyPatch.context() as patch:
        place = tmp_path_factory.mktemp("native")
        patch.setenv("VAESCREEN_CACHE", str(place / "cache"))

        def table(*numbers: int) -> tuple[pd.DataFrame, DataSet]:
            name = "".join(map(str, numbers))
            data = open_data(write_folder(place / name, list(numbers)), size=None)
            codec = entry("dct", channels=4, factor=FACTOR)
            card = score(codec, data, VIEW, results=place)
            assert card.counts["train_images"] == len(TRAIN)
            return pd.read_parquet(card_path(place, name, "dct").with_suffix(".parquet")), data

        yield {numbers: table(*numbers) for numbers in [(0, 1, 2), (2,)]}


def test_each_image_has_the_values_that_it_has_alone(scored):
    together = scored[0, 1, 2][0].set_index("image_id")
    assert len(together) == len(TEST)
    alone = scored[2,][0].set_index("image_id")
    for name in alone.columns.drop("patient_id"):
        assert together[name]["test-2"] == pytest.approx(float(alone[name].iloc[0]), abs=1e-6), name


def test_psnr_is_over_true_pixels_of_an_image_that_the_codec_pads(scored):
    """17x90 is cut to 16x90 for the scale; the codec fills 90 up to 96, and none of that is scored."""
    table, data = scored[2,]
    (batch,) = data.batches("test", 1)
    truth = batch.images[0, 0, :16].double().numpy()
    padded = np.pad(truth, ((0, 0), (0, 6)), mode="reflect")
    kept = np.zeros_like(padded)
    for left in range(0, 96, 16):
        tile = (slice(None), slice(left, left + 16))
        coefficients = scipy.fft.dctn(padded[tile], norm="ortho")
        first_four = np.zeros_like(coefficients)
        for place in [(0, 0), (0, 1), (1, 0), (2, 0)]:
            first_four[place] = coefficients[place]
        kept[tile] = scipy.fft.idctn(first_four, norm="ortho").clip(0, 1)
    by_hand = peak_signal_noise_ratio(truth, kept[:, :90], data_range=1.0)
    assert float(table["psnr"].iloc[0]) == pytest.approx(by_hand, abs=1e-4)
    assert abs(peak_signal_noise_ratio(padded, kept, data_range=1.0) - by_hand) > 1e-3


def test_cards_of_native_size_say_that_images_are_cut_to_the_scale():
    assert VIEW.description()["crop"] == "central, sides to a multiple of the scale"
    assert "crop" not in View(64, Degradation("lanczos", 4)).description()
