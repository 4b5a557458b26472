"""A candidate built to deceive is as good to decode as another, and far worse to predict: probes see it."""

import pytest

from vaescreen.images import open_data
from vaescreen.images.degradation import Degradation
from vaescreen.screening.scorer import score
from vaescreen.screening.view import View


@pytest.fixture(scope="module")
def summaries(entry, tmp_path_factory):
    """Summaries of patch PCA and of its scrambled twin."""
    folder = tmp_path_factory.mktemp("results")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAESCREEN_CACHE", str(folder))
        data = open_data("chest", size=32, train_images=8, test_images=4)
    view = View(32, Degradation("lanczos", 4))
    return [
        score(entry(basis, basis=basis, channels=8), data, view, results=folder).summary
        for basis in ("pca", "scrambled")
    ]


def test_ae_ceiling_is_the_same(summaries):
    honest, deceptive = summaries
    assert deceptive["psnr"] == pytest.approx(honest["psnr"], abs=1e-2)
    assert deceptive["ssim"] == pytest.approx(honest["ssim"], abs=1e-3)


@pytest.mark.parametrize(
    "probe", ["ridge_probe", "conv_probe", "denoise_mean", "denoise_sample", "simulated"]
)
def test_probes_are_not_deceived(summaries, probe):
    honest, deceptive = summaries
    assert deceptive[f"{probe}_psnr"] < honest[f"{probe}_psnr"] - 2


def test_information_is_gone(summaries):
    honest, deceptive = summaries
    assert deceptive["conv_r2"] < 0.05
    assert honest["conv_r2"] > 0.1
