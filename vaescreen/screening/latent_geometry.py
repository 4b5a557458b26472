"""Shape of a latent space: how its power is spread over frequencies and neighbouring cells."""

import torch
from torch import Tensor

RINGS = 8


def latent_geometry(latents: Tensor) -> dict[str, float]:
    """Measure standardised HR latents.

    Parameters
    ----------
    latents
        `[N, C, H, W]`.

    Returns
    -------
    dict
        `spectral_slope`: least-squares slope of the logarithm of `radial_power` over that of the frequency;
        `roughness`.
    """
    return {"spectral_slope": _slope(radial_power(latents)), "roughness": roughness(latents)}


def radial_power(latents: Tensor) -> Tensor:
    """Mean power in `RINGS` rings of equal width from frequency zero, left out, to the Nyquist frequency.

    The mean of each map is taken off, and a Hann window takes away the jump between opposite borders.
    """
    power, radius = _spectrum(latents)
    inside = (radius > 0) & (radius < 1)
    rings, power = (radius[inside] * RINGS).long(), power[inside]
    total = torch.zeros(RINGS, dtype=torch.float64).index_add(0, rings, power)
    return total / torch.bincount(rings, minlength=RINGS).clamp(min=1)


def roughness(latents: Tensor) -> float:
    """Mean squared difference of neighbouring cells over twice the variance: 0 constant, 1 white noise."""
    work = latents.double()
    variance = float(work.var(dim=(0, 2, 3), correction=0).mean())
    steps = [work.diff(dim=dim) for dim in (-2, -1) if work.shape[dim] > 1]
    if variance == 0 or not steps:
        return 0.0
    return float(sum(step.square().mean() for step in steps)) / (2 * len(steps) * variance)


def _spectrum(latents: Tensor) -> tuple[Tensor, Tensor]:
    """Power by frequency, mean over maps, and distance from zero in units of the Nyquist frequency."""
    work = latents.double()
    height, width = work.shape[-2:]
    down, right = (torch.hann_window(side, periodic=False, dtype=torch.float64) for side in (height, width))
    windowed = (work - work.mean(dim=(-2, -1), keepdim=True)) * down[:, None] * right
    power = torch.fft.fft2(windowed).abs().square().mean(dim=(0, 1))
    rows, columns = (2 * torch.fft.fftfreq(side, dtype=torch.float64) for side in (height, width))
    return power, torch.hypot(rows[:, None], columns)


def _slope(power: Tensor) -> float:
    """Slope of log power over log frequency, over the rings that have any."""
    frequency = (torch.arange(RINGS, dtype=torch.float64) + 0.5) / RINGS
    x, y = frequency[power > 0].log(), power[power > 0].log()
    if len(x) < 2:
        return 0.0
    centred = x - x.mean()
    return float((centred * y).sum() / centred.square().sum())
