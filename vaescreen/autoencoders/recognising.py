"""A first stage without a configuration, told by its tensors: names say what there is, shapes how large.

All that decides an `AutoencoderKL` or a `VQModel` shows in its weights, but for the number of groups of its
normalisation, which is 32 in all that are published.
"""

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor

_ENDS = (
    "encoder.conv_in.weight",
    "encoder.conv_out.weight",
    "decoder.conv_in.weight",
    "decoder.conv_out.weight",
)
_SD_CHANNELS, _SD_SCALE = 4, 0.18215


def recognised(state: Mapping[str, Tensor]) -> dict[str, Any] | None:
    """Configuration, as diffusers writes it, of tensors by diffusers' names; None if they are of no first stage."""
    if any(key not in state for key in _ENDS):
        return None
    blocks = _numbers(state, r"encoder\.down_blocks\.(\d+)\.")
    layers = _numbers(state, r"encoder\.down_blocks\.0\.resnets\.(\d+)\.")
    widths = [state.get(f"encoder.down_blocks.{i}.resnets.0.conv1.weight") for i in blocks]
    if not blocks or not layers or any(width is None for width in widths):
        return None
    attends = [any(key.startswith(f"encoder.down_blocks.{i}.attentions.") for key in state) for i in blocks]
    latents = int(state["decoder.conv_in.weight"].shape[1])
    config = {
        "in_channels": int(state["encoder.conv_in.weight"].shape[1]),
        "out_channels": int(state["decoder.conv_out.weight"].shape[0]),
        "block_out_channels": [int(width.shape[0]) for width in widths if width is not None],
        "down_block_types": ["AttnDownEncoderBlock2D" if a else "DownEncoderBlock2D" for a in attends],
        "up_block_types": ["AttnUpDecoderBlock2D" if a else "UpDecoderBlock2D" for a in reversed(attends)],
        "layers_per_block": len(layers),
        "latent_channels": latents,
        "mid_block_add_attention": any(key.startswith("encoder.mid_block.attentions.") for key in state),
    }
    book = state.get("quantize.embedding.weight")
    if book is not None:
        return {
            "_class_name": "VQModel",
            **config,
            "num_vq_embeddings": int(book.shape[0]),
            "vq_embed_dim": int(book.shape[1]),
        }
    if int(state["encoder.conv_out.weight"].shape[0]) != 2 * latents:
        return None
    return {
        "_class_name": "AutoencoderKL",
        **config,
        "use_quant_conv": "quant_conv.weight" in state,
        "use_post_quant_conv": "post_quant_conv.weight" in state,
        "scaling_factor": _SD_SCALE if latents == _SD_CHANNELS else 1.0,
    }


def _numbers(state: Mapping[str, Tensor], pattern: str) -> list[int]:
    return sorted({int(found[1]) for key in state if (found := re.match(pattern, key))})
