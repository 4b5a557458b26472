"""Vector-quantised autoencoders after van den Oord et al. (NeurIPS 2017), f4c64 with 512 codes.

Latents are those before the quantiser; `decode` takes the nearest code of each, `decode_unquantised` does not.
Both networks take and give RGB in [-1, 1].
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vaescreen.autoencoders.published.base import EncoderDecoder

_CODES, _CHANNELS = 512, 64


def _nearest(latents: Tensor, codes: Tensor) -> Tensor:
    """Latents `[B, C, h, w]`, each replaced by the nearest of `codes` `[K, C]`."""
    flat = latents.movedim(1, -1)
    distances = torch.cdist(flat.flatten(0, -2)[None].float(), codes[None].float())[0]
    return F.embedding(distances.argmin(-1).view(flat.shape[:-1]), codes).movedim(-1, 1)


class OriginalVqVae(nn.Module):
    """The layout of DeepMind's own code, with a code book that follows its latents by moving averages."""

    factor, channels = 4, _CHANNELS

    def __init__(self) -> None:
        super().__init__()
        self._encoder, self._pre_vq_conv = _OriginalEncoder(), nn.Conv2d(128, _CHANNELS, 1)
        self._vq_vae, self._decoder = _AveragedEmbedding(), _OriginalDecoder()

    def encode(self, images: Tensor) -> Tensor:
        """Latents of images, before the quantiser."""
        latents: Tensor = self._pre_vq_conv(self._encoder(images))
        return latents

    def decode(self, latents: Tensor) -> Tensor:
        """Images of the codes nearest to latents."""
        return self.decode_unquantised(_nearest(latents, self._vq_vae._embedding.weight))

    def decode_unquantised(self, latents: Tensor) -> Tensor:
        """Images of latents as they are."""
        images: Tensor = self._decoder(latents)
        return images


class _AveragedEmbedding(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self._embedding = nn.Embedding(_CODES, _CHANNELS)
        self._ema_w = nn.Parameter(torch.zeros(_CODES, _CHANNELS))
        self.register_buffer("_ema_cluster_size", torch.zeros(_CODES))


class _OriginalResidual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self._block = nn.Sequential(
            nn.ReLU(),
            nn.Conv2d(128, 32, 3, padding=1, bias=False),
            nn.ReLU(),
            nn.Conv2d(32, 128, 1, bias=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(x)  # where it was trained the first ReLU works in place, so the skip is rectified too
        added: Tensor = self._block(x)
        return x + added


class _OriginalStack(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self._layers = nn.ModuleList([_OriginalResidual()] * 2)  # one block, applied twice, as it was trained

    def forward(self, x: Tensor) -> Tensor:
        for layer in self._layers:
            x = layer(x)
        return torch.relu(x)


class _OriginalEncoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self._conv_1 = nn.Conv2d(3, 64, 4, 2, 1)
        self._conv_2 = nn.Conv2d(64, 128, 4, 2, 1)
        self._conv_3 = nn.Conv2d(128, 128, 3, 1, 1)
        self._residual_stack = _OriginalStack()

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self._conv_2(torch.relu(self._conv_1(x))))
        encoded: Tensor = self._residual_stack(self._conv_3(x))
        return encoded


class _OriginalDecoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self._conv_1 = nn.Conv2d(_CHANNELS, 128, 3, 1, 1)
        self._residual_stack = _OriginalStack()
        self._conv_trans_1 = nn.ConvTranspose2d(128, 64, 4, 2, 1)
        self._conv_trans_2 = nn.ConvTranspose2d(64, 3, 4, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self._residual_stack(self._conv_1(x))
        decoded: Tensor = self._conv_trans_2(torch.relu(self._conv_trans_1(x)))
        return decoded


class BatchNormVqVae(EncoderDecoder):
    """64 channels throughout, batch normalisation after each convolution."""

    factor, channels = 4, _CHANNELS

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder, self.quantization = _NormedEncoder(), _NormedDecoder(), _AveragedCodes()

    def decode(self, latents: Tensor) -> Tensor:
        """Images of the codes nearest to latents."""
        return super().decode(_nearest(latents, self.quantization.embed.T))

    def decode_unquantised(self, latents: Tensor) -> Tensor:
        """Images of latents as they are."""
        return super().decode(latents)


class _AveragedCodes(nn.Module):
    embed: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("embed", torch.zeros(_CHANNELS, _CODES))
        self.register_buffer("cluster_size", torch.zeros(_CODES))
        self.register_buffer("embed_avg", torch.zeros(_CHANNELS, _CODES))


class _NormedDown(nn.Module):
    def __init__(self, inside: int) -> None:
        super().__init__()
        self.conv, self.batch_norm = nn.Conv2d(inside, _CHANNELS, 3, 2, 1), nn.BatchNorm2d(_CHANNELS)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.batch_norm(self.conv(x)))


class _NormedUp(nn.Module):
    def __init__(self, outside: int, *, last: bool) -> None:
        super().__init__()
        self.deconv = nn.ConvTranspose2d(_CHANNELS, outside, 3, 2, 1, output_padding=1)
        self.batch_norm, self._last = nn.BatchNorm2d(outside), last

    def forward(self, x: Tensor) -> Tensor:
        x = self.deconv(x)
        return x if self._last else torch.relu(self.batch_norm(x))


class _NormedResidual(nn.Module):
    def __init__(self, *, last: bool = False) -> None:
        super().__init__()
        self.conv1, self.batch_norm1 = nn.Conv2d(_CHANNELS, _CHANNELS, 3, 1, 1), nn.BatchNorm2d(_CHANNELS)
        self.conv2, self.batch_norm2 = nn.Conv2d(_CHANNELS, _CHANNELS, 1), nn.BatchNorm2d(_CHANNELS)
        self._last = last

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv2(torch.relu(self.batch_norm1(self.conv1(x))))
        return x + (y if self._last else torch.relu(self.batch_norm2(y)))


class _NormedEncoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv_layers = nn.Sequential(_NormedDown(3), _NormedDown(_CHANNELS))
        self.res_layers = nn.Sequential(_NormedResidual(), _NormedResidual(last=True))

    def forward(self, x: Tensor) -> Tensor:
        encoded: Tensor = self.res_layers(self.conv_layers(x))
        return encoded


class _NormedDecoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.res_layers = nn.Sequential(_NormedResidual(), _NormedResidual())
        self.decov_layers = nn.Sequential(_NormedUp(_CHANNELS, last=False), _NormedUp(3, last=True))

    def forward(self, x: Tensor) -> Tensor:
        decoded: Tensor = self.decov_layers(self.res_layers(x))
        return decoded
