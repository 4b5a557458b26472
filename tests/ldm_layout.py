"""A diffusers network written as the latent-diffusion code writes its first stages."""

import re
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor


def ldm_network(
    *,
    channels: int = 3,
    levels: int = 2,
    attention: Sequence[int] = (),
    vq: bool = False,
    around: bool = True,
) -> Any:
    """Small random `AutoencoderKL` or `VQModel` as that code could have made it, attending at `attention` levels.

    `around` says whether there are convolutions around the latents.
    """
    from diffusers import AutoencoderKL, VQModel

    torch.manual_seed(0)
    attends = [level in attention for level in range(levels)]
    fields = {
        "in_channels": channels,
        "out_channels": channels,
        "block_out_channels": [32 * (1 + level) for level in range(levels)],
        "down_block_types": ["AttnDownEncoderBlock2D" if a else "DownEncoderBlock2D" for a in attends],
        "up_block_types": ["AttnUpDecoderBlock2D" if a else "UpDecoderBlock2D" for a in reversed(attends)],
        "layers_per_block": 1,
        "latent_channels": 3,
        "scaling_factor": 1.0,
    }
    if vq:
        return VQModel(**fields, num_vq_embeddings=16, vq_embed_dim=2).eval()
    return AutoencoderKL(**fields, use_quant_conv=around, use_post_quant_conv=around).eval()


def ldm_config(model: Any) -> dict[str, Any]:
    """YAML document, with `embed_dim` and `ddconfig` at its top."""
    config, is_vq = model.config, type(model).__name__ == "VQModel"
    channels = list(config["block_out_channels"])
    attends = [
        2 ** (9 - level) for level, kind in enumerate(config["down_block_types"]) if kind.startswith("Attn")
    ]
    return {
        "embed_dim": config["vq_embed_dim"] if is_vq else config["latent_channels"],
        **({"n_embed": config["num_vq_embeddings"]} if is_vq else {}),
        "ddconfig": {
            "double_z": not is_vq,
            "z_channels": config["latent_channels"],
            "resolution": 512,
            "in_channels": config["in_channels"],
            "out_ch": config["out_channels"],
            "ch": channels[0],
            "ch_mult": [c // channels[0] for c in channels],
            "num_res_blocks": config["layers_per_block"],
            "attn_resolutions": attends,
            "dropout": 0.0,
        },
    }


def ldm_state(model: Any) -> dict[str, Tensor]:
    """Weights by the names of that code, attention as 1x1 convolutions."""
    levels = len(model.config["block_out_channels"])
    state = {}
    for key, value in model.state_dict().items():
        new = key
        new = re.sub(r"mid_block\.resnets\.(\d)", lambda m: f"mid.block_{int(m[1]) + 1}", new)
        new = new.replace("mid_block.attentions.0", "mid.attn_1")
        new = re.sub(r"down_blocks\.(\d+)", r"down.\1", new)
        new = re.sub(r"up_blocks\.(\d+)", lambda m: f"up.{levels - 1 - int(m[1])}", new)
        new = re.sub(r"\.resnets\.(\d+)", r".block.\1", new)
        new = re.sub(r"\.attentions\.(\d+)", r".attn.\1", new)
        new = new.replace(".downsamplers.0", ".downsample").replace(".upsamplers.0", ".upsample")
        new = new.replace("conv_shortcut", "nin_shortcut").replace("conv_norm_out", "norm_out")
        if ".attn" in new:
            new = new.replace("group_norm", "norm").replace("to_out.0", "proj_out")
            new = re.sub(r"\.to_([qkv])\.", r".\1.", new)
        state[new] = (value[:, :, None, None] if ".attn" in new and value.ndim == 2 else value).clone()
    return state
