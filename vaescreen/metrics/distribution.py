"""Distance between the distribution of outputs and that of originals: FID and KID, as torchmetrics computes them.

They say whether outputs look like the data as a set, not whether one is like its original. Few images bias FID
upwards: it is refused below 2,048, where the covariance of its 2,048 features is singular.

References
----------
Heusel et al.: GANs trained by a two time-scale update rule converge to a local Nash equilibrium. NeurIPS 2017.
Binkowski et al.: Demystifying MMD GANs. ICLR 2018.
"""

import warnings
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from vaescreen.errors import DataError
from vaescreen.metrics.optional import Missing, find_weights, first_line, is_plain

FEWEST_FOR_FID = 2048
FEWEST_FOR_KID = 200
KID_SUBSET = 100
KID_SUBSETS = 100
INCEPTION_WEIGHTS = "weights-inception-2015-12-05-6726825d.pth"
"""Published with torch-fidelity, at https://github.com/toshas/torch-fidelity/releases."""
_EXTRA = "install it with `pip install 'vaescreen[distribution]'`"

Features = Callable[[Tensor], Tensor]
"""From images `[B, 1, H, W]` in [0, 1] to features `[B, D]`."""


def open_inception(*, weights: Path | None = None, device: str = "cpu") -> Features | Missing:
    """Open the Inception network that FID and KID are defined by.

    Images are rounded to 8 bits and repeated to three channels, which is part of the metrics' definition.

    Parameters
    ----------
    weights : Path, optional
        Folder with `INCEPTION_WEIGHTS`; the cache of torch.hub is searched as well. Nothing is fetched.
    device : str
        Where the network runs.
    """
    try:
        import torchmetrics  # noqa: F401
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
    except (ImportError, RuntimeError) as error:
        return Missing(
            "fid and kid",
            f"torchmetrics with torch-fidelity cannot be imported ({first_line(error)}); {_EXTRA}",
        )
    file = find_weights(INCEPTION_WEIGHTS, weights)
    if file is None:
        return Missing(
            "fid and kid",
            f"no {INCEPTION_WEIGHTS}; fetch it from https://github.com/toshas/torch-fidelity/releases into the "
            "folder of --weights",
        )
    if not is_plain(file):
        return Missing("fid and kid", f"{file} is damaged or holds more than tensors; fetch it again")
    try:
        network = FeatureExtractorInceptionV3("inception-v3-compat", ["2048"], str(file)).to(device).eval()
    except Exception as error:  # whatever building a network from a wrong file may raise
        return Missing("fid and kid", f"{file} does not fit ({first_line(error)}); fetch it again")

    def features(images: Tensor) -> Tensor:
        eight_bit = (images.to(device).clamp(0, 1) * 255).round().byte().expand(-1, 3, -1, -1)
        with torch.inference_mode():
            found: Tensor = network(eight_bit)[0]
        return found

    return features


class Distances:
    """FID and KID of one candidate's outputs against the originals, from features that stream in.

    Memory is that of the features (KID keeps them: 8 kB an image).

    Parameters
    ----------
    dimensions : int
        Length of a feature vector.
    """

    def __init__(self, dimensions: int) -> None:
        from torchmetrics.image.fid import FrechetInceptionDistance
        from torchmetrics.image.kid import KernelInceptionDistance

        given = _Given(dimensions)
        self._fid = FrechetInceptionDistance(feature=given)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that features are kept is said above
            self._kid = KernelInceptionDistance(feature=given, subsets=KID_SUBSETS, subset_size=KID_SUBSET)
        self._images = 0

    def update(self, reference: Tensor, estimate: Tensor) -> None:
        """Add the features of some originals and of their outputs, `[B, D]` each.

        Raises
        ------
        DataError
            If a feature is not finite.
        """
        for features, real in ((reference, True), (estimate, False)):
            if not features.isfinite().all():
                raise DataError("FID and KID: a feature is not finite; leave images with NaN pixels out")
            self._fid.update(features.cpu(), real=real)
            self._kid.update(features.cpu(), real=real)
        self._images += len(reference)

    def compute(self) -> dict[str, float | Missing]:
        """Give `fid` and `kid` (mean over random subsets, always the same), or why there are too few images."""
        found: dict[str, float | Missing] = {}
        found["fid"] = _too_few("fid", self._images, FEWEST_FOR_FID) or float(self._fid.compute())
        too_few = _too_few("kid", self._images, FEWEST_FOR_KID)
        if too_few:
            return found | {"kid": too_few}
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return found | {"kid": float(self._kid.compute()[0])}


def _too_few(metric: str, images: int, fewest: int) -> Missing | None:
    if images >= fewest:
        return None
    return Missing(metric, f"it needs at least {fewest} images and has {images}; give more test images")


class _Given(nn.Module):
    """Stands where torchmetrics expects a network: the features have been computed already."""

    def __init__(self, dimensions: int) -> None:
        super().__init__()
        self.num_features = dimensions

    def forward(self, features: Tensor) -> Tensor:
        """Hand the features through."""
        return features
