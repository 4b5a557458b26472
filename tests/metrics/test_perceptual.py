import importlib.util
import pickle
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from vaescreen.errors import DataError
from vaescreen.metrics.optional import Missing, find_weights, is_plain
from vaescreen.metrics.perceptual import LPIPS_BACKBONES, embedding_similarity, open_embedding, open_lpips

HAS_TORCHVISION = importlib.util.find_spec("torchvision") is not None
HAS_TIMM = importlib.util.find_spec("timm") is not None


@pytest.fixture
def no_hub_cache(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("torch.hub._hub_dir", str(tmp_path / "hub"))


@pytest.fixture
def similarity():
    torch.manual_seed(0)
    network = nn.Sequential(nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(48, 16)).eval()
    return network, embedding_similarity(network, (0.5, 0.5, 0.4), (0.2, 0.3, 0.25), (24, 24))


def test_embedding_similarity_is_the_cosine_by_hand(similarity, make_pair):
    network, measure = similarity
    reference, estimate = make_pair(24, 24, noise=0.3, batch=3)
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in ((0.5, 0.5, 0.4), (0.2, 0.3, 0.25)))
    a, b = (
        network((images.float().repeat(1, 3, 1, 1) - mean) / std).double() for images in (reference, estimate)
    )
    expected = (a * b).sum(dim=1) / (a.norm(dim=1) * b.norm(dim=1))
    torch.testing.assert_close(measure(reference, estimate), expected.detach(), rtol=1e-5, atol=1e-6)


def test_embedding_similarity_resizes_what_has_another_size_and_is_one_for_identity(similarity, make_pair):
    _, measure = similarity
    reference, estimate = make_pair(40, 31, noise=0.3)
    torch.testing.assert_close(measure(reference, reference), torch.ones(2, dtype=torch.float64))
    assert (measure(reference, estimate) < 1).all()


def test_embedding_similarity_depends_on_neither_batch_nor_order_and_nan_spoils_its_image_alone(
    similarity, make_pair
):
    _, measure = similarity
    reference, estimate = make_pair(24, 24, noise=0.3, batch=3)
    together = measure(reference, estimate)
    torch.testing.assert_close(measure(reference.flip(0), estimate.flip(0)).flip(0), together)
    torch.testing.assert_close(measure(reference[1:2], estimate[1:2]), together[1:2])
    estimate[1, 0, 0, 0] = torch.nan
    spoilt = measure(reference, estimate)
    assert spoilt[1].isnan()
    torch.testing.assert_close(spoilt[[0, 2]], together[[0, 2]])


@pytest.mark.skipif(HAS_TORCHVISION, reason="says what happens without torchvision")
def test_without_torchvision_lpips_is_missing_with_a_reason_and_a_remedy():
    missing = open_lpips()
    assert isinstance(missing, Missing)
    assert str(missing).startswith("lpips_alex is missing: torchmetrics with torchvision cannot be imported")
    assert "vaescreen[perceptual]" in missing.reason


@pytest.mark.skipif(HAS_TIMM, reason="says what happens without timm")
def test_without_timm_embeddings_are_missing_with_a_reason_and_a_remedy():
    missing = open_embedding("vit_small_patch14_dinov2.lvd142m")
    assert isinstance(missing, Missing)
    assert "timm cannot be imported" in missing.reason
    assert "vaescreen[perceptual]" in missing.reason


@pytest.mark.skipif(not HAS_TORCHVISION, reason="needs torchvision")
@pytest.mark.usefixtures("no_hub_cache")
def test_without_weights_lpips_names_the_file_and_fetches_nothing(tmp_path):
    missing = open_lpips("vgg", weights=tmp_path)
    assert isinstance(missing, Missing)
    assert "vgg16-397923af.pth" in missing.reason


@pytest.mark.skipif(not HAS_TORCHVISION, reason="needs torchvision")
@pytest.mark.usefixtures("no_hub_cache")
def test_lpips_of_local_weights_is_zero_for_identity_and_that_of_torchmetrics(tmp_path, make_pair):
    import torchvision
    from torchmetrics.image.lpip import LearnedPerceptualImagePatchSimilarity

    torch.manual_seed(0)
    torch.save(torchvision.models.alexnet().state_dict(), tmp_path / LPIPS_BACKBONES["alex"])
    measure = open_lpips(weights=tmp_path)
    assert not isinstance(measure, Missing), measure
    reference, estimate = make_pair(48, 64, noise=0.2, batch=3)
    assert measure(reference, reference).abs().max() < 1e-6
    values = measure(reference, estimate)
    assert (values > 0).all()
    kept = Path(torch.hub.get_dir()) / "checkpoints"
    kept.mkdir(parents=True)
    (kept / LPIPS_BACKBONES["alex"]).symlink_to(tmp_path / LPIPS_BACKBONES["alex"])
    theirs = LearnedPerceptualImagePatchSimilarity("alex", normalize=True)
    pairs = [images[:1].float().repeat(1, 3, 1, 1) for images in (reference, estimate)]
    assert theirs(*pairs).item() == pytest.approx(values[0].item(), abs=1e-6)
    with pytest.raises(DataError, match="at least 32x32"):
        measure(reference[..., :20], estimate[..., :20])


def test_an_unknown_backbone_is_refused():
    with pytest.raises(DataError, match="alex, vgg, squeeze"):
        open_lpips("resnet")


def test_weights_are_found_in_the_given_folder_first_and_in_the_cache_of_torch_hub(tmp_path, no_hub_cache):
    assert find_weights("a.pth", tmp_path) is None
    kept = Path(torch.hub.get_dir()) / "checkpoints"
    kept.mkdir(parents=True)
    (kept / "a.pth").write_bytes(b"")
    assert find_weights("a.pth", tmp_path) == kept / "a.pth"
    (tmp_path / "a.pth").write_bytes(b"")
    assert find_weights("a.pth", tmp_path) == tmp_path / "a.pth"


def test_a_checkpoint_that_would_run_code_is_not_plain(tmp_path):
    torch.save({"weight": torch.zeros(2)}, tmp_path / "good.pth")
    assert is_plain(tmp_path / "good.pth")

    class Hostile:
        def __reduce__(self) -> tuple[object, ...]:
            return (sys.exit, (1,))

    (tmp_path / "bad.pth").write_bytes(pickle.dumps(Hostile()))
    assert not is_plain(tmp_path / "bad.pth")
    (tmp_path / "page.pth").write_text("<html>not found</html>")
    assert not is_plain(tmp_path / "page.pth")
