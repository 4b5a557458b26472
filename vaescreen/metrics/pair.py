"""What every metric asks of its two arguments."""

from torch import Tensor

from vaescreen.errors import DataError


def checked_pair(reference: Tensor, estimate: Tensor) -> tuple[Tensor, Tensor]:
    """Check that two batches can be compared and give both in float64.

    Differences of nearly equal images and variances of nearly constant ones cancel most digits of float32.

    Raises
    ------
    DataError
        If the shapes differ or are not `[B, 1, H, W]`, or a dtype is not floating point.
    """
    if reference.shape != estimate.shape or reference.ndim != 4 or reference.shape[1] != 1:
        raise DataError(
            f"metrics: reference {tuple(reference.shape)} and estimate {tuple(estimate.shape)} must have "
            "one shape [B, 1, H, W]; crop the estimate to the size of its reference"
        )
    if not (reference.is_floating_point() and estimate.is_floating_point()):
        raise DataError(
            f"metrics: reference ({reference.dtype}) and estimate ({estimate.dtype}) must be floating point; "
            "convert the images to float32 in [0, 1]"
        )
    return reference.double(), estimate.double()
