"""Every metric of a comparison that needs no network, batched."""

from torch import Tensor

from vaescreen.metrics import image_metrics
from vaescreen.metrics.fidelity import mse, nrmse
from vaescreen.metrics.spectrum import Spectrum, half_error_frequency, half_power_frequency, spectrum
from vaescreen.metrics.wavelets import (
    SMOOTH_WAVELET,
    band_errors,
    band_psnr,
    haar_band_errors,
    published_band_psnr,
)


def detailed_metrics(reference: Tensor, estimate: Tensor) -> tuple[dict[str, Tensor], Spectrum]:
    """Give the columns of a comparison's per-image table, and the spectra they were made of.

    Parameters
    ----------
    reference, estimate : Tensor
        Images `[B, 1, H, W]` in [0, 1], floating point, at least 11x11 pixels.

    Returns
    -------
    dict of str to Tensor
        Those of `image_metrics`, and `mse`, `nrmse`, `smooth_LL3` to `smooth_HH1` (squared error by band of a
        smooth wavelet), `haar_psnr_LL3` to `smooth_psnr_HH1` (dB, see `band_psnr`),
        `published_LL3` to `published_HH1` (dB, see `published_band_psnr`),
        `half_power_frequency`, `half_error_frequency` (cycles a pixel), `reference_mean` and `estimate_mean`
        (intensity); each `[B]`, float64.
    Spectrum
        Radial power of each image.

    Raises
    ------
    DataError
        If the two batches cannot be compared, or a side is under 11 pixels.
    """
    spectra = spectrum(reference, estimate)
    smooth = band_errors(reference, estimate, SMOOTH_WAVELET)
    haar = haar_band_errors(reference, estimate)
    published = published_band_psnr(reference, estimate)
    columns = {
        **image_metrics(reference, estimate),
        "mse": mse(reference, estimate),
        "nrmse": nrmse(reference, estimate),
        **{f"smooth_{name}": values for name, values in smooth.items()},
        **{f"haar_psnr_{name}": values for name, values in band_psnr(haar).items()},
        **{f"smooth_psnr_{name}": values for name, values in band_psnr(smooth).items()},
        **{f"published_{name}": values for name, values in published.items()},
        "half_power_frequency": half_power_frequency(spectra),
        "half_error_frequency": half_error_frequency(spectra),
        "reference_mean": reference.double().mean(dim=(1, 2, 3)),
        "estimate_mean": estimate.double().mean(dim=(1, 2, 3)),
    }
    return columns, spectra
