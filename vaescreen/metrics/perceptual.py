"""Similarity as networks see it: LPIPS, and the angle between embeddings of any timm model.

Both were trained on photographs unless you name another model; on medical images they rank textures, not
findings.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vaescreen.errors import DataError
from vaescreen.metrics.optional import Missing, PairMetric, find_weights, first_line, is_plain, spoilt
from vaescreen.metrics.pair import checked_pair

Backbone = Literal["alex", "vgg", "squeeze"]
LPIPS_BACKBONES: dict[Backbone, str] = {
    "alex": "alexnet-owt-7be5be79.pth",
    "vgg": "vgg16-397923af.pth",
    "squeeze": "squeezenet1_1-b8a52dc0.pth",
}
"""Files as torchvision publishes them, below https://download.pytorch.org/models/."""
SMALLEST = 32
_EXTRA = "install it with `pip install 'vaescreen[perceptual]'`"


def open_lpips(
    net: str = "alex", *, weights: Path | None = None, device: str = "cpu"
) -> PairMetric | Missing:
    """Open LPIPS (Zhang et al., CVPR 2018) as torchmetrics computes it; smaller is more alike.

    Parameters
    ----------
    net : str
        Backbone: `alex`, `vgg` or `squeeze`.
    weights : Path, optional
        Folder with the backbone's file (see `LPIPS_BACKBONES`); the cache of torch.hub is searched as well.
        Nothing is fetched.
    device : str
        Where the network runs.

    Returns
    -------
    callable or Missing
        Images are repeated to three channels; one with a pixel that is not finite has the value NaN.

    Raises
    ------
    DataError
        If there is no such backbone; and from the callable, for images under 32x32 pixels.
    """
    if net not in LPIPS_BACKBONES:
        raise DataError(f"LPIPS: no backbone {net!r}; take one of {', '.join(LPIPS_BACKBONES)}")
    name = f"lpips_{net}"
    try:
        import torchvision  # noqa: F401
        from torchmetrics.image.lpip import LearnedPerceptualImagePatchSimilarity
    except (ImportError, RuntimeError) as error:
        return Missing(
            name, f"torchmetrics with torchvision cannot be imported ({first_line(error)}); {_EXTRA}"
        )
    file = find_weights(LPIPS_BACKBONES[net], weights)
    if file is None:
        return Missing(
            name,
            f"no {LPIPS_BACKBONES[net]}; fetch https://download.pytorch.org/models/{LPIPS_BACKBONES[net]} into "
            "the folder of --weights",
        )
    if not is_plain(file):
        return Missing(name, f"{file} is damaged or holds more than tensors; fetch it again")
    try:
        with _hub_folder_with(file):
            network = LearnedPerceptualImagePatchSimilarity(net_type=net).net.to(device).eval()
    except Exception as error:  # whatever building a network from a wrong file may raise
        return Missing(name, f"{file} does not fit {net} ({first_line(error)}); fetch it again")

    def measure(reference: Tensor, estimate: Tensor) -> Tensor:
        _check(reference, estimate)
        bad = spoilt(reference, estimate)
        images = [_three_channels(batch, device) for batch in (reference, estimate)]
        with torch.inference_mode():
            values = network(*images, normalize=True).flatten().double()
        return torch.where(bad, torch.nan, values.to(reference.device))

    return measure


def open_embedding(model: str, *, weights: Path | None = None, device: str = "cpu") -> PairMetric | Missing:
    """Open the cosine similarity of embeddings of the original and its reconstruction; 1 is alike.

    Parameters
    ----------
    model : str
        A name that timm knows, such as `vit_small_patch14_dinov2.lvd142m`, or `hf-hub:ORG/REPO`.
    weights : Path, optional
        Folder in which `MODEL.safetensors` is looked for first (slashes and colons of the name as `_`); without
        it timm takes the weights from its own cache or fetches them.
    device : str
        Where the network runs.

    Returns
    -------
    callable or Missing
    """
    name = f"embedding_{model}"
    try:
        import timm
    except (ImportError, RuntimeError) as error:
        return Missing(name, f"timm cannot be imported ({first_line(error)}); {_EXTRA}")
    file = weights / f"{model.replace('/', '_').replace(':', '_')}.safetensors" if weights else None
    local = {"pretrained_cfg_overlay": {"file": str(file)}} if file and file.is_file() else {}
    try:
        network = timm.create_model(model, pretrained=True, num_classes=0, **local).to(device).eval()
        settings = timm.data.resolve_model_data_config(network)
    except Exception as error:  # timm and the hub raise many kinds
        wanted = file.name if file else "MODEL.safetensors"
        reason = f"timm cannot load it ({first_line(error)}); put {wanted} into the folder of --weights"
        return Missing(name, reason)
    return embedding_similarity(
        network, settings["mean"], settings["std"], tuple(settings["input_size"][-2:]), device
    )


def embedding_similarity(
    network: nn.Module,
    mean: tuple[float, ...],
    std: tuple[float, ...],
    size: tuple[int, int],
    device: str = "cpu",
) -> PairMetric:
    """Cosine similarity of what a network makes of two images.

    Parameters
    ----------
    network : Module
        From `[B, 3, *size]` to embeddings `[B, D]`; in evaluation mode.
    mean, std : tuple of float
        Of the three channels, subtracted from and divided into images in [0, 1].
    size : (int, int)
        What images are resized to, bilinearly with antialias.
    device : str
        Where the network is.

    Returns
    -------
    callable
        Values in [-1, 1]; NaN for an image with a pixel that is not finite.
    """
    shift, scale = (torch.tensor(values, device=device).view(1, -1, 1, 1) for values in (mean, std))

    def embed(images: Tensor) -> Tensor:
        resized = F.interpolate(_three_channels(images, device), size, mode="bilinear", antialias=True)
        with torch.inference_mode():
            embeddings: Tensor = network((resized - shift) / scale)
        return embeddings.double()

    def measure(reference: Tensor, estimate: Tensor) -> Tensor:
        checked_pair(reference, estimate)
        similarity = F.cosine_similarity(embed(reference), embed(estimate)).to(reference.device)
        return torch.where(spoilt(reference, estimate), torch.nan, similarity)

    return measure


def _three_channels(images: Tensor, device: str) -> Tensor:
    """Gray images as colour ones, values that are not finite as 0."""
    return torch.nan_to_num(images.to(device, torch.float32), 0.0, 0.0, 0.0).expand(-1, 3, -1, -1)


def _check(reference: Tensor, estimate: Tensor) -> None:
    checked_pair(reference, estimate)
    if min(reference.shape[2:]) < SMALLEST:
        raise DataError(
            f"LPIPS needs images of at least {SMALLEST}x{SMALLEST} pixels, got "
            f"{reference.shape[2]}x{reference.shape[3]}; use larger images"
        )


@contextmanager
def _hub_folder_with(checkpoint: Path) -> Iterator[None]:
    """While inside, torch.hub finds one checkpoint in its cache, and fetches nothing."""
    before = torch.hub.get_dir()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "checkpoints"
        place.mkdir()
        (place / checkpoint.name).symlink_to(checkpoint.resolve())
        torch.hub.set_dir(folder)
        try:
            yield
        finally:
            torch.hub.set_dir(before)
