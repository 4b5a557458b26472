"""First stages in the layout of the latent-diffusion code (CompVis, MedVAE) as diffusers' networks.

The configuration is a YAML file with `embed_dim` and `ddconfig`, alone or somewhere below `model.params`; with
`n_embed` it is a vector-quantised network. That of sgm's `AutoencodingEngine` has `encoder_config` instead, and no
convolutions around the latents. MedVAE's models 4x3 and 8x4 carry low-rank updates (LoRA, Hu et al.
2021) of their convolutions, which are added to these.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, PositiveInt, ValidationError
from torch import Tensor

from vaescreen.autoencoders.key_names import Inner, inner
from vaescreen.errors import CandidateError
from vaescreen.registry.wording import in_words

_ANCHORS = ("encoder.conv_in.weight", "decoder.conv_in.weight", "encoder.mid.block_1.conv1.weight")
_PARTS = ("encoder.", "decoder.", "quant_conv.", "post_quant_conv.", "quantize.embedding.weight")
_NOT_HERE = "no network class here is; a vector-quantised one of taming or latent diffusion works"
_CODE_BOOKS = ("quantize._codebook.embed", "quantize.embed")
"""Where code books that follow their latents by moving averages keep the codes: `[1, K, D]` or `[D, K]`."""
_LEVELS = (
    (r"mid\.block_1", "mid_block.resnets.0"),
    (r"mid\.block_2", "mid_block.resnets.1"),
    (r"mid\.attn_1", "mid_block.attentions.0"),
    (r"down\.(\d+)\.block\.", r"down_blocks.\1.resnets."),
    (r"down\.(\d+)\.attn\.", r"down_blocks.\1.attentions."),
    (r"down\.(\d+)\.downsample\.", r"down_blocks.\1.downsamplers.0."),
    (r"nin_shortcut", "conv_shortcut"),
    (r"\.norm_out\.", ".conv_norm_out."),
)
_UP = {"block.": "resnets.", "attn.": "attentions.", "upsample.": "upsamplers.0."}
_ATTENTION = {"norm": "group_norm", "q": "to_q", "k": "to_k", "v": "to_v", "proj_out": "to_out.0"}


class _Structure(BaseModel):
    """`ddconfig`: what decides the network; dropout and the like do not."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    ch: PositiveInt
    ch_mult: tuple[PositiveInt, ...]
    num_res_blocks: PositiveInt
    in_channels: PositiveInt
    out_ch: PositiveInt
    z_channels: PositiveInt
    resolution: PositiveInt
    attn_resolutions: tuple[PositiveInt, ...] | None = ()
    double_z: bool = True
    attn_type: Literal["vanilla", "vanilla-xformers", "none"] = "vanilla"


class _FirstStage(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    embed_dim: PositiveInt | None = None
    ddconfig: _Structure
    n_embed: PositiveInt | None = None


def diffusers_config(document: Mapping[str, Any], path: Path, name: str) -> dict[str, Any]:
    """Configuration of `AutoencoderKL` or `VQModel` for the YAML `document` at `path` of candidate `name`.

    Raises
    ------
    CandidateError
        If it describes no first stage, or one that these networks are not.
    """
    parameters, scale = first_stage(document)
    if not parameters:
        raise CandidateError(
            f"{name}: {path} has no `ddconfig` at its top or below `model.params`; the YAML file of the first stage "
            "is expected"
        )
    if "gumbel" in _target(document).lower():
        raise CandidateError(f"{name}: {path} is a Gumbel VQ ({_target(document)}), which {_NOT_HERE}")
    quantiser = _target(parameters, "regularizer_config").rpartition(".")[2]
    if "Quantizer" in quantiser:
        raise CandidateError(f"{name}: {path} is an AutoencodingEngine with a {quantiser}, which {_NOT_HERE}")
    try:
        stage = _FirstStage.model_validate(parameters)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise CandidateError(f"{name}: {path}: {where} {in_words(first)}") from error
    structure = stage.ddconfig
    if structure.double_z == (stage.n_embed is not None):
        raise CandidateError(f"{name}: {path}: `double_z` and `n_embed` contradict each other")
    if stage.n_embed is None and stage.embed_dim not in (None, structure.z_channels):
        raise CandidateError(
            f"{name}: {path}: embed_dim {stage.embed_dim} and z_channels {structure.z_channels} must be equal: the "
            "AutoencoderKL of diffusers, as which it is run, has one number for both"
        )
    attends = [
        structure.resolution // 2**i in (structure.attn_resolutions or ())
        for i in range(len(structure.ch_mult))
    ]
    common = {
        "in_channels": structure.in_channels,
        "out_channels": structure.out_ch,
        "block_out_channels": [structure.ch * multiplier for multiplier in structure.ch_mult],
        "down_block_types": ["AttnDownEncoderBlock2D" if a else "DownEncoderBlock2D" for a in attends],
        "up_block_types": ["AttnUpDecoderBlock2D" if a else "UpDecoderBlock2D" for a in reversed(attends)],
        "layers_per_block": structure.num_res_blocks,
        "latent_channels": structure.z_channels,
        "scaling_factor": scale,
    }
    if structure.attn_type == "none":
        common["mid_block_add_attention"] = False
    if stage.n_embed is None:
        has = {} if stage.embed_dim else {"use_quant_conv": False, "use_post_quant_conv": False}
        return {"_class_name": "AutoencoderKL"} | common | has
    code_book = {"num_vq_embeddings": stage.n_embed, "vq_embed_dim": stage.embed_dim}
    return {"_class_name": "VQModel"} | common | code_book


def is_ldm(state: Mapping[str, Tensor]) -> bool:
    """Whether tensors have the names of this layout, whatever is put before them."""
    return any(re.search(r"(^|\.)encoder\.(down\.\d+\.block|mid\.block_1)\.", key) for key in state)


def diffusers_state(state: Mapping[str, Tensor], name: str) -> Inner:
    """Weights by diffusers' names: low-rank updates added; beside them losses and other parts of a larger model.

    Raises
    ------
    CandidateError
        If an update of candidate `name` does not fit what it updates, or it is a Gumbel VQ.
    """
    inside, beside = inner(state, _ANCHORS, name)
    if any(key.startswith("quantize.proj.") for key in inside):
        raise CandidateError(f"{name}: is a Gumbel VQ (it has `quantize.proj`), which {_NOT_HERE}")
    inside = _with_code_book(inside)
    levels = 1 + max(
        (int(m[1]) for key in inside if (m := re.match(r"encoder\.down\.(\d+)\.", key))), default=0
    )
    named = {}
    for key, value in _with_updates(inside, name).items():
        if key.startswith(_PARTS):
            new = _name(key, levels)
            is_projection = ".attentions." in new and value.ndim == 4
            named[new] = value[:, :, 0, 0] if is_projection else value
    return Inner(named, [*beside, *(key for key in inside if not key.startswith(_PARTS))])


def _with_code_book(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Codes that follow their latents by moving averages, by the name of those that are trained."""
    for key in _CODE_BOOKS:
        codes = state.get(key)
        if codes is not None and "quantize.embedding.weight" not in state:
            table = codes[0] if codes.ndim == 3 else codes.T
            rest = {other: value for other, value in state.items() if other != key}
            return rest | {"quantize.embedding.weight": table.contiguous()}
    return dict(state)


def _target(document: Mapping[str, Any], part: str = "model") -> str:
    """Class that a part of a document names, or the document itself."""
    inner = document.get(part)
    return str((inner if isinstance(inner, dict) else document).get("target", ""))


def first_stage(document: Mapping[str, Any]) -> tuple[Mapping[str, Any], float]:
    """Parameters of the first stage, empty if there is none, and the scale that a whole model gives its latents."""
    if "ddconfig" in document:
        return document, 1.0
    model = document.get("model")
    parameters = model.get("params") if isinstance(model, dict) else None
    if not isinstance(parameters, dict):
        return {}, 1.0
    stage = parameters.get("first_stage_config")
    if isinstance(stage, dict):
        return _structured(stage.get("params")), float(parameters.get("scale_factor", 1.0))
    return _structured(parameters), 1.0


def _structured(parameters: Any) -> Mapping[str, Any]:
    """Parameters with their `ddconfig`, which sgm calls `encoder_config`."""
    if not isinstance(parameters, dict):
        return {}
    if "ddconfig" in parameters:
        return parameters
    encoder = parameters.get("encoder_config")
    structure = encoder.get("params") if isinstance(encoder, dict) else None
    return {**parameters, "ddconfig": structure} if isinstance(structure, dict) else {}


def _with_updates(state: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    """Fold each pair `X.lora_up`, `X.lora_down` into `X.conv` (or `X.linear`), which becomes `X`."""
    updates = {key.removesuffix(".lora_up.weight") for key in state if key.endswith(".lora_up.weight")}
    merged = {}
    for key, value in state.items():
        base, _, kind = key.rpartition(".")
        owner, _, layer = base.rpartition(".")
        if owner not in updates:
            merged[key] = value
        elif layer in ("conv", "linear"):
            merged[f"{owner}.{kind}"] = (
                value + _update(state, owner, value, name) if kind == "weight" else value
            )
    return merged


def _update(state: Mapping[str, Tensor], owner: str, weight: Tensor, name: str) -> Tensor:
    up = state[f"{owner}.lora_up.weight"].flatten(1)
    down = state.get(f"{owner}.lora_down.weight", weight.new_empty(0, 0)).flatten(1)
    if up.shape[1] != len(down) or len(up) * down.shape[1] != weight.numel():
        raise CandidateError(f"{name}: the low-rank update of {owner} does not fit its weight")
    return (up.float() @ down.float()).reshape(weight.shape)


def _name(key: str, levels: int) -> str:
    for old, new in _LEVELS:
        key = re.sub(old, new, key)
    # The way up counts its levels from the finest.
    key = re.sub(
        r"\bup\.(\d+)\.(block\.|attn\.|upsample\.)",
        lambda found: f"up_blocks.{levels - 1 - int(found[1])}.{_UP[found[2]]}",
        key,
    )
    block, found, layer = key.rpartition(".attentions.")
    if not found:
        return key
    index, _, kind = layer.partition(".")
    old, _, parameter = kind.partition(".")
    return f"{block}.attentions.{index}.{_ATTENTION.get(old, old)}.{parameter}"
