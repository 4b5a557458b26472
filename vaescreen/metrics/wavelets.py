"""Where in scale and direction the error lies: squared error by band of the orthonormal Haar transform."""

from torch import Tensor
from torch.nn import functional as F

from vaescreen.metrics.pair import checked_pair


def haar_band_errors(reference: Tensor, estimate: Tensor, levels: int = 3) -> dict[str, Tensor]:
    """Squared error of each Haar band, divided by the number of image pixels: the bands add up to the MSE.

    Bands are named and ordered as in PyWavelets (Lee et al., Journal of Open Source Software 4(36), 2019:
    `wavedec2` and its coefficient layout): LL is the approximation `cA`, LH the horizontal detail `cH`
    (differences down the rows, as at a horizontal edge), HL the vertical detail `cV`, HH the diagonal `cD`;
    the digit is the level, 1 the finest.

    The transform is linear, so it is applied to the error image. Sizes that `2**levels` does not divide are
    filled up with zero error below and to the right: this adds nothing to the sum, so it stays exact, while
    an extension by mirrored or repeated pixels would count some errors twice.

    Parameters
    ----------
    reference, estimate : Tensor
        Images `[B, 1, H, W]` in [0, 1], floating point, of any size.
    levels : int
        Number of decompositions, at least 1.

    Returns
    -------
    dict of str to Tensor
        Band name to `[B]`, float64, coarse to fine: `LL3, LH3, HL3, HH3, LH2, ..., HH1` for three levels.

    Raises
    ------
    DataError
        If the two batches cannot be compared.
    """
    reference, estimate = checked_pair(reference, estimate)
    height, width = reference.shape[2:]
    block = 2**levels
    approximation = F.pad(estimate - reference, (0, -width % block, 0, -height % block))
    coarse_to_fine: dict[str, Tensor] = {}
    for level in range(1, levels + 1):
        approximation, details = _haar_step(approximation)
        named = {f"{name}{level}": coefficients for name, coefficients in details.items()}
        coarse_to_fine = named | coarse_to_fine
    coarse_to_fine = {f"LL{levels}": approximation} | coarse_to_fine
    return {
        name: coefficients.square().sum(dim=(1, 2, 3)) / (height * width)
        for name, coefficients in coarse_to_fine.items()
    }


def _haar_step(images: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """One orthonormal two-dimensional Haar decomposition of images with even sides."""
    top, bottom = images[..., 0::2, :], images[..., 1::2, :]
    low, high = top + bottom, top - bottom
    low_left, low_right = low[..., 0::2], low[..., 1::2]
    high_left, high_right = high[..., 0::2], high[..., 1::2]
    details = {
        "LH": (high_left + high_right) / 2,
        "HL": (low_left - low_right) / 2,
        "HH": (high_left - high_right) / 2,
    }
    return (low_left + low_right) / 2, details
