"""What autoencoders do to small changes: noise on latents, further passes, shifts and mirror images.

Every function gives one value an image, float64, so that means do not depend on how images were batched.
"""

import torch
from torch import Tensor

from vaescreen.autoencoders.standardisation import Standardisation
from vaescreen.metrics.fidelity import capped_psnr
from vaescreen.screening.guarded import GuardedAutoencoder

NOISE = 0.1
"""RMS of the change of a standardised latent."""
PASSES = (1, 2, 4)
BORDER = 2
"""Cells at the border that a shift brings in from the other side, or that padding reaches."""
_SMALLEST_CHANGE = 1e-7


def of_rms(change: Tensor, rms: float = NOISE) -> Tensor:
    """Scale each change `[B, C, H, W]` of a latent to an RMS; one that is zero stays zero."""
    size = change.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
    return change * (rms / size.clamp(min=torch.finfo(size.dtype).tiny))


def gain_db(before: Tensor, after: Tensor) -> Tensor:
    """Amplification by the decoder: `20 log10` of the RMS change of the image over `NOISE`, that of the latent."""
    change = (after.double() - before.double()).square().mean(dim=(1, 2, 3)).sqrt()
    return 20 * (change.clamp(min=_SMALLEST_CHANGE) / NOISE).log10()


def drift(autoencoder: GuardedAutoencoder, decoded: Tensor) -> dict[str, Tensor]:
    """PSNR of decoded images after 1, 2 and 4 further passes through encoder and decoder, against themselves."""
    size = (decoded.shape[-2], decoded.shape[-1])
    drifted, columns = decoded, {}
    for count in range(1, max(PASSES) + 1):
        drifted = autoencoder.decode(autoencoder.encode(drifted), size)
        if count in PASSES:
            columns[f"drift{count}_psnr"] = capped_psnr(decoded, drifted)
    return columns


def equivariance(
    autoencoder: GuardedAutoencoder, images: Tensor, latents: Tensor, scale: Standardisation, *, factor: int
) -> dict[str, Tensor]:
    """How far encoding does not commute with a shift by one cell and with mirroring.

    Parameters
    ----------
    autoencoder
        The candidate.
    images
        `[B, 1, H, W]`.
    latents
        Their raw latents `[B, C, h, w]`.
    scale
        Standardisation of HR latents.
    factor
        Spatial factor of the autoencoder; sides that it does not divide are cut to whole cells first, since a
        mirror image begins its cells at the other end.

    Returns
    -------
    dict
        `shift_error` and `flip_error`: mean squared difference of standardised latents over their mean square
        in the images given, without the border. 0 is equivariant, about 2 unrelated.
    """
    height, width = (side // factor * factor or side for side in images.shape[-2:])
    if (height, width) != images.shape[-2:]:
        images = images[..., :height, :width]
        latents = autoencoder.encode(images)
    known = scale.apply(latents)
    shifted = autoencoder.encode(images.roll((factor, factor), dims=(-2, -1)))
    flipped = autoencoder.encode(images.flip(-1)).flip(-1)
    return {
        "shift_error": _relative(scale.apply(shifted), known.roll((1, 1), dims=(-2, -1))),
        "flip_error": _relative(scale.apply(flipped), known),
    }


def _relative(found: Tensor, expected: Tensor) -> Tensor:
    margin = BORDER if min(expected.shape[-2:]) > 2 * BORDER else 0
    inner = (slice(None), slice(None), *(slice(margin, size - margin) for size in expected.shape[-2:]))
    error = (found[inner] - expected[inner]).double().square().mean(dim=(1, 2, 3))
    return error / expected[inner].double().square().mean(dim=(1, 2, 3)).clamp(min=_SMALLEST_CHANGE)
