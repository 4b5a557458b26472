"""One network of a few thousand random weights for every class, and the library's own calls on it."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

_DOWN, _UP = ("DownEncoderBlock2D",) * 3, ("UpDecoderBlock2D",) * 3
_SAME = {"norm_num_groups": 4, "latent_channels": 4}


def _ends(channels: int) -> dict[str, int]:
    return {"in_channels": channels, "out_channels": channels}


CONFIGS: dict[str, Callable[[int], dict[str, Any]]] = {
    "AutoencoderKL": lambda c: (
        _ends(c) | _SAME | {"block_out_channels": (8,) * 3, "down_block_types": _DOWN, "up_block_types": _UP}
    ),
    "AutoencoderTiny": lambda c: (
        _ends(c)
        | {"encoder_block_out_channels": (8,) * 3, "decoder_block_out_channels": (8,) * 3}
        | {"num_encoder_blocks": (1,) * 3, "num_decoder_blocks": (1,) * 3}
    ),
    "AutoencoderDC": lambda c: {
        "in_channels": c,
        "latent_channels": 8,
        "encoder_block_out_channels": (8,) * 3,
        "decoder_block_out_channels": (8,) * 3,
        "encoder_layers_per_block": (1,) * 3,
        "decoder_layers_per_block": (1,) * 3,
        "encoder_qkv_multiscales": ((),) * 3,
        "decoder_qkv_multiscales": ((),) * 3,
    },
    "VQModel": lambda c: (
        _ends(c)
        | {"block_out_channels": (8,) * 3, "down_block_types": _DOWN, "up_block_types": _UP}
        | {"norm_num_groups": 4, "latent_channels": 3, "num_vq_embeddings": 32, "vq_embed_dim": 2}
    ),
    "AsymmetricAutoencoderKL": lambda c: (
        _ends(c)
        | _SAME
        | {"down_block_out_channels": (8,) * 3, "up_block_out_channels": (8,) * 3}
        | {"down_block_types": _DOWN, "up_block_types": _UP}
    ),
    "AutoencoderKLFlux2": lambda c: (
        _ends(c)
        | _SAME
        | {"block_out_channels": (8,) * 3, "down_block_types": _DOWN, "up_block_types": _UP}
        | {"layers_per_block": 1}
    ),
    "AutoencoderKLHunyuanImage": lambda c: (
        _ends(c)
        | {"latent_channels": 4, "block_out_channels": (32,) * 3, "layers_per_block": 1}
        | {"spatial_compression_ratio": 4, "sample_size": 64}
    ),
    "AutoencoderKLKVAE": lambda c: {
        "in_channels": c,
        "channels": 32,
        "num_enc_blocks": 1,
        "num_dec_blocks": 1,
        "z_channels": 4,
        "ch_mult": (1, 1, 1),
    },
    "AutoencoderKLTemporalDecoder": lambda c: (
        _ends(c) | {"block_out_channels": (32,) * 3, "down_block_types": _DOWN, "latent_channels": 4}
    ),
    "ConsistencyDecoderVAE": lambda c: {
        "encoder_in_channels": c,
        "encoder_block_out_channels": (32,) * 4,
        "decoder_block_out_channels": (32,) * 4,
        "encoder_layers_per_block": 1,
        "decoder_layers_per_block": 1,
    },
    "AutoencoderKLWan": lambda c: (
        {"in_channels": 4 * c, "out_channels": 4 * c, "patch_size": 2, "scale_factor_spatial": 8}
        | {"base_dim": 8, "dim_mult": [1, 1, 1], "num_res_blocks": 1, "is_residual": True}
        | {"temperal_downsample": [False, True], "z_dim": 16}
    ),
    "AutoencoderKLQwenImage": lambda c: (
        {"input_channels": c, "base_dim": 8, "dim_mult": [1, 1, 1], "num_res_blocks": 1}
        | {"temperal_downsample": [False, True]}
    ),
    "AutoencoderKLQwenImage21": lambda c: {
        **_ends(c),
        "base_dim": 8,
        "decoder_base_dim": 8,
        "dim_mult": [1, 1, 1],
        "num_res_blocks": 1,
        "temperal_downsample": [False, True],
        "scale_factor_spatial": 4,
    },
    "AutoencoderKLCosmos": lambda c: {
        **_ends(c),
        "encoder_block_out_channels": (8,) * 4,
        "decode_block_out_channels": (8,) * 4,
        "num_layers": 1,
        "resolution": 64,
    },
    "AutoencoderKLCogVideoX": lambda c: (
        _ends(c)
        | _SAME
        | {"block_out_channels": (8,) * 3, "layers_per_block": 1, "temporal_compression_ratio": 2}
        | {"down_block_types": ("CogVideoXDownBlock3D",) * 3, "up_block_types": ("CogVideoXUpBlock3D",) * 3}
    ),
    "AutoencoderKLHunyuanImageRefiner": lambda c: (
        _ends(c)
        | {"latent_channels": 4, "block_out_channels": (8,) * 3, "layers_per_block": 1}
        | {"spatial_compression_ratio": 4, "temporal_compression_ratio": 2}
    ),
    "AutoencoderKLHunyuanVideo": lambda c: (
        _ends(c) | _SAME | {"block_out_channels": (8,) * 4, "layers_per_block": 1}
    ),
    "AutoencoderKLHunyuanVideo15": lambda c: (
        _ends(c)
        | {"latent_channels": 4, "block_out_channels": (8,) * 3, "layers_per_block": 1}
        | {"spatial_compression_ratio": 4, "temporal_compression_ratio": 2}
    ),
    "AutoencoderKLKVAEVideo": lambda c: {
        "in_channels": c,
        "out_ch": c,
        "ch": 32,
        "ch_mult": (1, 1, 1),
        "num_res_blocks": 1,
        "z_channels": 4,
        "temporal_compress_times": 2,
    },
    "AutoencoderKLLTXVideo": lambda c: {
        **_ends(c),
        "latent_channels": 8,
        "block_out_channels": (8,) * 4,
        "decoder_block_out_channels": (8,) * 4,
        "layers_per_block": (1,) * 5,
        "decoder_layers_per_block": (1,) * 5,
        "timestep_conditioning": True,
    },
    "AutoencoderKLLTX2Video": lambda c: {
        **_ends(c),
        "latent_channels": 8,
        "block_out_channels": (8, 16, 32, 64),
        "decoder_block_out_channels": (8, 16, 32),
        "layers_per_block": (1,) * 5,
        "decoder_layers_per_block": (1,) * 4,
    },
    "AutoencoderKLMagvit": lambda c: (
        _ends(c) | _SAME | {"block_out_channels": (8,) * 4, "layers_per_block": 1}
    ),
    "AutoencoderKLMochi": lambda c: {
        "in_channels": 5 * c,
        "out_channels": c,
        "encoder_block_out_channels": (32,) * 4,
        "decoder_block_out_channels": (32,) * 4,
        "layers_per_block": (1,) * 5,
    },
    "Kandinsky6SRVAE": lambda c: {
        **_ends(c),
        "latent_channels": 4,
        "encoder_block_out_channels": (16,) * 3,
        "decoder_block_out_channels": (16,) * 3,
        "layers_per_block": 1,
        "temporal_compression_ratio": 2,
    },
    "AutoencoderRAE": lambda _: {
        "encoder_hidden_size": 64,
        "encoder_num_hidden_layers": 1,
        "encoder_input_size": 28,
        "decoder_hidden_size": 32,
        "decoder_num_hidden_layers": 1,
        "decoder_num_attention_heads": 4,
        "decoder_intermediate_size": 64,
    },
}
"""Arguments of a small network of each class, by the channels of its images."""

LATENTS = {
    "AutoencoderTiny": "latents",
    "VQModel": "latents",
    "AutoencoderDC": "latent",
    "AutoencoderRAE": "latent",
}
FRAMES = set(list(CONFIGS)[list(CONFIGS).index("AutoencoderKLWan") : -1])
RAE_SIDE = 32
"""Side in pixels that the network of `AutoencoderRAE` works on."""


def build(name: str, channels: int = 3) -> Any:
    """Small network of class `name` for images of so many channels, always the same weights."""
    import diffusers

    torch.manual_seed(0)
    model = getattr(diffusers, name)(**CONFIGS[name](channels)).eval()
    if name == "AutoencoderTiny":
        model.decoder.layers[-1].bias.data += 0.5  # its [0, 1] becomes [-1, 1]: keep clear of the clamp
    return model


def library_encode(model: Any, x: Tensor) -> Tensor:
    """Latents `[B, C, h, w]` by the library's own call, of images as the network takes them."""
    name = type(model).__name__
    encoded = model.encode(x[:, :, None] if name in FRAMES else x)
    latents: Tensor = getattr(encoded, LATENTS[name]) if name in LATENTS else encoded.latent_dist.mode()
    return latents[:, :, 0] if name in FRAMES else latents


def library_decode(model: Any, latents: Tensor) -> Tensor:
    """Images `[B, C, H, W]` as the network gives them, by the library's own call."""
    name, more = type(model).__name__, {}
    if name == "AutoencoderKLTemporalDecoder":
        more = {"num_frames": 1}
    elif name == "AutoencoderKLLTXVideo":
        more = {"temb": torch.zeros(len(latents))}
    elif name == "ConsistencyDecoderVAE":
        more = {"generator": [torch.Generator().manual_seed(0) for _ in latents]}
    decoded: Tensor = model.decode(latents[:, :, None] if name in FRAMES else latents, **more).sample
    return decoded[:, :, 0] if name in FRAMES else decoded
