"""The control that deceives: what it decodes is what patch PCA decodes, what it encodes follows from nothing."""

import pytest
import torch

from vaescreen.autoencoders.contract import Geometry
from vaescreen.autoencoders.linear import open_linear
from vaescreen.images import open_data


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAESCREEN_CACHE", str(tmp_path_factory.mktemp("cache")))
        return open_data("chest", size=64, train_images=12, test_images=4)


@pytest.fixture(scope="module")
def images(data):
    return next(data.batches("test", 4)).images


@pytest.fixture(scope="module")
def straight(data):
    return open_linear("pca", Geometry(8, 4), data, "pca")


@pytest.fixture(scope="module")
def scrambled(data):
    return open_linear("scrambled", Geometry(8, 4), data, "scrambled")


@pytest.mark.parametrize("channels", [1, 3, 8])
def test_decodes_exactly_what_patch_pca_decodes(data, images, channels):
    one, other = (
        codec.decode(codec.encode(images), (64, 64))
        for codec in (open_linear(basis, Geometry(channels, 4), data, "") for basis in ("pca", "scrambled"))
    )
    assert torch.equal(one, other)


def test_only_signs_differ_and_half_of_them_do(images, straight, scrambled):
    before, after = straight.encode(images), scrambled.encode(images)
    assert torch.equal(before.abs(), after.abs())
    flipped = (before * after < 0).double().mean(dim=(0, 2, 3))
    torch.testing.assert_close(flipped, torch.full_like(flipped, 0.5), atol=0.1, rtol=0)


def test_neighbours_have_nothing_in_common(images, straight, scrambled):
    def correlation(codec) -> float:
        brightness = codec.encode(images)[:, 0]
        pair = torch.stack([brightness[..., 1:].flatten(), brightness[..., :-1].flatten()])
        return float(torch.corrcoef(pair)[0, 1])

    assert correlation(straight) > 0.6
    assert abs(correlation(scrambled)) < 0.15


def test_place_counts_where_content_does_not_vary(scrambled):
    brightness = scrambled.encode(torch.full((1, 1, 64, 64), 0.9))[0, 0]
    assert 0.3 < float((brightness > 0).double().mean()) < 0.7


def test_an_image_is_encoded_alike_in_any_batch(images, scrambled):
    assert torch.equal(scrambled.encode(images)[1:2], scrambled.encode(images[1:2]))


def test_a_small_error_leads_astray(images, straight, scrambled):
    def error(codec) -> float:
        latents = codec.encode(images)
        noisy = latents + 0.02 * torch.randn(latents.shape, generator=torch.Generator().manual_seed(0))
        return float((codec.decode(noisy, (64, 64)) - images).square().mean())

    assert error(scrambled) > 10 * error(straight)


def test_is_another_autoencoder_than_patch_pca(straight, scrambled):
    assert straight.fingerprint != scrambled.fingerprint
