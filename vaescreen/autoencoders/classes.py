"""What each class of network takes and gives: one short description a class, for all of diffusers' image networks.

Networks for video are run on one frame. Those that need several frames (Allegro, MiniMax H3, VidTok) or are
made for sound or molecules are not listed.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from vaescreen.autoencoders.contract import Geometry
from vaescreen.autoencoders.scaling import LatentScale, from_batch_norm, from_config, unscaled

_LATENT_CHANNELS = ("vq_embed_dim", "latent_channels", "z_dim", "z_channels", "encoder_hidden_size")
_IMAGE_CHANNELS = ("in_channels", "input_channels", "num_channels", "encoder_in_channels")


def _first(config: Any, keys: tuple[str, ...]) -> int:
    return int(next(config[key] for key in keys if config.get(key) is not None))


def _levels(key: str) -> Callable[[Any], int]:
    """Factor of a network that halves its input between the levels that `key` lists."""
    return lambda model: 2 ** (len(model.config[key]) - 1)


def _given(key: str) -> Callable[[Any], int]:
    return lambda model: int(model.config[key])


def _patches(model: Any) -> int:
    return int(model.config.get("patch_size") or 1)


@dataclass(frozen=True)
class NetworkClass:
    """How networks of one class are used.

    Attributes
    ----------
    factor
        Of a network: pixels to a latent cell, along one side; image sides must be multiples of it.
    latent_channels, image_channels
        Of a network.
    decode
        Network and latents to images, or to what holds them.
    decode_unquantised
        The same without snapping to the code book, for classes that have one.
    native
        Of a network and its latent channels: the shift and scale of its own generative models.
    value_range
        Values of black and white.
    one_by_one
        Whether the images of a batch must be taken one by one, since the class confuses them.
    frames
        Whether images are `[B, C, 1, H, W]` to it.
    fixed_size
        Of a network: the only image side it works on, if there is one.
    needs
        Package that diffusers builds it with.
    """

    factor: Callable[[Any], int]
    latent_channels: Callable[[Any], int] = lambda model: _first(model.config, _LATENT_CHANNELS)
    image_channels: Callable[[Any], int] = lambda model: _first(model.config, _IMAGE_CHANNELS)
    decode: Callable[[Any, Tensor], Any] = lambda model, latents: model.decode(latents)
    decode_unquantised: Callable[[Any, Tensor], Tensor] | None = None
    native: Callable[[Any, int], LatentScale] = from_config
    value_range: tuple[float, float] = (-1.0, 1.0)
    one_by_one: bool = False
    frames: bool = False
    fixed_size: Callable[[Any], int | None] = lambda model: None
    needs: str | None = None

    def geometry(self, model: Any) -> Geometry:
        """Latent channels and factor of a network."""
        return Geometry(self.latent_channels(model), self.factor(model))


def _consistency_decode(model: Any, latents: Tensor) -> Tensor:
    """Decode from the same start noise for every image, so that neither chance nor the batch decides."""
    generators = [torch.Generator().manual_seed(0) for _ in latents]
    decoded: Tensor = model.decode(latents, generator=generators).sample
    return decoded


def _ltx_factor(model: Any) -> int:
    """Pixels of a patch, doubled by every step that does not halve time alone."""
    kinds, steps = model.config["downsample_type"], model.config["spatio_temporal_scaling"]
    steps = [steps] * len(kinds) if isinstance(steps, bool) else steps
    halvings = sum(bool(step) and kind != "temporal" for step, kind in zip(steps, kinds, strict=False))
    return int(model.config["patch_size"] * 2**halvings)


def _ltx_decode(model: Any, latents: Tensor) -> Tensor:
    """Decode; networks that clean noise of a given level away are told that there is none."""
    times = latents.new_zeros(len(latents)) if model.config["timestep_conditioning"] else None
    decoded: Tensor = model.decode(latents, times).sample
    return decoded


def _decode_unquantised(model: Any, latents: Tensor) -> Tensor:
    conditions = latents if model.config["norm_type"] == "spatial" else None
    decoded: Tensor = model.decoder(model.post_quant_conv(latents), conditions)
    return decoded


def _one_frame_decode(model: Any, latents: Tensor) -> Tensor:
    decoded: Tensor = model.decode(latents, num_frames=1).sample
    return decoded


def _video(factor: Callable[[Any], int], **differences: Any) -> NetworkClass:
    return NetworkClass(factor, frames=True, **differences)


_wan = _video(
    lambda model: _levels("dim_mult")(model) * _patches(model),
    image_channels=lambda model: _first(model.config, _IMAGE_CHANNELS) // _patches(model) ** 2,
)
_ltx = _video(_ltx_factor, decode=_ltx_decode)

CLASSES: dict[str, NetworkClass] = {
    "AutoencoderKL": NetworkClass(_levels("block_out_channels")),
    "AutoencoderTiny": NetworkClass(_levels("encoder_block_out_channels")),
    "AutoencoderDC": NetworkClass(_levels("encoder_block_out_channels")),
    "VQModel": NetworkClass(
        _levels("block_out_channels"),
        decode_unquantised=_decode_unquantised,
        native=unscaled,
    ),
    "AsymmetricAutoencoderKL": NetworkClass(_levels("down_block_out_channels")),
    "AutoencoderKLFlux2": NetworkClass(_levels("block_out_channels"), native=from_batch_norm),
    "AutoencoderKLHunyuanImage": NetworkClass(_given("spatial_compression_ratio")),
    "AutoencoderKLKVAE": NetworkClass(_levels("ch_mult")),
    "AutoencoderKLTemporalDecoder": NetworkClass(_levels("block_out_channels"), decode=_one_frame_decode),
    "ConsistencyDecoderVAE": NetworkClass(_levels("encoder_block_out_channels"), decode=_consistency_decode),
    "AutoencoderRAE": NetworkClass(
        _given("patch_size"),
        native=unscaled,
        value_range=(0.0, 1.0),
        fixed_size=lambda model: int(model.decoder_image_size),
        needs="transformers",
    ),
    "AutoencoderKLWan": _wan,
    "AutoencoderKLQwenImage": _video(_levels("dim_mult")),
    "AutoencoderKLQwenImage21": _wan,
    "AutoencoderKLCosmos": _video(_given("spatial_compression_ratio")),
    "AutoencoderKLCogVideoX": _video(_levels("block_out_channels")),
    "AutoencoderKLHunyuanImageRefiner": _video(_given("spatial_compression_ratio")),
    "AutoencoderKLHunyuanVideo": _video(_given("spatial_compression_ratio")),
    "AutoencoderKLHunyuanVideo15": _video(_given("spatial_compression_ratio"), one_by_one=True),
    "AutoencoderKLKVAEVideo": _video(_levels("ch_mult")),
    "AutoencoderKLLTXVideo": _ltx,
    "AutoencoderKLLTX2Video": _ltx,
    "AutoencoderKLMagvit": _video(_levels("block_out_channels")),
    "AutoencoderKLMochi": _video(
        lambda model: math.prod(model.config["spatial_expansions"]),
        # It counts four Fourier features beside each channel of the image.
        image_channels=lambda model: int(model.config["in_channels"]) // 5,
    ),
    "Kandinsky6SRVAE": _video(_levels("encoder_block_out_channels")),
}
"""Every network class of diffusers that encodes one image, by its name."""


def class_of(model: Any) -> NetworkClass | None:
    """What a network's class takes and gives, if it is one of diffusers', or made of one that it does not change.

    A name says nothing: MONAI, CompVis, MAR and MedVAE each have an `AutoencoderKL` of their own.
    """
    for cls in type(model).__mro__:
        if cls.__name__ in CLASSES and cls.__module__.partition(".")[0] == "diffusers":
            unchanged = all(getattr(type(model), do) is getattr(cls, do) for do in ("encode", "decode"))
            return CLASSES[cls.__name__] if unchanged else None
    return None
