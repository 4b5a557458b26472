"""What autoencoders do to small changes: noise on latents, and a further pass.

Every function gives one value an image, float64, so that means do not depend on how images were batched.
"""

import torch
from torch import Tensor

from vaescreen.metrics.fidelity import capped_psnr
from vaescreen.screening.guarded import GuardedAutoencoder

NOISE = 0.1
"""RMS of the change of a standardised latent."""
_SMALLEST_CHANGE = 1e-7


def of_rms(change: Tensor, rms: float = NOISE) -> Tensor:
    """Scale each change `[B, C, H, W]` of a latent to an RMS; one that is zero stays zero."""
    size = change.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
    return change * (rms / size.clamp(min=torch.finfo(size.dtype).tiny))


def gain_db(before: Tensor, after: Tensor) -> Tensor:
    """Amplification by the decoder: `20 log10` of the RMS change of the image over `NOISE`, that of the latent."""
    change = (after.double() - before.double()).square().mean(dim=(1, 2, 3)).sqrt()
    return 20 * (change.clamp(min=_SMALLEST_CHANGE) / NOISE).log10()


def drift(autoencoder: GuardedAutoencoder, decoded: Tensor) -> Tensor:
    """PSNR of decoded images after one more pass through encoder and decoder, against themselves, `[B]` in dB."""
    again = autoencoder.decode(autoencoder.encode(decoded), (decoded.shape[-2], decoded.shape[-1]))
    return capped_psnr(decoded, again)
