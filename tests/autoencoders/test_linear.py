"""Linear codecs are what scikit-learn, SciPy and PyWavelets say they are, and keep the contract."""

import numpy as np
import pytest
import pywt
import scipy.fft
import torch
from sklearn.decomposition import PCA
from torch.nn import functional as F

from vaescreen.autoencoders import fingerprint_of, open_autoencoder
from vaescreen.autoencoders.contract import Autoencoder, Geometry
from vaescreen.autoencoders.linear import dct_vectors, haar_vectors, patch_pca
from vaescreen.errors import CandidateError
from vaescreen.images import DataSet, open_data
from vaescreen.registry.candidate import Candidate
from vaescreen.registry.settings import Settings

BASES = ("pca", "dct", "haar")
FACTORS = (2, 4, 8)


def entry(basis: str, channels: int, factor: int) -> Candidate:
    return Candidate.model_validate(
        {
            "name": f"{basis}-f{factor}c{channels}",
            "adapter": "linear",
            "source": {"basis": basis},
            "geometry": {"channels": channels, "factor": factor},
            "domain": "none",
            "family": "test",
            "licence": "Apache-2.0",
            "training_data": "none",
        }
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> DataSet:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAESCREEN_CACHE", str(tmp_path_factory.mktemp("cache")))
        return open_data("brain", size=32, train_images=12, test_images=2)


def images(height: int = 32, width: int = 32, count: int = 2) -> torch.Tensor:
    return torch.rand(count, 1, height, width, generator=torch.Generator().manual_seed(1))


def train_patches(data: DataSet, factor: int) -> np.ndarray:
    pixels = torch.cat([batch.images for batch in data.batches("train", 5)])
    return F.unfold(pixels, factor, stride=factor).movedim(1, 2).reshape(-1, factor**2).double().numpy()


class TestAgainstOtherLibraries:
    def test_pca_is_that_of_scikit_learn(self, data):
        patches = train_patches(data, 4)
        reference = PCA(n_components=6, svd_solver="full").fit(patches)
        codec = open_autoencoder(entry("pca", 6, 4), data)
        batch = next(data.batches("test", 2)).images
        cells = F.unfold(batch, 4, stride=4).movedim(1, 2).reshape(-1, 16).double().numpy()
        ours = codec.encode(batch).movedim(1, -1).reshape(-1, 6).double().numpy()
        signs = np.sign((ours * reference.transform(cells)).sum(axis=0))
        np.testing.assert_allclose(ours, reference.transform(cells) * signs, atol=1e-5)
        kept = reference.inverse_transform(reference.transform(cells)).clip(0, 1)
        decoded = F.unfold(codec.decode(codec.encode(batch), (32, 32)), 4, stride=4)
        np.testing.assert_allclose(decoded.movedim(1, 2).reshape(-1, 16).numpy(), kept, atol=1e-5)

    def test_dct_is_that_of_scipy_along_the_zigzag(self, data):
        batch = images(8, 8, 1)
        expected = scipy.fft.dctn(batch[0, 0].double().numpy(), norm="ortho")
        zigzag = [(0, 0), (0, 1), (1, 0), (2, 0), (1, 1), (0, 2), (0, 3), (1, 2), (2, 1), (3, 0)]
        latents = open_autoencoder(entry("dct", 10, 8), data).encode(batch)[0, :, 0, 0]
        np.testing.assert_allclose(latents.numpy(), [expected[place] for place in zigzag], atol=1e-5)

    def test_haar_is_that_of_pywavelets_coarse_to_fine(self, data):
        batch = images(8, 8, 1)
        mean, *levels = pywt.wavedec2(batch[0, 0].double().numpy(), "haar", level=3)
        expected = np.concatenate([mean.ravel(), *(band.ravel() for level in levels for band in level)])
        latents = open_autoencoder(entry("haar", 64, 8), data).encode(batch)[0, :, 0, 0]
        np.testing.assert_allclose(latents.numpy(), expected, atol=1e-5)


class TestBases:
    @pytest.mark.parametrize("factor", FACTORS)
    def test_are_orthonormal(self, data, factor):
        _, pca = patch_pca((batch.images for batch in data.batches("train", 5)), factor)
        for vectors in (pca, dct_vectors(factor), haar_vectors(factor)):
            np.testing.assert_allclose(vectors @ vectors.T, np.eye(factor**2), atol=1e-12)

    def test_pca_streams(self, data):
        whole = patch_pca((batch.images for batch in data.batches("train", 100)), 4)
        pieces = patch_pca((batch.images for batch in data.batches("train", 1)), 4)
        for one, other in zip(whole, pieces, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-9)

    def test_pca_keeps_at_least_as_much_as_any_other(self, data):
        train = torch.cat([batch.images for batch in data.batches("train", 12)])
        error = {}
        for basis in BASES:
            codec = open_autoencoder(entry(basis, 3, 4), data)
            error[basis] = (codec.decode(codec.encode(train), (32, 32)) - train).square().mean()
        assert error["pca"] < min(error["dct"], error["haar"])

    def test_more_channels_than_pixels(self, data):
        with pytest.raises(
            CandidateError, match="dct-f2c5: patches of 2x2 pixels have 4 coefficients, not 5"
        ):
            open_autoencoder(entry("dct", 5, 2), data)

    def test_settings_that_would_do_nothing(self, data):
        candidate = entry("dct", 3, 4).model_copy(update={"settings": Settings(tile=64)})
        with pytest.raises(CandidateError, match="dct-f4c3: a linear codec has no settings"):
            open_autoencoder(candidate, data)

    def test_without_data(self):
        with pytest.raises(CandidateError, match="pca-f4c3: a linear codec needs a data set to be fitted on"):
            open_autoencoder(entry("pca", 3, 4))


@pytest.mark.parametrize("basis", BASES)
class TestContract:
    @pytest.mark.parametrize("size", [(32, 32), (33, 30), (1, 3), (5, 100)])
    def test_geometry_and_shapes(self, data, basis, size):
        codec = open_autoencoder(entry(basis, 3, 4), data)
        latents = codec.encode(images(*size))
        assert isinstance(codec, Autoencoder)
        assert codec.geometry == Geometry(3, 4)
        assert latents.shape[1:] == codec.geometry.latent_shape(*size)
        assert latents.dtype == torch.float32
        assert codec.decode(latents, size).shape == (2, 1, *size)

    @pytest.mark.parametrize("factor", FACTORS)
    @pytest.mark.parametrize("size", [(32, 32), (33, 30)])
    def test_all_coefficients_are_lossless(self, data, basis, factor, size):
        codec = open_autoencoder(entry(basis, factor**2, factor), data)
        torch.testing.assert_close(codec.decode(codec.encode(images(*size)), size), images(*size))

    def test_output_is_clamped(self, data, basis):
        codec = open_autoencoder(entry(basis, 3, 4), data)
        decoded = codec.decode(100 * codec.encode(images() - 0.5), (32, 32))
        assert (decoded.min(), decoded.max()) == (0, 1)

    def test_batch_size_does_not_matter(self, data, basis):
        codec = open_autoencoder(entry(basis, 3, 4), data)
        apart = torch.cat([codec.encode(image) for image in images(count=5).split(2)])
        torch.testing.assert_close(apart, codec.encode(images(count=5)), atol=1e-6, rtol=0)

    def test_fingerprint_needs_no_fit_and_follows_what_decides(self, data, basis):
        first = fingerprint_of(entry(basis, 3, 4), data)
        assert open_autoencoder(entry(basis, 3, 4), data).fingerprint == first
        assert fingerprint_of(entry(basis, 4, 4), data) != first
        other = open_data("brain", size=32, train_images=11, test_images=2)
        assert (fingerprint_of(entry(basis, 3, 4), other) != first) == (basis == "pca")


@pytest.mark.parametrize("basis", ["dct", "haar"])
@pytest.mark.parametrize("factor", FACTORS)
def test_one_channel_is_the_block_mean(data, basis, factor):
    codec = open_autoencoder(entry(basis, 1, factor), data)
    latents = codec.encode(images())
    means = F.avg_pool2d(images(), factor)
    torch.testing.assert_close(latents, factor * means)
    blocks = means.repeat_interleave(factor, dim=2).repeat_interleave(factor, dim=3)
    torch.testing.assert_close(codec.decode(latents, (32, 32)), blocks)


def test_network_fingerprint_is_that_of_the_loaded_network(data, tmp_path, tiny_taesd):
    tiny_taesd().save_pretrained(tmp_path / "model")
    network = entry("dct", 4, 4).model_dump() | {
        "adapter": "diffusers",
        "source": {"path": tmp_path / "model"},
    }
    candidate = Candidate.model_validate(network)
    assert fingerprint_of(candidate, data) == open_autoencoder(candidate, data).fingerprint
