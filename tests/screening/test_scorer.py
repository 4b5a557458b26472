"""A score card holds what is known of known autoencoders, and is made once."""

import json
import shutil
from dataclasses import replace

import pandas as pd
import pytest
import torch

from vaescreen.autoencoders.contract import Geometry
from vaescreen.errors import CandidateError, DataError
from vaescreen.images.degradation import Degradation
from vaescreen.images.noise import Noise
from vaescreen.metrics.fidelity import psnr
from vaescreen.ranking.lint import ResultFile, check_file
from vaescreen.ranking.schema import ScoreCard as Schema
from vaescreen.registry.settings import Settings
from vaescreen.screening.cards import card_path, read_card
from vaescreen.screening.conditioning import Conditioning
from vaescreen.screening.scorer import find_card, score
from vaescreen.screening.view import View


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return tmp_path_factory.mktemp("results")


KNOWN = {
    "identity": {},
    "pooling2": {"factor": 2},
    "pooling4": {"factor": 4},
    "times-ten": {"factor": 4, "gain": 10},
}
SETTINGS = {"times-ten": Settings(tile=128, dtype="bfloat16")}


@pytest.fixture(scope="module")
def scored(entry, dataset, view, fake, results):
    """Card of a known autoencoder, made when a test first asks for it."""
    cards = {}

    def card(name):
        if name not in cards:
            known = fake(**KNOWN[name]) if name in KNOWN else None
            seed = 0 if known else 3
            candidate = entry(name).model_copy(update={"settings": SETTINGS.get(name, Settings())})
            cards[name] = score(candidate, dataset(), view, results=results, seed=seed, autoencoder=known)
        return cards[name]

    return card


@pytest.fixture(scope="module")
def test_images(dataset):
    return next(dataset().batches("test", 5)).images


def images_of(results, name="dct"):
    return pd.read_parquet(card_path(results, "memory", name).with_suffix(".parquet"))


class TestKnownAnswers:
    def test_identity(self, scored):
        summary = scored("identity").summary
        assert summary["psnr"] == 150
        assert summary["ssim"] == pytest.approx(1)
        assert sum(value for name, value in summary.items() if name.startswith("band_")) == 0

    def test_ridge_probe_of_the_identity_is_linear_super_resolution(self, scored):
        summary = scored("identity").summary
        assert summary["bicubic_psnr"] - 0.5 < summary["ridge_probe_psnr"] < summary["bicubic_psnr"] + 5

    def test_blur(self, scored, test_images, fake):
        summary = scored("pooling2").summary
        blurred = fake(factor=2).decode(fake(factor=2).encode(test_images), (32, 32))
        assert summary["psnr"] == pytest.approx(float(psnr(test_images, blurred).mean()))
        assert max(summary["band_LL3"], summary["band_LH2"]) < 1e-12
        assert min(summary[f"band_{name}1"] for name in ("LH", "HL", "HH")) > 1e-8

    def test_bicubic_floor_does_not_depend_on_the_candidate(self, scored, test_images, view):
        floor = view.degradation.upsample(view.degradation.apply(test_images), (32, 32))
        expected = float(psnr(test_images, floor).mean())
        for name in KNOWN:
            assert scored(name).summary["bicubic_psnr"] == pytest.approx(expected)

    def test_probes_cannot_pass_what_the_decoder_can_give(self, scored):
        for name in KNOWN:
            summary = scored(name).summary
            assert min(summary["ridge_probe_psnr"], summary["conv_probe_psnr"]) > 5
            assert max(summary["ridge_probe_psnr"], summary["conv_probe_psnr"]) < summary["psnr"]

    def test_scale_of_latents_does_not_matter(self, scored):
        one, other = scored("pooling4"), scored("times-ten")
        for name in ("psnr", "ridge_probe_psnr", "conv_probe_psnr"):
            assert other.summary[name] == pytest.approx(one.summary[name], abs=0.02)
        assert other.latents["sd"][0] == pytest.approx(10 * one.latents["sd"][0])

    @pytest.mark.parametrize(
        ("kernel", "scale"), [pytest.param("area", 2, marks=pytest.mark.slow), ("kspace", 8)]
    )
    def test_other_views(self, entry, dataset, tmp_path, fake, kernel, scale):
        view = View(32, Degradation(kernel, scale))
        summary = score(entry(), dataset(), view, results=tmp_path, autoencoder=fake(factor=8)).summary
        assert 5 < summary["ridge_probe_psnr"] <= summary["psnr"]


class TestCard:
    def test_passes_the_lint_of_the_leaderboard(self, scored, results):
        for name in ("identity", "dct"):
            scored(name)
            path = card_path(results, "memory", name)
            check_file(ResultFile(path, json.loads(path.read_text()), images_of(results, name)), Schema)

    def test_says_what_it_is_of(self, scored, dataset, results):
        card = scored("dct")
        assert card == read_card(card_path(results, "memory", "dct"))
        assert (card.protocol, card.seed, card.geometry) == ("score-3", 3, Geometry(3, 4))
        assert card.counts == {
            "train_images": 6,
            "panel_images": 5,
            "test_images": 5,
            "test_patients": 3,
        }
        assert card.data["fingerprint"] == dataset().fingerprint
        assert card.view["size"] == 32
        assert card.view["conditioning"] == ["upsampled-latent", "lr-pixels"]
        assert card.view["target"] == "residual"
        assert (card.view["degradation"]["kernel"], card.view["degradation"]["scale"]) == ("lanczos", 4)
        assert len(card.latents["mean"]) == 3

    def test_says_how_the_autoencoder_was_run(self, scored):
        assert scored("times-ten").environment["settings"] == {"tile": 128, "dtype": "bfloat16"}
        assert scored("times-ten").environment["dtype"] == "bfloat16"
        assert scored("dct").environment["dtype"] == "float32"
        assert "settings" not in scored("dct").environment

    def test_summary_is_the_mean_of_the_images(self, scored, dataset, results):
        summary, images = scored("dct").summary, images_of(results)
        assert list(images["image_id"]) == sorted(dataset().ids("test"))
        for name in images.columns.drop(["image_id", "patient_id"]):
            assert summary[name] == pytest.approx(images[name].mean())

    def test_images_of_another_size(self, entry, dataset, tmp_path):
        with pytest.raises(DataError, match="memory is opened at size 32, but the view is of 128"):
            score(entry(), dataset(), View(128, Degradation("lanczos", 4)), results=tmp_path)


class TestInvariance:
    def test_order_of_the_images_and_same_bytes_twice(self, scored, entry, dataset, view, tmp_path):
        again = score(entry("dct"), dataset(reverse=True), view, results=tmp_path, seed=3)
        assert again.images_sha256 == scored("dct").images_sha256

    def test_batch_size(self, scored, entry, dataset, view, tmp_path, results, fake):
        autoencoder = fake(factor=4, most=1)
        card = score(entry("small"), dataset(), view, results=tmp_path, autoencoder=autoencoder)
        assert (card.batch_size, scored("pooling4").batch_size) == (1, 64)
        one, other = images_of(tmp_path, "small"), images_of(results, "pooling4")
        pd.testing.assert_frame_equal(one, other, rtol=1e-4)


class TestCache:
    def test_an_unchanged_candidate_is_not_run_again(self, scored, entry, dataset, view, results, fake):
        known, again = scored("identity"), fake()
        card = score(entry("identity"), dataset(), view, results=results, autoencoder=again)
        assert card == known
        assert (again.encoded, again.decoded) == (0, 0)

    def test_a_changed_candidate_is(self, scored, entry, dataset, view, results, tmp_path, fake):
        scored("pooling4")
        shutil.copytree(results, tmp_path, dirs_exist_ok=True)
        changed = fake(factor=4, fingerprint="another-one")
        card = score(entry("pooling4"), dataset(), view, results=tmp_path, autoencoder=changed)
        assert changed.encoded > 0
        assert card.fingerprint == "another-one"

    def test_whatever_decides_the_values_makes_it_stale(self, scored, entry, dataset, view, results, pixels):
        unchanged = dataset()

        def found(*, fingerprint="fake-fingerprint", data=unchanged, view=view, seed=0):
            return find_card(entry("identity"), fingerprint, data, view, results=results, seed=seed)

        darker = dataset(test=[0.9 * image for image in pixels["test"]])
        known = scored("identity")
        assert found() == known
        assert found(fingerprint="another-one") is None
        assert found(data=darker) is None
        for other in (
            Degradation("area", 4),
            Degradation("lanczos", 2),
            Degradation("lanczos", 4, noise=Noise("gaussian", 0.01)),
        ):
            assert found(view=View(32, other)) is None
        published = Conditioning(("lr-latent",), "latent")
        assert found(view=replace(view, conditioning=published)) is None
        assert found(seed=1) is None

    @pytest.mark.parametrize("suffix", [".json", ".parquet"])
    @pytest.mark.parametrize("content", [b"", b"{}", None])
    def test_a_damaged_card_is_as_good_as_none(
        self, scored, entry, dataset, view, results, tmp_path, suffix, content
    ):
        scored("identity")
        shutil.copytree(results, tmp_path, dirs_exist_ok=True)
        path = card_path(tmp_path, "memory", "identity").with_suffix(suffix)
        path.unlink() if content is None else path.write_bytes(content)
        known = find_card(entry("identity"), "fake-fingerprint", dataset(), view, results=tmp_path, seed=0)
        assert known is None


class TestRefusals:
    @pytest.mark.parametrize(
        ("spoil", "says"),
        [
            (lambda images: images * float("nan"), "gives images that are not finite"),
            (lambda images: 2 * images - 1, r"gives images in \[-.*, .*\] where \[0, 1\] is due"),
            (
                lambda images: images[..., :-1],
                r"gives images of shape \(1, 32, 31\) where \(1, 32, 32\) is due",
            ),
            (lambda images: images.repeat(1, 3, 1, 1), r"gives images of shape \(3, 32, 32\)"),
            (lambda images: 1 / 0, r"fails on .* \(ZeroDivisionError: division by zero\)"),
        ],
    )
    def test_unusable_output(self, entry, dataset, view, tmp_path, fake, spoil, says):
        with pytest.raises(CandidateError, match=f"mine: {says}"):
            score(entry(), dataset(), view, results=tmp_path, autoencoder=fake(spoil=spoil))
        assert not list(tmp_path.rglob("*.json"))

    def test_no_memory_for_one_image(self, entry, dataset, view, tmp_path, fake):
        with pytest.raises(CandidateError, match="mine: runs out of memory on one image"):
            score(entry(), dataset(), view, results=tmp_path, autoencoder=fake(most=0))


def test_memory_is_respected_from_the_first_failure_on(fake):
    from vaescreen.screening.guarded import GuardedAutoencoder

    guarded = GuardedAutoencoder(fake(most=3), "mine", 16)
    images = torch.rand(10, 1, 8, 8)
    torch.testing.assert_close(guarded.encode(images), images)
    assert guarded.batch_size == 2
